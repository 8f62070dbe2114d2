"""Find item-item weights in closed form: which items are liked together, and which comes next.

Both are ridge regressions over the catalogue, solved exactly up to `DENSE_LIMIT` items. Beyond it,
`whythis.recsys.neighbourhood` solves the same regressions over each item's nearest items only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from whythis.recsys.errors import DataError

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

DENSE_LIMIT = 20_000
"""Largest catalogue whose n x n matrix is inverted (20,000 items: 1.6 GB)."""

_DOUBLE_LIMIT = 5_000  # up to here in float64: accuracy costs nothing
_BLOCK = 512  # rows of a matrix at a time
_USERS = 2_000  # sequences at a time
_FAINT = 0.02  # an event that weighs less than this in a context is left out
DAMPING = 0.5
"""Ridge in proportion to an item's count: (1 - q) / q = 0.5 is dropout of a third of the events."""


class Kernel(NamedTuple):
    """Hold the largest weights of each item: row i weighs `columns[i, j]` by `values[i, j]`."""

    columns: npt.NDArray[np.int32]  # n, M
    values: Floats  # n, M

    def matrix(self) -> sparse.csr_matrix:
        """Return it as an n x n matrix."""
        n, m = self.columns.shape
        starts = np.arange(0, n * m + 1, m)
        parts = (self.values.ravel().astype(np.float64), self.columns.ravel(), starts)
        return sparse.csr_matrix(parts, shape=(n, n))


def events_matrix(
    sequences: Sequence[Indices],
    n_items: int,
    weights: Sequence[npt.NDArray[np.float64]] | None = None,
) -> sparse.csr_matrix:
    """Return the users x items matrix of the sequences: 1, or the given weight of each event."""
    rows = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    cols = np.concatenate(sequences) if len(sequences) else np.zeros(0, dtype=np.int64)
    values = np.ones(len(cols)) if weights is None else np.concatenate([*weights, np.zeros(0)])
    return sparse.csr_matrix((values, (rows, cols)), shape=(len(sequences), n_items))


def recency_matrix(
    sequences: Sequence[Indices], n_items: int, forgetting: float
) -> sparse.csr_matrix:
    """Return the users x items matrix in which an event counts exp(-forgetting * later events)."""
    ages = [np.arange(len(s))[::-1] for s in sequences]
    return events_matrix(sequences, n_items, [np.exp(-forgetting * age) for age in ages])


def ease(events: sparse.csr_matrix, l2: float, damping: float = 0.0) -> npt.NDArray[np.floating]:
    """Return the item-item weights B of EASE (Steck, WWW 2019, arXiv 1905.03375, eq. 8), n x n.

    `events` X: users x items. B = I - P diag(1/P_jj) with P = (X^T X + l2 I + damping
    diag(X^T X))^-1; diagonal 0; a user's scores are the sum of the rows of B of the user's items.
    Damping is dropout of events in closed form (Steck, NeurIPS 2020, "Autoencoders that don't
    overfit towards the Identity", eq. 8).
    """
    n = events.shape[1]
    gram = _gram(events, n)
    counts = np.diag(gram).copy()
    gram[np.diag_indices_from(gram)] += l2 + damping * counts
    inverse = _inverse(gram)
    scale = -1.0 / np.diag(inverse)
    for start in range(0, n, _BLOCK):
        inverse[start : start + _BLOCK] *= scale
    np.fill_diagonal(inverse, 0.0)
    return inverse


