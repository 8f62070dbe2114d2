"""`whythis explain`: say why an item stands where it does, with the proof of every sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from whythis.commands.output import (
    REFUSED,
    JsonFlag,
    answer,
    check_parent,
    columns,
    one_thread,
    paint,
    say,
)
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from whythis.explanation import Explanation
    from whythis.tools.workspace import Workspace
    from whythis.writers.opinion import Opinion
    from whythis.writers.writer import Writer

Llm = Literal["none", "local", "openai"]
Model = Annotated[
    str | None, typer.Option(help="Name of the model, or a GGUF file for --llm local.")
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Endpoint for --llm openai.")
]
AnyLlm = Annotated[
    str,
    typer.Option(
        metavar="none|local|openai|NAME",
        help="Who words the answer: code alone, a model here, an OpenAI API, or one of another "
        "package.",
    ),
]
RecommenderName = Annotated[
    str | None,
    typer.Option(
        "--recommender",
        metavar="NAME",
        help="Explain another package's recommender over the data in DIR.",
    ),
]
CheckerNames = Annotated[
    list[str] | None,
    typer.Option(
        "--checker",
        metavar="NAME",
        help="Let another package's checker refuse sentences; may be repeated.",
    ),
]
EXAMPLE = 'whythis explain demo --user 42 --item "Mrs. Doubtfire (1993)" --llm local'


def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    item: Annotated[str, typer.Option(help="The item's id, or its title in full.")],
    llm: AnyLlm = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    style: Annotated[
        Literal["short", "plain", "detailed"], typer.Option(help="How much to say.")
    ] = "plain",
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds word alike.")] = 0,
    second_opinion: Annotated[
        bool,
        typer.Option(
            "--second-opinion", help="Let the local model veto sentences that it doubts; slower."
        ),
    ] = False,
    recommender: RecommenderName = None,
    checkers: CheckerNames = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a web page.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Explain why an unseen item is recommended; every claim is executed again and checked.

    Exit code 1: nothing could be said that holds.
    """
    check_parent("--html", html)
    if second_opinion and llm != "local":
        raise DataError("--second-opinion needs --llm local")
    from whythis.explain import explain as explain_item
    from whythis.extending import checker
    from whythis.surfaces import terminal

    vetoes = tuple(checker(name) for name in checkers or ())
    with opened(folder, recommender) as ws:
        id_ = ws.recommender.item_ids.resolve(item)
        ws.recommender.candidate(user, id_)  # before a model is loaded for nothing
        chosen = writer(llm, model, base_url, seed)
        if chosen is not None:
            say(f"asking {chosen.name}")
        found = explain_item(
            ws,
            user,
            id_,
            writer=chosen,
            style=style,
            seed=seed,
            second_opinion=_opinion(chosen) if second_opinion else None,
            vetoes=vetoes,
        )
    if html is not None:
        from whythis.surfaces.report import report, write_report

        write_report(html, report([found], title=found.question))
        say(f"page: {html}")
    if found.llm_error is not None:
        say(f"the built-in realiser answered: {found.llm_error}")
    if as_json:
        answer(found.as_json())
    else:
        paint(terminal.render(found, width=columns()))
    raise typer.Exit(exit_code(found))


def exit_code(found: Explanation) -> int:
    """Return 0 where something was said and every claim of it held, else 1."""
    held = all(verdict.outcome == "verified" for verdict in found.verdicts.values())
    return 0 if found.sentences and held else REFUSED


def writer(llm: str, model: str | None, base_url: str | None, seed: int) -> Writer | None:
    """Open who words the answers; None is the built-in realiser.

    Raises as `whythis.extending.open_any_writer`.
    """
    from whythis.extending import open_any_writer

    return open_any_writer(llm, model=model, base_url=base_url, seed=seed)


def _opinion(writer: Writer | None) -> Opinion | None:
    from whythis.writers.agent import AgentWriter

    return writer.opinion() if isinstance(writer, AgentWriter) else None


@contextmanager
def opened(folder: Path, recommender: str | None = None) -> Iterator[Workspace]:
    """Open an artefact and its review index, and release the index's files in the end.

    recommender: the name of another package's, to stand in the artefact's place.
    """
    from whythis.extending import recommended_by
    from whythis.tools.workspace import open_workspace

    one_thread()
    ws = open_workspace(folder)
    try:
        yield ws if recommender is None else recommended_by(ws, recommender)
    finally:
        if ws.reviews is not None:
            ws.reviews.close()


def run_of(ws: Workspace) -> str:
    """Return what a result rests on beside what was asked: model, data, reviews and code."""
    from whythis.code_hash import code_hash

    hashes = ws.recommender.hashes
    reviews = "" if ws.reviews is None else ws.reviews.fingerprint
    return f"{hashes['model']} {hashes['data']} {reviews} {code_hash()}"
