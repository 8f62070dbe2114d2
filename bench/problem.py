"""Hold what rankers are fitted on and tested by: a split of the users' likes, the same for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from whythis.recsys.fitting import sequences
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import Indices, events_matrix
from whythis.recsys.split import leave_last_out
from whythis.recsys.vocabulary import Vocabulary

Validation = tuple[Sequence[Indices], Sequence[int]]


@dataclass(frozen=True, eq=False)
class Problem:
    """Hold what every ranker is fitted on.

    train: sequences of item indices, oldest first, a row a user; valid: for the same users,
    histories and the item that followed each; budget: the seconds that tuning may take.
    """

    train: Sequence[Indices]
    valid: Validation
    n_items: int
    seed: int = 0
    budget: float = math.inf

    @cached_property
    def events(self) -> sparse.csr_matrix:
        """Return the training sequences as a matrix of 0 and 1, users x items."""
        return events_matrix(self.train, self.n_items)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Hold one split: what to fit on, and each user's history before the test item."""

    problem: Problem
    histories: Sequence[Indices]
    targets: Sequence[int]


def held_out(dataset: Dataset, seed: int, budget: float = math.inf) -> HeldOut:
    """Split off each user's last two events; only users with at least three take part."""
    split = leave_last_out(dataset, seed)
    items = Vocabulary("item", tuple(dataset.items["item"]))
    users = split.test["user"].tolist()  # one row a user, as in valid
    past = sequences(split.train, users, items)
    wanted = items.indices(split.valid["item"]).tolist()
    return HeldOut(
        Problem(past, (past, wanted), len(items), seed, budget),
        [np.append(h, v) for h, v in zip(past, wanted, strict=True)],
        items.indices(split.test["item"]).tolist(),
    )
