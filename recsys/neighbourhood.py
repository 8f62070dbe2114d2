"""Find item-item weights for catalogues too large to solve at once: item by item.

The regressions are those of `whythis.recsys.kernels`, each item's restricted to its nearest items,
as fsSLIM restricts SLIM (Ning & Karypis, ICDM 2011, "SLIM: Sparse Linear Methods for Top-N
Recommender Systems", section IV-C): with N the nearest items of y, column y solves

    (G_NN + ridge) b_N = c_Ny

and is 0 outside N. Memory grows with the events and with items times neighbours, never with items
times items. A neighbour shares an event with y; with all items as neighbours the weights are those
of the full regression.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from whythis.recsys.kernels import Floats, Indices, Kernel, contexts

_PAIRS = 3  # entries of G that an item keeps for each neighbour it may have
_BLOCK = 256  # rows of a product at a time
_BATCH = 64  # regressions at a time


class _Gram(NamedTuple):
    """Hold the largest entries of X^T X: row i has `values[i, j]` at `columns[i, j]`.

    `sums`: of the columns of X, over its `rows` rows; `cut`: true where an item has entries that
    are not kept.
    """

    columns: npt.NDArray[np.int32]  # n, P
    values: Floats  # n, P
    diagonal: npt.NDArray[np.float64]
    sums: npt.NDArray[np.float64]
    rows: int
    cut: npt.NDArray[np.bool_]


def ease(events: sparse.csr_matrix, l2: float, damping: float, kept: int) -> Kernel:
    """Return the weights of `kernels.ease` over the `kept` nearest items of each, by rows."""
    gram = _gram(events, kept)
    size = 1.0 / np.sqrt(np.maximum(gram.diagonal, 1e-12))

    def near(y: int) -> tuple[Indices, npt.NDArray[np.float64]]:
        others = gram.columns[y] != y
        items, values = gram.columns[y][others], gram.values[y][others].astype(np.float64)
        best = _largest(values * size[items], kept)
        return items[best].astype(np.int64), values[best]

    return _by_rows(_solved(gram, l2 + damping * gram.diagonal, map(near, range(len(size)))), kept)


def follows(
    sequences: Sequence[Indices], n_items: int, reach: float, l2: float, kept: int
) -> Kernel:
    """Return the weights of `kernels.follows` over `kept` items before each, and itself, by rows.

    The items before y that are nearest: those with the largest cosine of context and next.
    """
    parts = [
        (context.astype(np.float32), after.astype(np.float32))
        for context, after in contexts(sequences, n_items, reach)
    ]
    nothing = sparse.csr_matrix((0, n_items), dtype=np.float32)
    past = sparse.vstack([nothing, *(context for context, _ in parts)], format="csr")
    ahead = sparse.vstack([nothing, *(after for _, after in parts)], format="csr")
    del parts
    gram = _gram(past, kept)
    size = 1.0 / np.sqrt(np.maximum(gram.diagonal, 1e-12))

    def near() -> Iterator[tuple[Indices, npt.NDArray[np.float64]]]:
        for y, items, values in _rows(ahead, past):
            own = items == y  # is among those that explain what follows, and then left out
            best = _largest(np.where(own, 0.0, values * size[items]), kept)
            best = best[~own[best]]
            mine = values[own].sum()
            yield np.append(items[best], y), np.append(values[best], mine)

    solved = _solved(gram, np.full(n_items, l2), near())
    solved.setdiag(0.0)
    return _by_rows(solved, kept)


def _gram(events: sparse.csr_matrix, kept: int) -> _Gram:
    n = events.shape[1]
    width = min(n, _PAIRS * kept + 1)
    diagonal = np.asarray(events.multiply(events).sum(0), dtype=np.float64).ravel()
    size = 1.0 / np.sqrt(np.maximum(diagonal, 1e-12))
    # what is not filled repeats the diagonal: entries are set, not added
    columns = np.repeat(np.arange(n, dtype=np.int32)[:, None], width, axis=1)
    values = np.repeat(diagonal.astype(np.float32)[:, None], width, axis=1)
    cut = np.zeros(n, dtype=np.bool_)
    for i, items, entries in _rows(events, events):
        best = _largest(entries * size[items], width)
        columns[i, : len(best)], values[i, : len(best)] = items[best], entries[best]
        cut[i] = len(best) < len(items)
    sums = np.asarray(events.sum(0), dtype=np.float64).ravel()
    return _Gram(columns, values, diagonal, sums, events.shape[0], cut)


def _rows(
    left: sparse.csr_matrix, right: sparse.csr_matrix
) -> Iterator[tuple[int, Indices, npt.NDArray[np.float64]]]:
    """Yield (i, columns, values) of what is not 0 in each row of left^T right."""
    turned = left.T.tocsr()
    for start in range(0, turned.shape[0], _BLOCK):
        part = (turned[start : start + _BLOCK] @ right).tocsr()
        for row in range(part.shape[0]):
            at = slice(part.indptr[row], part.indptr[row + 1])
            yield start + row, part.indices[at].astype(np.int64), part.data[at].astype(np.float64)


def _largest(values: npt.NDArray[np.floating], kept: int) -> Indices:
    if len(values) <= kept:
        return np.arange(len(values))
    return np.argpartition(-values, kept - 1)[:kept]


def _solved(
    gram: _Gram,
    ridge: npt.NDArray[np.float64],
    targets: Iterator[tuple[Indices, npt.NDArray[np.float64]]],
) -> sparse.csc_matrix:
    """Return the columns b of every item; `targets` yields its N and c_Ny."""
    n = len(ridge)
    found, near = [], []
    batch: list[tuple[Indices, npt.NDArray[np.float64]]] = []
    for y, target in enumerate(targets):
        batch.append(target)
        if len(batch) == _BATCH or y == n - 1:
            found += _batch(gram, ridge, batch)
            near += [items.astype(np.int32) for items, _ in batch]
            batch = []
    starts = np.append(0, np.cumsum([len(items) for items in near]))
    return sparse.csc_matrix((np.concatenate(found), np.concatenate(near), starts), shape=(n, n))


def _batch(
    gram: _Gram,
    ridge: npt.NDArray[np.float64],
    batch: Sequence[tuple[Indices, npt.NDArray[np.float64]]],
) -> list[Floats]:
    width = max(len(items) for items, _ in batch)
    matrices = np.tile(np.eye(width), (len(batch), 1, 1))
    wanted = np.zeros((len(batch), width, 1))
    places = np.full(len(ridge), -1, dtype=np.int32)
    for row, (items, values) in enumerate(batch):
        size = len(items)
        matrices[row, :size, :size] = _among(gram, items, places)
        matrices[row, range(size), range(size)] += ridge[items]
        wanted[row, :size, 0] = values
    solved = np.linalg.solve(matrices, wanted)[..., 0]
    return [solved[row, : len(items)].astype(np.float32) for row, (items, _) in enumerate(batch)]


def _among(gram: _Gram, items: Indices, places: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return G between some items; `places` is -1 everywhere, and again so afterwards."""
    places[items] = np.arange(len(items), dtype=np.int32)
    at = places[gram.columns[items]].ravel()  # m P
    places[items] = -1
    hits = np.flatnonzero(at >= 0)
    found = np.zeros((len(items), len(items)))
    row = hits // max(gram.columns.shape[1], 1)
    found[row, at[hits]] = gram.values[items].ravel()[hits]
    found = np.maximum(found, found.T)
    # An entry that neither item keeps is taken to be what chance makes it. With 0 the matrix could
    # have negative eigenvalues.
    sums = np.where(gram.cut[items], gram.sums[items], 0.0)
    return np.where(found == 0.0, np.outer(sums, sums) / max(gram.rows, 1), found)


def _by_rows(columns: sparse.csc_matrix, kept: int) -> Kernel:
    """Return the largest weights of each row by size; short rows are padded with zeros."""
    rows = columns.tocsr()
    n = rows.shape[0]
    kept = min(kept, n)
    near = np.zeros((n, kept), dtype=np.int32)
    values = np.zeros((n, kept), dtype=np.float32)
    for i in range(n):
        at = slice(rows.indptr[i], rows.indptr[i + 1])
        best = np.sort(_largest(np.abs(rows.data[at]), kept))
        near[i, : len(best)] = rows.indices[at][best]
        values[i, : len(best)] = rows.data[at][best]
    return Kernel(near, values)
