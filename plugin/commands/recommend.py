"""`whythis recommend`: rank what a user has not seen."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whythis.commands.explain import RecommenderName, opened
from whythis.commands.output import JsonFlag, answer, one_thread, paint, table

if TYPE_CHECKING:
    from whythis.recsys.scorer import Scorer


def recommend(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A fitted recommender.")],
    user: Annotated[str, typer.Option(help="The user's id.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 10,
    recommender: RecommenderName = None,
    as_json: JsonFlag = False,
) -> None:
    """List the unseen items that rank highest for a user, with their scores."""
    from whythis.tools.memory.corrected import load_corrected

    one_thread()
    if recommender is None:
        rec: Scorer = load_corrected(folder)
        ranked = rec.recommend(user, number)
    else:
        with opened(folder, recommender) as ws:
            rec = ws.recommender
            ranked = rec.recommend(user, number)
    if as_json:
        answer(
            {
                "schema": "whythis/recommendations/1",
                "user": user,
                "model_hash": rec.hashes["model"],
                "data_hash": rec.hashes["data"],
                "recommendations": [asdict(one) for one in ranked],
            }
        )
        return
    rows = [("rank", "score", "item", "title")]
    rows += [(str(one.rank), f"{one.score:.3f}", one.item, one.title) for one in ranked]
    paint(table(rows, right=(0, 1)))
