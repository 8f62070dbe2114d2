"""Count what the data say of an item: ratings, likes, and its place among all items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whythis.recsys.scorer import Scorer


@dataclass(frozen=True)
class ItemFacts:
    """Hold an item's mean rating (None without ratings), their number, likes, and place by likes.

    `best` is the highest rating anywhere in the data, the top of the scale people used.
    """

    mean: float | None
    ratings: int
    best: float | None
    liked: int
    place: int
    of: int


def item_facts(rec: Scorer, item: str) -> ItemFacts:
    """Count over all interactions; ties in likes share the better place."""
    index = rec.item_ids.index(item)
    ratings = rec.interactions["rating"][rec.rows == index].dropna()
    counts = rec.likes
    best = rec.interactions["rating"].max()
    return ItemFacts(
        mean=float(ratings.mean()) if len(ratings) else None,
        ratings=len(ratings),
        best=None if np.isnan(best) else float(best),
        liked=int(counts[index]),
        place=1 + int((counts > counts[index]).sum()),
        of=len(counts),
    )
