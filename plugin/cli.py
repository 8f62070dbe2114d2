"""The command line: `whythis COMMAND ...`; every command stands in a module of its own."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from whythis.commands import (
    ask,
    assets,
    audit,
    batch,
    bench,
    chat,
    demo,
    explain,
    fit,
    forget,
    index,
    keys,
    mcp,
    memory,
    recommend,
    refit,
    replay,
    serve,
)
from whythis.commands.output import Guarded

_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    cls=Guarded,
    help=(
        'Answer "why this?" about a recommendation with sentences whose every claim was executed '
        "and checked. Exit codes: 0 done, 1 refused or refuted, 2 bad input, 130 interrupted."
    ),
    epilog="Begin with: whythis demo",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=_SETTINGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"whythis {version('whythis')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""


app.add_typer(assets.commands("data"), name="data")
app.add_typer(assets.commands("model"), name="models")
app.command(epilog="Example: " + fit.EXAMPLE)(fit.fit)
app.command(epilog="Example: whythis index demo --reviews reviews.jsonl")(index.index)
app.command(epilog="Example: " + forget.EXAMPLE)(forget.forget)
app.command(epilog="Example: whythis refit demo --models 20")(refit.refit)
app.command(epilog="Example: whythis recommend demo --user 42 -n 5")(recommend.recommend)
app.command(epilog="Example: " + explain.EXAMPLE)(explain.explain)
app.command(epilog="Example: " + ask.EXAMPLE)(ask.ask)
app.command(epilog="Example: " + chat.EXAMPLE)(chat.chat)
app.command(epilog="Example: " + batch.EXAMPLE)(batch.batch)
app.command(epilog="Example: " + memory.EXAMPLE)(memory.memory)
app.command(epilog="Example: " + audit.EXAMPLE)(audit.audit)
app.command(epilog="Example: " + replay.EXAMPLE)(replay.replay)
app.command(epilog="Example: " + serve.EXAMPLE)(serve.serve)
app.command(epilog="Example: " + keys.EXAMPLE)(keys.keys)
app.command(epilog="Example: " + mcp.EXAMPLE)(mcp.mcp)
app.command(epilog="Example: whythis demo --llm none --users 42,200")(demo.demo)
app.command(
    epilog="Example: whythis bench accuracy --quick",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)(bench.bench)


def main() -> None:
    """Run the command line and exit."""
    # Titles and paths may hold what the terminal's encoding lacks: show that, do not fail.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="whythis")
