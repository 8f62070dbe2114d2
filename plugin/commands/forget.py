"""`whythis forget`: take a user out of an artefact, down to the bytes of its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.output import JsonFlag, answer, print_lines, progress, say

EXAMPLE = "whythis forget demo --user 42 --dry-run"


def forget(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    item: Annotated[
        str | None, typer.Option(help="Forget only what the user did with this item.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go, change nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a user's interactions, reviews and corrections; run it again if it was stopped.

    What the model learned from them stays in its weights until it is fitted again.
    """
    from whythis.tools.forgetting import forget as forget_user

    with progress("sentences kept") as tell:
        found = forget_user(
            folder, user, item, dry_run=dry_run, progress=lambda n, of: tell(n, of, "")
        )
    if as_json:
        answer({"schema": "whythis/forget/1", "dry_run": dry_run, **found.model_dump(mode="json")})
        return
    counts = ("interactions", "reviews", "sentences", "corrections", "refits")
    print_lines(
        "would be deleted:" if dry_run else "deleted:",
        *(f"{name:<14}{getattr(found, name)}" for name in counts),
    )
    for line in found.left:
        say(f"not undone: {line}")
