"""`whythis recommend`: rank what a user has not seen."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whythis.commands.output import JsonFlag, answer, one_thread, paint, table


def recommend(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 10,
    as_json: JsonFlag = False,
) -> None:
    """List the unseen items that rank highest for a user, with their scores."""
    from whythis.tools.memory.corrected import load_corrected

    one_thread()
    recommender = load_corrected(folder)
    ranked = recommender.recommend(user, number)
    if as_json:
        answer(
            {
                "schema": "whythis/recommendations/1",
                "user": user,
                "model_hash": recommender.hashes["model"],
                "data_hash": recommender.hashes["data"],
                "recommendations": [asdict(one) for one in ranked],
            }
        )
        return
    rows = [("rank", "score", "item", "title")]
    rows += [(str(one.rank), f"{one.score:.3f}", one.item, one.title) for one in ranked]
    paint(table(rows, right=(0, 1)))
