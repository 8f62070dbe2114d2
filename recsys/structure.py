"""Find the item-item structure that the embeddings start from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.cluster.vq import kmeans2
from scipy.sparse.linalg import svds

Floats = npt.NDArray[np.float32]
DENSE_LIMIT = 20_000
"""Largest catalogue for which the dense item-item matrix is inverted (20,000 items: 3.2 GB)."""


def ease(events: sparse.csr_matrix, l2: float) -> Floats:
    """Return the item-item weights B of EASE (Steck, WWW 2019, arXiv 1905.03375, eq. 8).

    `events`: users x items, 0/1. B = I - P diag(1/P_jj) with P = (X^T X + l2 I)^-1; diagonal 0;
    a user's scores are the sum of the rows of B of the user's items.
    """
    gram = np.asarray((events.T @ events).todense(), dtype=np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, dtype=np.float32)


def low_rank(events: sparse.csr_matrix, dim: int, l2: float, seed: int) -> tuple[Floats, Floats]:
    """Return history-side and candidate-side embeddings, both n x dim, deterministic.

    Up to `DENSE_LIMIT` items their product is the best rank-`dim` form of EASE's B; beyond, of the
    item-item projection of PureSVD (Cremonesi et al., RecSys 2010), which needs no n x n matrix.
    Ranks above what the data holds are filled with zeros.
    """
    n = events.shape[1]
    rank = min(dim, min(events.shape) - 1)
    left = np.zeros((n, dim), dtype=np.float32)
    right = np.zeros((n, dim), dtype=np.float32)
    if rank < 1:
        return left, right
    start = np.random.default_rng(seed).standard_normal(min(events.shape) if n > DENSE_LIMIT else n)
    if n <= DENSE_LIMIT:
        rank = min(rank, n - 1)
        u, s, vt = svds(ease(events, l2).astype(np.float64), k=rank, v0=start)
    else:
        _, s, vt = svds(events.astype(np.float64), k=rank, v0=start)
        u, s = vt.T, np.ones_like(s)
    order = np.argsort(-s)
    u, s, vt = u[:, order], s[order], vt[order]
    # the sign of a singular pair is arbitrary: fix it, so that equal data gives equal files
    sign = np.sign(vt[np.arange(rank), np.abs(vt).argmax(1)])
    left[:, :rank] = u * sign * np.sqrt(s)
    right[:, :rank] = vt.T * sign * np.sqrt(s)
    return left, right


def gather(candidate_side: Floats, counts: npt.NDArray[np.int64], k: int, seed: int) -> Floats:
    """Return k prototype directions (k x d): spherical k-means over the items with events."""
    norms = np.linalg.norm(candidate_side, axis=1)
    used = (counts > 0) & (norms > 0)
    points = candidate_side[used] / norms[used, None]
    if len(points) < k:
        rng = np.random.default_rng(seed)
        filler = rng.standard_normal((k - len(points), candidate_side.shape[1]))
        return np.concatenate([points, filler]).astype(np.float32)
    centres, _ = kmeans2(points.astype(np.float64), k, seed=seed, minit="++")
    return np.asarray(centres, dtype=np.float32)
