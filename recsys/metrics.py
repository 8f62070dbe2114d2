"""Measure rankings: the rank of one held-out item per user, over the whole catalogue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ranks = npt.NDArray[np.int64]


def hit_rate(ranks: Ranks, cutoff: int = 10) -> float:
    """Return the share of users whose held-out item ranks within `cutoff` (1 = best rank)."""
    return float(np.mean(ranks <= cutoff)) if len(ranks) else 0.0


def ndcg(ranks: Ranks, cutoff: int = 10) -> float:
    """Return mean 1/log2(1 + rank) within `cutoff`, else 0: NDCG with one relevant item."""
    if not len(ranks):
        return 0.0
    return float(np.mean(np.where(ranks <= cutoff, 1.0 / np.log2(1.0 + ranks), 0.0)))


def rank_of(scores: npt.NDArray[np.floating], target: int, hidden: npt.NDArray[np.int64]) -> int:
    """Return the rank (1 = best) of `target` among items not in `hidden`; ties go by item index.

    NaN never wins: such a target is behind all, and every target is behind such an item.
    """
    mine = scores[target]
    ahead = ~(scores <= mine)
    ahead[:target] |= scores[:target] == mine
    ahead[hidden] = False
    ahead[target] = False
    return 1 + int(ahead.sum())
