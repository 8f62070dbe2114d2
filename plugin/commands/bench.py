"""`whythis bench`: list the benchmarks, or hand the command line on to one of them."""

from __future__ import annotations

import ast
import importlib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.output import JsonFlag, answer, paint, table
from whythis.recsys.errors import UnknownIdError

_PACKAGE = "whythis.bench"


def bench(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Absent: list the benchmarks.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a benchmark; what follows NAME is for it. Exit code 1: it missed a target."""
    known = benchmarks()
    if name is None and as_json:
        answer([{"name": name, "about": about} for name, about in known.items()])
    elif name is None:
        paint(table([("name", "what it measures"), *known.items()]))
    elif name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
        raise UnknownIdError(
            f"no benchmark is called {name!r}; there is {', '.join(near) or 'none'}"
        )
    else:
        raise typer.Exit(int(importlib.import_module(f"{_PACKAGE}.{name}").main(ctx.args)))


def benchmarks() -> dict[str, str]:
    """Return each module of the bench that has a `main`, with its first line; none is run."""
    folders = importlib.import_module(_PACKAGE).__path__
    found = {}
    for path in sorted(path for folder in folders for path in Path(folder).glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found
