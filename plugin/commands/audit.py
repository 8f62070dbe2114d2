"""`whythis audit`: judge an explanation that anyone wrote, sentence by sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whythis.commands.explain import BaseUrl, Llm, Model, opened, run_of
from whythis.commands.output import (
    REFUSED,
    JsonFlag,
    answer,
    check_parent,
    paint,
    progress,
    say,
    table,
)
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from whythis.auditing import Auditor, Reader

EXAMPLE = 'whythis audit demo --user 42 --item "Mrs. Doubtfire (1993)" --text "It ranks 1st."'
_MARKS = {"supported": "✓", "refuted": "✗", "uncheckable": "?"}
_FIELDS = ("user", "item", "text")
_LINE = 1_000_000
_SHOWN = 20  # texts of many that are told one by one


def audit(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The fitted recommender that is spoken about.")
    ],
    user: Annotated[str | None, typer.Option(help="The user's id.")] = None,
    item: Annotated[str | None, typer.Option(help="The item's id, or its title in full.")] = None,
    text: Annotated[
        str | None, typer.Option(help="The explanation; - reads it from standard input.")
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON lines with user, item and text; - is standard input."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write the results as JSON lines; goes on where it stopped."
        ),
    ] = None,
    llm: Annotated[
        Llm,
        typer.Option(help="Who restates what cannot be read; it can refute, never support."),
    ] = "none",
    model: Model = None,
    base_url: BaseUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge each sentence of an explanation: supported, refuted, or not to be checked.

    Exit code 1: a sentence is not supported.
    """
    check_parent("--out", out)
    from whythis.auditing import Auditor
    from whythis.resumable import resumed

    asked = list(_asked(user, item, text, batch))
    with ExitStack() as stack:
        ws = stack.enter_context(opened(folder))
        auditor = Auditor(ws, _reader(llm, model, base_url))
        results = stack.enter_context(resumed(out))
        found, run = [], _run(auditor)
        with progress("audited") as tell:
            for number, one in enumerate(asked, 1):
                key = sha256(
                    "\0".join((run, *(one[name] for name in _FIELDS))).encode()
                ).hexdigest()
                done = results.earlier(key)
                if done is None:
                    done = _audited(one, auditor)
                    results.add(key, done)
                found.append(done)
                tell(number, len(asked), "")
    summary = summarise(found)
    if as_json:
        answer(found[0] if batch is None else {**summary, "results": found})
    else:
        paint(*_painted(summary, found))
    raise typer.Exit(0 if found and summary["supported"] == summary["sentences"] > 0 else REFUSED)


def _asked(
    user: str | None, item: str | None, text: str | None, batch: Path | None
) -> Iterator[dict[str, str]]:
    if batch is None:
        if user is None or item is None or text is None:
            raise DataError("nothing to audit: give --user, --item and --text, or --batch FILE")
        said = sys.stdin.read() if text == "-" else text
        if not said.strip():
            raise DataError("--text is empty: give the explanation to audit")
        yield {"user": user, "item": item, "text": said}
        return
    if user is not None or item is not None or text is not None:
        raise DataError("--batch names user, item and text in its lines: leave these options out")
    if str(batch) != "-" and not batch.is_file():
        raise DataError(f"no file {batch}: give JSON lines with user, item and text")
    from whythis.strict_json import strict_json

    lines = sys.stdin if str(batch) == "-" else batch.open(encoding="utf-8")
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{batch}:{number}"
            if len(line) > _LINE:
                raise DataError(f"{where}: a line of {len(line):,} characters; at most {_LINE:,}")
            try:
                one = strict_json(line.encode("utf-8", "replace"))
            except DataError as error:
                raise DataError(f"{where}: {error}") from error
            if not isinstance(one, dict) or any(not isinstance(one.get(f), str) for f in _FIELDS):
                raise DataError(f"{where}: needs the texts user, item and text")
            yield {name: one[name] for name in _FIELDS}


def _reader(llm: Llm, model: str | None, base_url: str | None) -> Reader | None:
    if llm == "none":
        if model is not None or base_url is not None:
            raise DataError("--model and --base-url need --llm local or --llm openai")
        return None
    from whythis.auditing.reader import ModelReader
    from whythis.writers.agent import open_writer

    writer = open_writer(llm, model=model, base_url=base_url)
    say(f"asking {writer.name}")
    return ModelReader(writer.model, writer.name)


def _run(auditor: Auditor) -> str:
    reader = auditor.reader.name if auditor.reader else ""
    return f"{run_of(auditor.ws)} {reader}"


def _audited(one: dict[str, str], auditor: Auditor) -> dict[str, Any]:
    rec = auditor.ws.recommender
    item = rec.item_ids.resolve(one["item"])
    return auditor.audit(one["text"], user=one["user"], item=item).as_json()


def summarise(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of texts and of sentences by verdict."""
    verdicts = [s["verdict"] for one in found for s in one["sentences"]]
    return {
        "schema": "whythis/audits/1",
        "texts": len(found),
        "sentences": len(verdicts),
        **{name: verdicts.count(name) for name in _MARKS},
    }


def _painted(summary: dict[str, Any], found: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    from rich.text import Text

    from whythis.text.wording import clean, count

    told = found if len(found) == 1 else [one for one in found if not _holds(one)]
    for one in told[:_SHOWN]:
        yield Text(clean(f"{one['title']}, for user {one['user']}"), "bold")
        rows = [
            (_MARKS[s["verdict"]], str(clean(s["text"])), str(clean(s["reason"])))
            for s in one["sentences"]
        ]
        if rows:
            yield table([("", "sentence", "why"), *rows])
        yield Text()
    if len(told) > _SHOWN:
        yield Text(f"and {count(len(told) - _SHOWN, 'text')} more with such sentences")
    yield Text(
        f"of {count(summary['sentences'], 'sentence')} {summary['supported']:,} supported, "
        f"{summary['refuted']:,} refuted, {summary['uncheckable']:,} not to be checked"
    )


def _holds(one: dict[str, Any]) -> bool:
    return all(s["verdict"] == "supported" for s in one["sentences"])