def follows(
    sequences: Sequence[Indices], n_items: int, reach: float, l2: float
) -> npt.NDArray[np.floating]:
    """Return weights N of what is liked next after what, n x n, diagonal 0.

    The ridge regression of the next item on the items before it, an event of age t weighing
    exp(-t / reach): N = (C^T C + l2 I)^-1 C^T Y over every position of every sequence, the
    transition model of SLIST (Choi et al., WWW 2021, arXiv 2103.16104, eq. 10) without its
    normalisation.
    """
    dtype = np.float64 if n_items <= _DOUBLE_LIMIT else np.float32
    gram = np.zeros((n_items, n_items), dtype=dtype)
    cross = np.zeros((n_items, n_items), dtype=dtype)
    for context, after in contexts(sequences, n_items, reach):
        _add(gram, context.T @ context)
        _add(cross, context.T @ after)
    gram[np.diag_indices_from(gram)] += l2
    weights = linalg.solve(gram, cross, assume_a="pos", overwrite_a=True, overwrite_b=True)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


def prune(weights: npt.NDArray[np.floating], kept: int) -> Kernel:
    """Return the `kept` largest weights of each row by size."""
    n = len(weights)
    kept = min(kept, n)
    near = np.zeros((n, kept), dtype=np.int32)
    values = np.zeros((n, kept), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        rows = weights[start : start + _BLOCK]
        best = np.argpartition(-np.abs(rows), kept - 1, axis=1)[:, :kept]
        best.sort(axis=1)
        near[start : start + _BLOCK] = best
        values[start : start + _BLOCK] = np.take_along_axis(rows, best, axis=1)
    return Kernel(near, values)


def contexts(
    sequences: Sequence[Indices], n: int, reach: float
) -> Iterator[tuple[sparse.csr_matrix, sparse.csr_matrix]]:
    """Yield (weighted past, next item) for every position, some users' at a time."""
    width = max(1, int(np.ceil(-reach * np.log(_FAINT))))
    fade = np.exp(-np.arange(width) / reach)
    for start in range(0, len(sequences), _USERS):
        part = [s for s in sequences[start : start + _USERS] if len(s) > 1]
        if not part:
            continue
        rows, cols, values, after = [], [], [], []
        place = 0
        for sequence in part:
            steps = len(sequence) - 1
            for lag in range(min(width, steps)):  # the event `lag` before each last one
                rows.append(place + np.arange(lag, steps))
                cols.append(sequence[: steps - lag])
                values.append(np.full(steps - lag, fade[lag]))
            after.append(sequence[1:])
            place += steps
        where = (np.concatenate(rows), np.concatenate(cols))
        context = sparse.csr_matrix((np.concatenate(values), where), shape=(place, n))
        ahead = (np.arange(place), np.concatenate(after))
        yield context, sparse.csr_matrix((np.ones(place), ahead), shape=(place, n))


def _gram(events: sparse.csr_matrix, n: int) -> npt.NDArray[np.floating]:
    if n > DENSE_LIMIT:
        raise DataError(f"{n} items: at most {DENSE_LIMIT} can be solved at once")
    gram = np.zeros((n, n), dtype=np.float64 if n <= _DOUBLE_LIMIT else np.float32)
    _add(gram, events.T @ events)
    return gram


def _add(dense: npt.NDArray[np.floating], part: sparse.spmatrix) -> None:
    part = part.tocsr()
    for start in range(0, len(dense), _BLOCK):
        dense[start : start + _BLOCK] += part[start : start + _BLOCK].toarray()


def _inverse(matrix: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the inverse of a symmetric positive definite matrix, in its own memory."""
    factor, inverted = linalg.get_lapack_funcs(("potrf", "potri"), (matrix,))
    # LAPACK reads columns first: the transpose of a symmetric matrix is the matrix itself
    lower, failed = factor(matrix.T, lower=1, overwrite_a=1, clean=0)
    if not failed:
        lower, failed = inverted(lower, lower=1, overwrite_c=1)
    if failed:
        raise DataError("the item-item matrix cannot be inverted: choose a larger ridge")
    half = lower.T  # upper triangle valid
    for start in range(0, len(half), _BLOCK):
        stop = min(start + _BLOCK, len(half))
        half[stop:, start:stop] = half[start:stop, stop:].T
        square = half[start:stop, start:stop]
        square[:] = np.triu(square) + np.triu(square, 1).T
    return np.asarray(half)
