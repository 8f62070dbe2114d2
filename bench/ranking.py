"""Rank the held-out item of every user with any scorer, and say what its lists are like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from whythis.recsys.kernels import Indices, events_matrix
from whythis.recsys.metrics import Ranks, discounts, hit_rate, ndcg, rank_of

Floats = npt.NDArray[np.floating]

Scores = Callable[[Indices, Sequence[Indices]], Floats]
"""Score all n items for B users, given their row numbers and their histories: B x n, more is more.

Row numbers are those of the users in the training sequences; a scorer that knows a user by the
history alone does not read them."""

LIST = 10
"""Length of the list that coverage and diversity look at."""

_BATCH = 256
_RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Ranked:
    """Hold what one ranker did: per user, and over the catalogue.

    ranks: of each user's held-out item among all items outside the history, 1 = best.
    diversity: of each user's list, 0..2, NaN where the list has fewer than two items.
    coverage: share of the catalogue that is in the list of at least one user, 0..1.
    """

    ranks: Ranks
    diversity: npt.NDArray[np.float64]
    coverage: float

    def figures(self) -> dict[str, float]:
        """Return the means over users; NaN for the diversity where no list has two items.

        With one held-out item a user, recall@20 is the share of users whose item is in the top 20.
        """
        known = self.diversity[~np.isnan(self.diversity)]
        return {
            "hr@10": hit_rate(self.ranks),
            "ndcg@10": ndcg(self.ranks),
            "recall@20": hit_rate(self.ranks, 20),
            "coverage@10": self.coverage,
            "diversity@10": float(known.mean()) if len(known) else float("nan"),
        }


def rank(
    scores: Scores,
    histories: Sequence[Indices],
    targets: Sequence[int],
    train: Sequence[Indices],
    n_items: int,
) -> Ranked:
    """Rank all items outside each history, in one pass over the users.

    histories: item indices, oldest first; targets: the item that followed each; train: the training
    sequences, from which diversity takes its view of the items whatever the ranker: the diversity
    of a list is the mean of 1 - cos(x_i, x_j) over its pairs of items, x_i being the training users
    of item i as a 0/1 vector (an item without any has cosine 0 to all).
    """
    columns = _unit_columns(events_matrix(train, n_items))
    shown = np.zeros(n_items, dtype=bool)
    ranks: list[int] = []
    diversity: list[npt.NDArray[np.float64]] = []
    for start, rows in _batches(scores, histories):
        part = histories[start : start + _BATCH]
        ranks += [rank_of(s, t, h) for s, t, h in zip(rows, targets[start:], part, strict=False)]
        lists = [top(s, h) for s, h in zip(rows, part, strict=True)]
        shown[np.concatenate(lists)] = True
        diversity.append(_diversity(lists, columns))
    return Ranked(
        ranks=np.asarray(ranks, dtype=np.int64),
        diversity=np.concatenate(diversity) if diversity else np.zeros(0),
        coverage=float(shown.mean()) if n_items else 0.0,
    )


def held_out_ranks(scores: Scores, histories: Sequence[Indices], targets: Sequence[int]) -> Ranks:
    """Return the rank of each target among all items outside its history (1 = best)."""
    ranks: list[int] = []
    for start, rows in _batches(scores, histories):
        part = zip(rows, targets[start:], histories[start:], strict=False)
        ranks += [rank_of(s, t, h) for s, t, h in part]
    return np.asarray(ranks, dtype=np.int64)


def top(scores: Floats, hidden: Indices, length: int = LIST) -> Indices:
    """Return the best items not in `hidden`, best first; ties go by item index, NaN goes last.

    Fewer than `length` where fewer items are left.
    """
    free = np.ones(len(scores), dtype=bool)
    free[hidden] = False
    items = np.flatnonzero(free)
    values = np.where(np.isnan(scores[items]), -np.inf, scores[items])
    if len(items) > length:
        near = values >= np.partition(values, -length)[-length]
        items, values = items[near], values[near]
    return items[np.argsort(-values, kind="stable")][:length]


def gains(ranks: Ranks) -> npt.NDArray[np.float64]:
    """Return each user's NDCG@10: 1/log2(1 + rank) within the first 10, else 0."""
    return np.where(ranks <= LIST, discounts(ranks), 0.0)


def interval(differences: npt.NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of per-user differences.

    Paired: each of 2,000 resamples draws users, and both sides of a difference come with the user.

    Raises:
        ValueError: there are no users.
    """
    users = len(differences)
    if not users:
        raise ValueError("no users to draw from; give at least one difference")
    rng = np.random.default_rng(seed)
    # One resample at a time: 2,000 x users at once would be gigabytes.
    means = [differences[rng.integers(0, users, users)].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _batches(scores: Scores, histories: Sequence[Indices]) -> Iterator[tuple[int, Floats]]:
    for start in range(0, len(histories), _BATCH):
        part = histories[start : start + _BATCH]
        yield start, scores(np.arange(start, start + len(part)), part)


def _unit_columns(events: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return items x users, each item's row of unit length (or empty)."""
    columns = events.T.tocsr()
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(1)).ravel())
    return sparse.csr_matrix(sparse.diags_array(1.0 / np.where(norms > 0, norms, 1.0)) @ columns)


def _diversity(lists: Sequence[Indices], columns: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    chosen = events_matrix(lists, columns.shape[0])
    lengths = np.asarray(chosen.sum(1)).ravel()
    # ||sum of x||^2 = sum of ||x||^2 + sum over ordered pairs of x_i . x_j: no pair is formed.
    summed = chosen @ columns
    whole = np.asarray(summed.multiply(summed).sum(1)).ravel()
    alone = chosen @ np.asarray(columns.multiply(columns).sum(1)).ravel()
    pairs = np.where(lengths > 1, lengths * (lengths - 1), np.nan)
    return np.asarray(1.0 - (whole - alone) / pairs, dtype=np.float64)
