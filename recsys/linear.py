"""Solve the linear part of the score: item-item weights and what is added whatever the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from whythis.recsys import neighbourhood
from whythis.recsys.kernels import (
    DAMPING,
    DENSE_LIMIT,
    Indices,
    Kernel,
    ease,
    events_matrix,
    follows,
    prune,
)

Floats = npt.NDArray[np.float64]
FLOOR = 0.01
"""Some popularity always: it ranks for a user without a history."""


class Choice(BaseModel):
    """Hold what validation chose for the linear part of the score.

    user_weight rho: a user with n events counts n^-rho in B; l2: B's ridge; discount alpha: B_iy
    is divided by (1 + likes of y)^alpha; forgetting f: an event counts exp(-f * later events);
    next_weight beta, reach l and next_l2 of N; popularity gamma: b_y = gamma * standardised
    log(1 + likes); scale c: makes scores the log-odds of the validation items.
    """

    model_config = ConfigDict(frozen=True)

    user_weight: float = 0.0
    l2: float = 100.0
    discount: float = 0.0
    forgetting: float = 0.0
    reach: float = 1.0
    next_l2: float = 100.0
    next_weight: float = 0.0
    popularity: float = FLOOR
    scale: float = 1.0


class Linear(NamedTuple):
    """Hold the linear part: item-item weights and what is added whatever the history."""

    choice: Choice
    together: Kernel
    next: Kernel | None
    bias: npt.NDArray[np.float32]


def solve(sequences: Sequence[Indices], n_items: int, choice: Choice, kept: int) -> Linear:
    """Return the linear part for numbers that are given."""
    likes = counts(sequences, n_items)
    together = together_of(sequences, n_items, choice, kept)
    after = next_of(sequences, n_items, choice, kept) if choice.next_weight else None
    return assembled(choice, together, after, likes)


def counts(sequences: Sequence[Indices], n_items: int) -> Floats:
    """Return how many sequences hold each item."""
    return np.asarray(events_matrix(sequences, n_items).sum(0), dtype=np.float64).ravel()


def standardised(likes: Floats) -> Floats:
    """Return log(1 + likes) with mean 0 and standard deviation 1."""
    logs = np.log1p(likes)
    return np.asarray((logs - logs.mean()) / max(float(logs.std()), 1e-12))


def together_of(sequences: Sequence[Indices], n: int, choice: Choice, kept: int) -> Kernel:
    """Return B for the numbers of `choice`, not yet discounted."""
    lengths = np.asarray([max(len(s), 1) for s in sequences], dtype=np.float64)
    rho = choice.user_weight
    weights = [np.full(len(s), len(s) ** -rho) if len(s) else np.zeros(0) for s in sequences]
    events = events_matrix(sequences, n, weights)
    l2 = choice.l2 * float(lengths.mean()) ** (-2 * rho)  # keeps its meaning under the weights
    if n > DENSE_LIMIT:
        return neighbourhood.ease(events, l2, DAMPING, kept)
    return prune(ease(events, l2, DAMPING), kept)


def next_of(sequences: Sequence[Indices], n: int, choice: Choice, kept: int) -> Kernel:
    """Return N for the numbers of `choice`, not yet weighed."""
    if n > DENSE_LIMIT:
        return neighbourhood.follows(sequences, n, choice.reach, choice.next_l2, kept)
    return prune(follows(sequences, n, choice.reach, choice.next_l2), kept)


def discounted(kernel: Kernel, likes: Floats, alpha: float) -> Kernel:
    """Return B_iy / (1 + likes of y)^alpha."""
    factor = (1.0 + likes) ** -alpha
    return Kernel(kernel.columns, (kernel.values * factor[kernel.columns]).astype(np.float32))


def assembled(choice: Choice, together: Kernel, after: Kernel | None, likes: Floats) -> Linear:
    """Return the linear part of solved weights: B discounted, N weighed, the bias by likes."""
    if after is not None:
        after = Kernel(after.columns, (after.values * choice.next_weight).astype(np.float32))
    bias = (choice.popularity * standardised(likes)).astype(np.float32)
    return Linear(choice, discounted(together, likes, choice.discount), after, bias)
