"""Print for people and for programs: answers on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from whythis.recsys.errors import DataError, WhyThisError
from whythis.strict_json import shown_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Tell = Callable[[int, int, str], None]
"""Called with (done, total, a note)."""

INTERRUPTED, BAD_INPUT, REFUSED = 130, 2, 1
WIDTH = 88  # columns; longer lines of prose are hard to read

_JSON = "whythis.json"
_NOTES = 20  # lines that a whole progress may take in a log


def _remember(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[_JSON] = value
    return value


JsonFlag = Annotated[
    bool,
    typer.Option(
        "--json", callback=_remember, help="Print JSON and nothing else on standard output."
    ),
]


class Guarded(TyperGroup):
    """Run a command; what goes wrong on purpose becomes one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command and exit with 2 on bad input, with 130 when interrupted."""
        try:
            return super().invoke(ctx)
        except WhyThisError as error:
            what = str(error)
        except BrokenPipeError:  # whoever reads has enough: not an error
            raise
        except OSError as error:
            place = f": {error.filename}" if error.filename else ""
            what = f"{error.strerror or error}{place}; check the path and the free space"
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        if ctx.meta.get(_JSON):
            print(json.dumps({"error": one_line(what)}), file=sys.stderr)
        else:
            say(f"error: {what}")
        raise typer.Exit(BAD_INPUT) from None


def one_line(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    spaced = (" " if c.isspace() else c for c in text)
    return "".join(c if c.isprintable() else "\ufffd" for c in spaced)


def check_parent(option: str, file: Path | None) -> None:
    """Refuse a file that is to be written to a folder that is not there."""
    if file is not None and not file.absolute().parent.is_dir():
        raise DataError(f"{option} {file}: there is no folder {file.parent}; make it first")


def say(line: str) -> None:
    """Tell a person one line."""
    print(one_line(line), file=sys.stderr, flush=True)


def one_thread() -> None:
    """Let torch compute in one thread: the matrices are small, and waiting for others is slow."""
    import torch

    torch.set_num_threads(1)


def answer(data: object) -> None:
    """Print JSON as the answer of a command; what a terminal would obey is written as escapes."""
    print(shown_json(data, indent=2))


def print_lines(*lines: str) -> None:
    """Print lines that stay whole however narrow the terminal, as the answer of a command."""
    for line in lines:
        print(one_line(line))


def paint(*blocks: RenderableType) -> None:
    """Print blocks, no text in them read as markup, as the answer of a command."""
    console = _console(stderr=False)
    for block in blocks:
        console.print(block)


def columns() -> int:
    """Return how wide an answer may be: the terminal's columns, at most `WIDTH`."""
    return min(_console(stderr=False).width, WIDTH)


def table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> RenderableType:
    """Return a table without a frame: the first row is the head, `right` are numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    head, *body = rows
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for n, name in enumerate(head):
        grid.add_column(Text(name), justify="right" if n in right else "left", overflow="fold")
    for row in body:
        grid.add_row(*(Text(one_line(cell)) for cell in row))
    return grid


@contextmanager
def progress(label: str) -> Iterator[Tell]:
    """Show how far something is: a bar in a terminal, now and then a line elsewhere."""
    console = _console(stderr=True)
    if not console.is_terminal:
        said: set[int] = set()

        def line(done: int, total: int, note: str) -> None:
            part = _NOTES * done // max(1, total)
            if part not in said:
                said.add(part)
                say(f"{label}: {done} of {total}" + (f", {note}" if note else ""))

        yield line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (
        TextColumn(label, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    # No thread that repaints: it would take the interpreter from what is waited for.
    with Progress(*parts, console=console, auto_refresh=False) as bar:
        task = bar.add_task("", total=None, note="")
        yield lambda done, total, note: bar.update(
            task, completed=done, total=total, note=note, refresh=True
        )


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)
