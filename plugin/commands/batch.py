"""`whythis batch`: explain many recommendations, and go on where it was interrupted."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from whythis.commands.explain import AnyLlm, BaseUrl, CheckerNames, Model, RecommenderName
from whythis.commands.output import (
    REFUSED,
    JsonFlag,
    answer,
    check_parent,
    print_lines,
    progress,
    say,
)

if TYPE_CHECKING:
    from whythis.batch.asked import Input
    from whythis.batch.setup import Opened, Setup

EXAMPLE = "whythis batch demo asked.jsonl answers.parquet --processes 2"


def batch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    asked: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="Parquet or JSON lines with user and item, or user and --top."
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="A folder for the rows, named .parquet or .jsonl; it goes on there."
        ),
    ],
    top: Annotated[
        int | None,
        typer.Option(min=1, help="Explain so many of a user's best, for rows without an item."),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This machine alone, or Ray.")
    ] = "local",
    processes: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    llm: AnyLlm = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    concurrency: Annotated[
        int, typer.Option(min=1, help="Rows that a process asks the endpoint about at once.")
    ] = 1,
    style: Annotated[
        Literal["short", "plain", "detailed"], typer.Option(help="How much to say.")
    ] = "plain",
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds word alike.")] = 0,
    recommender: RecommenderName = None,
    checkers: CheckerNames = None,
    shard_size: Annotated[
        int, typer.Option(min=1, help="Input rows that are kept together in a file.")
    ] = 500,
    as_json: JsonFlag = False,
) -> None:
    """Explain every row of a file; run it again to go on where it was interrupted.

    Exit code 1: a row could not be answered; it says why in its field `error`.
    """
    from whythis.batch import cluster, local
    from whythis.batch.asked import read_asked, survey
    from whythis.batch.setup import Setup, opened
    from whythis.batch.shards import shards

    check_parent("OUT", out)
    setup = Setup(
        folder=folder.absolute(),
        recommender=recommender,
        llm=llm,
        model=model,
        base_url=base_url,
        style=style,
        seed=seed,
        checkers=tuple(checkers or ()),
        top=top,
        concurrency=concurrency,
    )
    known = survey(asked)
    with ExitStack() as stack, ExitStack() as here:
        parts = here.enter_context(opened(setup))
        run = run_of(setup, parts, known, shard_size)
        kept = stack.enter_context(shards(out, run, shard_size))
        tell = stack.enter_context(progress("explained"))
        if kept.first:
            say(f"going on after {min(kept.first, known.rows):,} of {known.rows:,} rows")
        left = read_asked(asked, kept.first)
        if engine == "local" and processes == 1:
            rows = local.answer_with(left, setup, parts)
        else:
            del parts  # each process opens its own
            here.close()
            rows = (cluster if engine == "ray" else local).answered(left, setup, processes)
        kept.keep(rows, lambda row: tell(row + 1, known.rows, ""))
        counts = kept.finish(run)
    if as_json:
        answer({"schema": "whythis/batched/1", "out": str(out), **counts})
    else:
        print_lines(
            f"{counts['rows']:,} rows for {counts['asked']:,} asked in {out}: "
            f"{counts['errors']:,} could not be answered, "
            f"{counts['by_realiser']:,} were answered without the language model, which failed"
        )
    raise typer.Exit(REFUSED if counts["errors"] else 0)


def run_of(setup: Setup, parts: Opened, known: Input, shard_size: int) -> dict[str, Any]:
    """Return what the rows rest on: names and hashes, nothing secret and nothing personal."""
    from whythis.code_hash import code_hash
    from whythis.extending import load

    ws, writer = parts.ws, parts.writer
    prompt = None if writer is None else writer.prompt
    return {
        "model": ws.recommender.hashes["model"],
        "data": ws.recommender.hashes["data"],
        "reviews": None if ws.reviews is None else ws.reviews.fingerprint,
        "refitted models": None if ws.refits is None else list(ws.refits.files),
        "code": code_hash(),
        "language model": None if writer is None else writer.name,
        "prompt": None if prompt is None else prompt.hash,
        "checkers": [load("checker", name).label for name in setup.checkers],
        "style": setup.style,
        "seed": setup.seed,
        "top": setup.top,
        "input": known.hash,
        "shard size": shard_size,
    }
