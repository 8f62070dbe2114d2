"""Count what the data say of an item: ratings, likes, and its place among all items."""

from __future__ import annotations

from dataclasses import dataclass

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
    likes, ratings = rec.likes, rec.ratings
    count = int(ratings.counts[index])
    return ItemFacts(
        mean=float(ratings.sums[index]) / count if count else None,
        ratings=count,
        best=ratings.highest,
        liked=int(likes[index]),
        place=1 + int((likes > likes[index]).sum()),
        of=len(likes),
    )
