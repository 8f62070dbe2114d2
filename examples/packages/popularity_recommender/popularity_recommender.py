"""Recommend what is popular among the people who share likes with you."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from whythis.recsys.interactions import Dataset


def open_recommender(data: Dataset, shared: str = "1") -> Callable[[Sequence[str]], list[int]]:
    """Return scores by the likes of those who share at least so many likes with a history."""
    items = data.items["item"].tolist()
    fans = [set(liked) for _, liked in data.liked.groupby("user")["item"]]
    least = int(shared)

    def scores(history: Sequence[str]) -> list[int]:
        past = set(history)
        near = [liked for liked in fans if len(liked & past) >= least] or fans
        likes = Counter(item for liked in near for item in liked)
        return [likes[item] for item in items]

    return scores
