"""Find what items are like: embeddings from item-item weights, and memberships in tastes."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.cluster.vq import kmeans2
from scipy.sparse.linalg import svds
from scipy.special import softmax

Floats = npt.NDArray[np.float32]
ERAS = (1970, 1985, 1996)
"""First years of the eras that tell items apart beside their genres."""

LEAST = 0.1
"""Smallest membership of an item in a taste; what is below counts as none."""

_GENRE_WEIGHT, _ERA_WEIGHT = 1.0, 0.5
_STARTS = 8


def embed(weights: sparse.csr_matrix, dim: int, seed: int) -> tuple[Floats, Floats]:
    """Return the rank-`dim` form of item-item weights: e and v (n x dim each), weights ~ e v^T.

    Deterministic; ranks above what the weights hold are zeros.
    """
    n = weights.shape[0]
    rank = min(dim, n - 1)
    left = np.zeros((n, dim), dtype=np.float32)
    right = np.zeros((n, dim), dtype=np.float32)
    if rank < 1 or not weights.count_nonzero():  # no two items share a user
        return left, right
    start = np.random.default_rng(seed).standard_normal(n)
    u, s, vt = svds(weights.astype(np.float64), k=rank, v0=start)
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
    starts; p is the softmax of `sharpness` times the cosine to each centre, what is below `LEAST`
    set to 0 and the rest to a sum of 1: an item belongs to few tastes. Items without
    features, and all where fewer than k differ, belong to all clusters alike.
    """
    points = unit(features)
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
        centres = unit(centres)
        tries.append((float((centres[labels] * used).sum()), -start, centres))
    centres = max(tries, key=lambda t: t[:2])[2]
    near = softmax(sharpness * points @ centres.T, axis=1)
    near[near < min(LEAST, 1.0 / k)] = 0.0
    return np.asarray(near / near.sum(1, keepdims=True), dtype=np.float32)


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
    blocks = [unit(candidate_side), _GENRE_WEIGHT * unit(genres), _ERA_WEIGHT * eras]
    return np.hstack(blocks).astype(np.float32)


def unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the rows at length 1; rows of zeros stay."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)
