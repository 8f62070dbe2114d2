"""`whythis replay`: verify saved explanations again, against an artefact of today."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from whythis.commands.explain import opened, run_of
from whythis.commands.output import REFUSED, JsonFlag, answer, check_parent, paint, progress, table
from whythis.recsys.errors import DataError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from whythis.tools.workspace import Workspace

EXAMPLE = "whythis replay answer.json --with demo"
_MARKS = {"holds": "✓", "false": "✗", "unchecked": "?"}
_SHOWN = 20  # explanations of many that are told one by one


def replay(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="What `whythis explain --json` printed, or JSON lines of it; - is standard input.",
        ),
    ],
    folder: Annotated[
        Path, typer.Option("--with", metavar="DIR", help="A fitted recommender, maybe newer.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write the results as JSON lines; goes on where it stopped."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify every sentence of saved explanations again; say which became false and why.

    Exit code 1: something does not hold.
    """
    from whythis.resumable import resumed

    check_parent("--out", out)
    with ExitStack() as stack:
        sources = [(name, stack.enter_context(_opened(name))) for name in files]
        ws = stack.enter_context(opened(folder))
        results = stack.enter_context(resumed(out))
        found, run = [], run_of(ws).encode()
        total = sum(1 for _, file in sources for _ in texts(file))
        with progress("replayed") as tell:
            for name, file in sources:
                for number, text in texts(file):
                    place = _place(name, number)
                    key = sha256(b"\0".join((run, place.encode(), text))).hexdigest()
                    one = results.earlier(key)
                    if one is None:
                        one = {"source": place, **_replayed(text, ws)}
                        results.add(key, one)
                    found.append(one)
                    tell(len(found), total, "")
    summary = summarise(found, folder)
    if as_json:
        answer({**summary, "results": found})
    else:
        paint(*_painted(summary, found))
    raise typer.Exit(0 if found and summary["hold"] == len(found) else REFUSED)


def texts(file: IO[bytes]) -> Iterator[tuple[int | None, bytes]]:
    """Return the JSON texts of a file, from its start: each line, or (None, the whole file).

    A file holds a text a line where its first one ends with a brace. What is longer than may be
    read is cut, so that it is refused.
    """
    from whythis.strict_json import MAX_BYTES

    file.seek(0)
    lines = iter(lambda: _line(file, MAX_BYTES), b"")
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if number == 1 and not text.endswith(b"}"):
            yield None, line + file.read(MAX_BYTES)
            return
        if text:
            yield number, text


def _line(file: IO[bytes], most: int) -> bytes:
    """Return the next line, at most `most` + 1 bytes of it, and pass over the rest."""
    line = more = file.readline(most + 1)
    while more and not more.endswith(b"\n"):
        more = file.readline(most)
    return line


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        with tempfile.SpooledTemporaryFile(max_size=2**26) as spooled:
            shutil.copyfileobj(sys.stdin.buffer, spooled)
            yield spooled
        return
    if not Path(name).is_file():
        raise DataError(f"no file {name}: name what `whythis explain --json` printed")
    with Path(name).open("rb") as file:
        yield file


def _replayed(text: bytes, ws: Workspace) -> dict[str, Any]:
    from whythis.auditing.replay import refusal, replay
    from whythis.strict_json import strict_json

    try:
        return replay(strict_json(text), ws).as_json()
    except DataError as error:
        return refusal(str(error)).as_json()


def _place(name: str, number: int | None) -> str:
    shown = "standard input" if name == "-" else name
    return shown if number is None else f"{shown}:{number}"


def summarise(found: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Return the counts of explanations and sentences by what has become of them."""
    outcomes = [s["outcome"] for one in found for s in one["sentences"]]
    return {
        "schema": "whythis/replays/1",
        "with": str(folder),
        "explanations": len(found),
        "hold": sum(one["holds"] for one in found),
        "refused": sum(one["refused"] is not None for one in found),
        "same_run": sum(one["same"] for one in found),
        "sentences": len(outcomes),
        **{f"sentences_{name}": outcomes.count(name) for name in _MARKS},
    }


def _painted(summary: dict[str, Any], found: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    from rich.text import Text

    from whythis.text.wording import clean, count

    told = found if len(found) == 1 else [one for one in found if not one["holds"]]
    for one in told[:_SHOWN]:
        run = "this model and data" if one["same"] else "another model or other data"
        of = f"user {one['user']}, item {one['item']}, made with {run}" if one["user"] else ""
        yield Text(clean(f"{one['source']}  {of}"), "bold")
        if one["refused"] is not None:
            yield Text(clean(f"✗ refused as a whole: {one['refused']}"), "red")
        shown = [*one["sentences"], *([one["tastes"]] if one["tastes"] else [])]
        if shown:
            rows = [(_MARKS[s["outcome"]], s["text"], s["reason"]) for s in shown]
            yield table([("", "sentence", "what became of it"), *rows])
        yield Text()
    if len(told) > _SHOWN:
        yield Text(f"and {count(len(told) - _SHOWN, 'explanation')} more that do not hold")
    yield Text(
        f"{summary['hold']:,} of {count(summary['explanations'], 'explanation')} hold, "
        f"{summary['refused']:,} refused; of {count(summary['sentences'], 'sentence')} "
        f"{summary['sentences_holds']:,} hold, {summary['sentences_false']:,} false, "
        f"{summary['sentences_unchecked']:,} unchecked"
    )
