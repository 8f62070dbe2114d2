"""`whythis refit`: fit the model again on resampled users, so that effects have intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.output import JsonFlag, answer, one_thread, print_lines, progress


def refit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    models: Annotated[
        int, typer.Option("--models", min=10, max=999, help="How many models to fit again.")
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Fit again on resampled users: answers then say what cannot be told from no effect.

    Goes on where it stopped. The models lie in DIR/refits; delete that folder to be without them.
    """
    from whythis.recsys.refits import FOLDER, refit

    one_thread()
    with progress("models") as tell:
        there, made = refit(folder, models, seed, lambda done, of: tell(done, of, ""))
    summary = {"schema": "whythis/refit/1", "models": there, "made": made, "seed": seed}
    if as_json:
        answer(summary)
    else:
        print_lines(f"{there} models in {folder / FOLDER}, {made} of them made now")
