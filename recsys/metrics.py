"""Measure rankings: the rank of one held-out item per user, over the whole catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ranks = npt.NDArray[np.int64]


def hit_rate(ranks: Ranks, cutoff: int = 10) -> float:
    """Return the share of users whose held-out item ranks within `cutoff` (1 = best rank)."""
    return float(np.mean(ranks <= cutoff)) if len(ranks) else 0.0


def discounts(ranks: Ranks) -> npt.NDArray[np.float64]:
    """Return 1/log2(1 + rank) of each rank: 1 at the top, towards 0 far below."""
    return np.asarray(1.0 / np.log2(1.0 + ranks), dtype=np.float64)


def ndcg(ranks: Ranks, cutoff: int = 10) -> float:
    """Return mean 1/log2(1 + rank) within `cutoff`, else 0: NDCG with one relevant item."""
    if not len(ranks):
        return 0.0
    return float(np.mean(np.where(ranks <= cutoff, discounts(ranks), 0.0)))


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


def ranks_of(
    scores: npt.NDArray[np.floating],
    targets: npt.NDArray[np.int64],
    hidden: Sequence[npt.NDArray[np.int64]],
) -> Ranks:
    """Return `rank_of` for every row of `scores` (B x n), without NaN; B ranks."""
    rows = np.arange(len(targets))
    mine = scores[rows, targets][:, None]
    ahead = scores > mine
    ties = scores == mine
    ahead |= ties & (np.arange(scores.shape[1]) < targets[:, None])
    for row, items in enumerate(hidden):
        ahead[row, items] = False
    ahead[rows, targets] = False
    return np.asarray(1 + ahead.sum(1), dtype=np.int64)


def discounted_rank(ranks: Ranks) -> float:
    """Return mean 1/log2(1 + rank): NDCG without a cutoff, which choices are made by.

    Every rank counts, so that a few users near the cutoff do not decide.
    """
    return float(np.mean(discounts(ranks))) if len(ranks) else 0.0
