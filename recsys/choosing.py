"""Choose the few numbers of the persona model on validation, one after the other.

Nothing here looks at test events. Each number is taken from a short list by the mean of
1/log2(1 + rank) of the held-out items; a list always holds the value that switches its part off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy import sparse
from scipy.special import logsumexp

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
from whythis.recsys.metrics import discounted_rank, ranks_of

Floats = npt.NDArray[np.float64]
Validation = tuple[Sequence[Indices], Sequence[int]]
"""Histories, and the item that followed each."""

Progress = Callable[[int, int, float], None]
"""Called with (step, steps, best validation figure) as the search goes on."""

TRIED_USERS = 4_000
"""Users that a choice is made by, at most."""

_CELLS = 80_000_000  # users times items that a choice is made by, at most
_BLOCK = 5_000_000  # users times items scored at a time
_LARGE = 5_000  # items beyond which a solution takes seconds: fewer are tried
_BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
_FLOOR = 0.01  # some popularity always: it ranks for a user without a history


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
    popularity: float = _FLOOR
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
    together = _together(sequences, n_items, choice, kept)
    after = _next(sequences, n_items, choice, kept) if choice.next_weight else None
    return _assembled(choice, together, after, likes)


def choose(
    sequences: Sequence[Indices],
    validation: Validation,
    n_items: int,
    kept: int,
    window: int,
    ordered: bool,
    seed: int,
    progress: Progress | None = None,
) -> Linear:
    """Return the linear part that ranks the validation items best.

    `kept`: weights an item keeps; `ordered`: whether the order of events is known (otherwise
    recency and what follows what are not tried); `seed`: which users are tried, where there are
    more than `TRIED_USERS`.
    """
    tried = _Tried(validation, n_items, window, seed)
    likes = counts(sequences, n_items)
    discounts = {alpha: (1.0 + likes) ** -alpha for alpha in (0.0, 0.1, 0.25)}
    rates = (0.0, 1 / 100, 1 / 30) if ordered else (0.0,)
    first = _firsts(n_items)
    second = _nexts(n_items) if ordered else []
    steps = len(first) + len(second) + 1
    best, top, together = Choice(), -1.0, None
    for step, given in enumerate(first, 1):
        kernel = _together(sequences, n_items, given, kept)
        options = [
            given.model_copy(update={"forgetting": rate, "discount": alpha})
            for rate in rates
            for alpha in discounts
        ]
        values = tried.values(partial(_linear, tried, kernel.matrix(), rates, discounts))
        if max(values) > top:
            top, together = max(values), kernel
            best = options[int(np.argmax(values))]
        _tell(progress, step, steps, top)
    assert together is not None
    base, after = _discounted(together, likes, best.discount), None
    start = best
    for step, given in enumerate(second, len(first) + 1):
        kernel = _next(sequences, n_items, given, kept)
        options = [
            start.model_copy(
                update={"next_weight": beta, "forgetting": rate}
                | given.model_dump(include={"reach", "next_l2"})
            )
            for rate in rates[1:]
            for beta in _BETAS
        ]
        mix = partial(_both, tried, base.matrix(), kernel.matrix(), rates[1:], given.reach)
        values = tried.values(mix)
        if max(values) > top:
            top, after = max(values), kernel
            best = options[int(np.argmax(values))]
        _tell(progress, step, steps, top)
    weights = [base.matrix()]
    if after is not None:
        weights.append(best.next_weight * after.matrix())
    plain = partial(_plain, tried, weights, best)
    prior, spread = standardised(likes), _spread(plain(slice(0, _rows(n_items))))
    gammas = [g * spread for g in (_FLOOR, 0.05, 0.1, 0.2, 0.4)]

    def popular(rows: slice) -> Iterator[Floats]:
        personal = plain(rows)
        yield from (personal + gamma * prior for gamma in gammas)

    values = tried.values(popular)
    gamma = gammas[int(np.argmax(values))]
    scale = tried.scale(plain(slice(0, _rows(n_items))) + gamma * prior)
    _tell(progress, steps, steps, max(values))
    best = best.model_copy(update={"scale": scale, "popularity": gamma * scale})
    return _assembled(best, together, after, likes)


def _linear(
    tried: _Tried,
    weights: sparse.csr_matrix,
    rates: Sequence[float],
    discounts: Mapping[float, Floats],
    rows: slice,
) -> Iterator[Floats]:
    for rate in rates:
        scores = (tried.recent(rows, rate) @ weights).toarray()
        yield from (scores * factor for factor in discounts.values())


def _both(
    tried: _Tried,
    together: sparse.csr_matrix,
    after: sparse.csr_matrix,
    rates: Sequence[float],
    reach: float,
    rows: slice,
) -> Iterator[Floats]:
    follow = (tried.recent(rows, 1 / reach) @ after).toarray()
    for rate in rates:
        scores = (tried.recent(rows, rate) @ together).toarray()
        yield from (scores + beta * follow for beta in _BETAS)


def _plain(
    tried: _Tried, weights: Sequence[sparse.csr_matrix], choice: Choice, rows: slice
) -> Floats:
    recent = tried.recent(rows, choice.forgetting)
    total = (recent @ weights[0]).toarray()
    for follow in weights[1:]:
        total += (tried.recent(rows, 1 / choice.reach) @ follow).toarray()
    sizes = np.sqrt(np.maximum(np.asarray(recent.sum(1)), 1e-12))  # B, 1
    return np.asarray(total / sizes)


def _rows(n_items: int) -> int:
    return min(256, max(64, _BLOCK // n_items))


def _tell(progress: Progress | None, step: int, steps: int, value: float) -> None:
    if progress is not None:
        progress(step, steps, value)


def counts(sequences: Sequence[Indices], n_items: int) -> Floats:
    """Return how many sequences hold each item."""
    return np.asarray(events_matrix(sequences, n_items).sum(0), dtype=np.float64).ravel()


def standardised(likes: Floats) -> Floats:
    """Return log(1 + likes) with mean 0 and standard deviation 1."""
    logs = np.log1p(likes)
    return np.asarray((logs - logs.mean()) / max(float(logs.std()), 1e-12))


def tried_users(n_items: int) -> int:
    """Return how many users a choice is made by, at most: fewer where the catalogue is large."""
    return min(TRIED_USERS, max(1_000, _CELLS // n_items))


def sample(validation: Validation, limit: int, seed: int) -> Validation:
    """Return at most `limit` of the validation users, drawn once for all."""
    histories, targets = validation
    picked = np.arange(len(histories))
    if len(picked) > limit:
        picked = np.sort(np.random.default_rng(seed).choice(picked, limit, replace=False))
    return [histories[i] for i in picked], [targets[i] for i in picked]


class _Tried:
    """Rank the validation items of some users under many scores."""

    def __init__(self, validation: Validation, n_items: int, window: int, seed: int) -> None:
        self.seen, targets = sample(validation, tried_users(n_items), seed)
        self.histories = [h[-window:] for h in self.seen]
        self.targets = np.asarray(targets, dtype=np.int64)
        self.n_items = n_items

    def recent(self, rows: slice, forgetting: float) -> sparse.csr_matrix:
        """Return the histories as a matrix of weights by recency."""
        part = self.histories[rows]
        ages = [np.arange(len(h))[::-1] for h in part]
        return events_matrix(part, self.n_items, [np.exp(-forgetting * age) for age in ages])

    def blocks(self) -> Iterator[slice]:
        """Yield the users, some at a time."""
        rows = _rows(self.n_items)
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

        factors = np.geomspace(0.1, 10.0, 41) / _spread(scores[np.isfinite(scores)])
        return float(min(factors, key=loss))


def _spread(scores: Floats) -> float:
    return float(scores.std()) or 1.0


def _firsts(n_items: int) -> list[Choice]:
    if n_items > DENSE_LIMIT:  # one solution takes minutes
        return [Choice()]
    ridges = (20.0, 100.0, 500.0) if n_items <= _LARGE else (100.0, 500.0)
    return [Choice(user_weight=w, l2=l2) for w in (0.0, 0.25) for l2 in ridges]


def _nexts(n_items: int) -> list[Choice]:
    small = n_items <= _LARGE
    return [
        Choice(reach=reach, next_l2=l2)
        for reach in ((1.0, 3.0, 10.0) if small else (3.0,))
        for l2 in ((20.0, 100.0) if small else (100.0,))
    ]


def _together(sequences: Sequence[Indices], n: int, choice: Choice, kept: int) -> Kernel:
    lengths = np.asarray([max(len(s), 1) for s in sequences], dtype=np.float64)
    rho = choice.user_weight
    weights = [np.full(len(s), len(s) ** -rho) if len(s) else np.zeros(0) for s in sequences]
    events = events_matrix(sequences, n, weights)
    l2 = choice.l2 * float(lengths.mean()) ** (-2 * rho)  # keeps its meaning under the weights
    if n > DENSE_LIMIT:
        return neighbourhood.ease(events, l2, DAMPING, kept)
    return prune(ease(events, l2, DAMPING), kept)


def _next(sequences: Sequence[Indices], n: int, choice: Choice, kept: int) -> Kernel:
    if n > DENSE_LIMIT:
        return neighbourhood.follows(sequences, n, choice.reach, choice.next_l2, kept)
    return prune(follows(sequences, n, choice.reach, choice.next_l2), kept)


def _discounted(kernel: Kernel, likes: Floats, alpha: float) -> Kernel:
    factor = (1.0 + likes) ** -alpha
    return Kernel(kernel.columns, (kernel.values * factor[kernel.columns]).astype(np.float32))


def _assembled(choice: Choice, together: Kernel, after: Kernel | None, likes: Floats) -> Linear:
    if after is not None:
        after = Kernel(after.columns, (after.values * choice.next_weight).astype(np.float32))
    bias = (choice.popularity * standardised(likes)).astype(np.float32)
    return Linear(choice, _discounted(together, likes, choice.discount), after, bias)
