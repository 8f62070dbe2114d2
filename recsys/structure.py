"""Find the item-item structure that embeddings and personas start from."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, sparse
from scipy.cluster.vq import kmeans2
from scipy.sparse.linalg import svds
from scipy.special import softmax

Floats = npt.NDArray[np.float32]
DENSE_LIMIT = 20_000
"""Largest catalogue for which the dense item-item matrix is inverted (20,000 items: 3.2 GB)."""


ERAS = (1970, 1985, 1996)
"""First years of the eras that tell items apart beside their genres."""

_GENRE_WEIGHT, _ERA_WEIGHT = 1.0, 0.5
_STARTS = 8


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
        weights = ease(events, l2).astype(np.float64)
        if not weights.any():  # no two items share a user
            return left, right
        u, s, vt = svds(weights, k=rank, v0=start)
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


def gather(
    features: Floats, counts: npt.NDArray[np.int64], k: int, sharpness: float, seed: int
) -> Floats:
    """Return soft memberships p (n x k, rows sum to 1) of items in k clusters.

    Spherical k-means over the rows of `features` that have events, the tightest of several seeded
    starts; p is the softmax of `sharpness` times the cosine to each centre. Items without
    features, and all where fewer than k differ, belong to all clusters alike.
    """
    points = _unit(features)
    used = points[(counts > 0) & (np.linalg.norm(points, axis=1) > 0)].astype(np.float64)
    if len(np.unique(used, axis=0)) < k:
        return np.full((len(features), k), 1.0 / k, dtype=np.float32)
    tries = []
    for start in range(_STARTS):
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # an emptied cluster: another start is better
            centres, labels = kmeans2(used, k, rng=np.random.default_rng([seed, start]), minit="++")
        centres = _unit(centres)
        tries.append((float((centres[labels] * used).sum()), -start, centres))
    centres = max(tries, key=lambda t: t[:2])[2]
    return np.asarray(softmax(sharpness * points @ centres.T, axis=1), dtype=np.float32)


def content(items: pd.DataFrame, candidate_side: Floats) -> Floats:
    """Return what an item is like: who likes it, its genres, its time; n x (d + genres + eras).

    Each block is a unit vector times its weight, so a block that is absent (no genres, no year)
    leaves the rest to decide. Genres count by log(1 / their share of the catalogue).
    """
    names = sorted({str(g) for genres in items["genres"] for g in genres})
    of = {name: j for j, name in enumerate(names)}
    genres = np.zeros((len(items), len(names)), dtype=np.float32)
    for row, listed in enumerate(items["genres"]):
        genres[row, [of[str(g)] for g in listed]] = 1.0
    genres *= np.log(len(items) / np.maximum(genres.sum(0), 1.0)) + 1e-6
    eras = np.zeros((len(items), len(ERAS) + 1), dtype=np.float32)
    known = items["year"].notna().to_numpy()
    eras[known, np.digitize(items["year"].to_numpy()[known], ERAS)] = 1.0
    blocks = [_unit(candidate_side), _GENRE_WEIGHT * _unit(genres), _ERA_WEIGHT * eras]
    return np.hstack(blocks).astype(np.float32)


def _unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)
