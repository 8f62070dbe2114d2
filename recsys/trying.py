"""Rank the validation items of some users under many scores at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import logsumexp

from whythis.recsys.kernels import Indices, recency_matrix
from whythis.recsys.metrics import discounted_rank, ranks_of

Floats = npt.NDArray[np.float64]
Validation = tuple[Sequence[Indices], Sequence[int]]
"""Histories, and the item that followed each."""

TRIED_USERS = 4_000
"""Users that a choice is made by, at most."""

_CELLS = 80_000_000  # users times items that a choice is made by, at most
_BLOCK = 5_000_000  # users times items scored at a time


def rows_at_once(n_items: int) -> int:
    """Return how many users' scores of all items are held at once."""
    return min(256, max(64, _BLOCK // n_items))


def tried_users(n_items: int) -> int:
    """Return how many users a choice is made by, at most: fewer where the catalogue is large."""
    return min(TRIED_USERS, max(1_000, _CELLS // n_items))


def sample(validation: Validation, limit: int, seed: int) -> Validation:
    """Return at most `limit` of the validation users, drawn once for all."""
    histories, targets = validation
    if len(histories) <= limit:
        return histories, targets
    drawn = np.random.default_rng(seed).choice(len(histories), limit, replace=False)
    picked = sorted(drawn.tolist())
    return [histories[i] for i in picked], [targets[i] for i in picked]


class Tried:
    """Rank the validation items of some users under many scores."""

    def __init__(self, validation: Validation, n_items: int, window: int, seed: int) -> None:
        self.seen, targets = sample(validation, tried_users(n_items), seed)
        self.histories = [h[-window:] for h in self.seen]
        self.targets = np.asarray(targets, dtype=np.int64)
        self.n_items = n_items

    @property
    def first(self) -> slice:
        """Return the first users, as many as are scored at a time."""
        return slice(0, rows_at_once(self.n_items))

    def recent(self, rows: slice, forgetting: float) -> sparse.csr_matrix:
        """Return the histories as a matrix of weights by recency."""
        return recency_matrix(self.histories[rows], self.n_items, forgetting)

    def blocks(self) -> Iterator[slice]:
        """Yield the users, some at a time."""
        rows = rows_at_once(self.n_items)
        for start in range(0, len(self.histories), rows):
            yield slice(start, start + rows)

    def values(self, candidates: Callable[[slice], Iterator[Floats]]) -> list[float]:
        """Return the mean of 1/log2(1 + rank) for each of the candidates' scores."""
        found = [
            [ranks_of(scores, self.targets[rows], self.seen[rows]) for scores in candidates(rows)]
            for rows in self.blocks()
        ]
        return [discounted_rank(np.concatenate(ranks)) for ranks in zip(*found, strict=True)]

    def scale(self, scores: Floats) -> float:
        """Return the factor under which the first users' items are likeliest.

        Likelihood is a softmax over the items outside the history.
        """
        targets = self.targets[: len(scores)]
        scores = scores.copy()
        for row, seen in enumerate(self.seen[: len(scores)]):
            scores[row, np.setdiff1d(seen, targets[row])] = -np.inf
        mine = scores[np.arange(len(scores)), targets]

        def loss(factor: float) -> float:
            return float(np.mean(logsumexp(factor * scores, axis=1) - factor * mine))

        factors = np.geomspace(0.1, 10.0, 41) / spread_of(scores[np.isfinite(scores)])
        return float(min(factors, key=loss))


def spread_of(scores: Floats) -> float:
    """Return the standard deviation; 1 where there is none."""
    return float(scores.std()) or 1.0
