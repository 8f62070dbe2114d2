"""Choose the few numbers of the linear part on validation, one after the other.

Nothing here looks at test events. Each number is taken from a short list by the mean of
1/log2(1 + rank) of the held-out items; a list always holds the value that switches its part off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from scipy import sparse

from whythis.recsys.errors import DataError
from whythis.recsys.kernels import DENSE_LIMIT, Indices
from whythis.recsys.linear import (
    FLOOR,
    Choice,
    Floats,
    Linear,
    assembled,
    counts,
    discounted,
    next_of,
    standardised,
    together_of,
)
from whythis.recsys.trying import Tried, Validation, spread_of

Progress = Callable[[int, int, float], None]
"""Called with (step, steps, best validation figure) as the search goes on."""

RATES = (0.0, 1 / 100, 1 / 30)
DISCOUNTS = (0.0, 0.1, 0.25)
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
GAMMAS = (FLOOR, 0.05, 0.1, 0.2, 0.4)

_LARGE = 5_000  # items beyond which a solution takes seconds: fewer are tried


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
    recency and what follows what are not tried); `seed`: which users are tried, where not all are.
    Raises `DataError` where there is no validation item.
    """
    if not validation[0]:
        raise DataError(
            f"there is no validation item among {len(sequences)} users to choose by: give a user "
            "with 3 liked items or more, or lower the rating that counts as liked"
        )
    tried = Tried(validation, n_items, window, seed)
    likes = counts(sequences, n_items)
    rates = RATES if ordered else RATES[:1]
    first, second = _firsts(n_items), _nexts(n_items) if ordered else []
    told = _Told(progress, len(first) + len(second) + 1)

    best, together = Choice(), None
    factors = {alpha: (1.0 + likes) ** -alpha for alpha in DISCOUNTS}
    for given in first:
        kernel = together_of(sequences, n_items, given, kept)
        values = tried.values(partial(_together, tried, kernel.matrix(), rates, factors))
        options = [{"forgetting": rate, "discount": alpha} for rate in rates for alpha in factors]
        if told.better(values):
            together, best = kernel, given.model_copy(update=options[int(np.argmax(values))])
    assert together is not None

    base, after, start = discounted(together, likes, best.discount).matrix(), None, best
    for given in second:
        kernel = next_of(sequences, n_items, given, kept)
        forgetting = rates[1:]
        values = tried.values(partial(_both, tried, base, kernel.matrix(), forgetting, given.reach))
        options = [{"forgetting": rate, "next_weight": b} for rate in forgetting for b in BETAS]
        if told.better(values):
            after, update = kernel, options[int(np.argmax(values))]
            update |= {"reach": given.reach, "next_l2": given.next_l2}
            best = start.model_copy(update=update)

    weights = [base] if after is None else [base, best.next_weight * after.matrix()]
    plain = partial(_plain, tried, weights, best)
    prior, first_users = standardised(likes), plain(tried.first)
    gammas = [gamma * spread_of(first_users) for gamma in GAMMAS]
    values = tried.values(lambda rows: (plain(rows) + gamma * prior for gamma in gammas))
    told.better(values)
    gamma = gammas[int(np.argmax(values))]
    scale = tried.scale(first_users + gamma * prior)
    best = best.model_copy(update={"scale": scale, "popularity": gamma * scale})
    return assembled(best, together, after, likes)


class _Told:
    """Keep the best value so far, and tell how far the search is."""

    def __init__(self, progress: Progress | None, steps: int) -> None:
        self.progress, self.steps, self.step, self.top = progress, steps, 0, -1.0

    def better(self, values: Sequence[float]) -> bool:
        """Return whether the best of these values is better than all before."""
        better = max(values) > self.top
        self.step, self.top = self.step + 1, max(self.top, *values)
        if self.progress is not None:
            self.progress(self.step, self.steps, self.top)
        return better


def _together(
    tried: Tried,
    weights: sparse.csr_matrix,
    rates: Sequence[float],
    factors: Mapping[float, Floats],
    rows: slice,
) -> Iterator[Floats]:
    for rate in rates:
        scores = (tried.recent(rows, rate) @ weights).toarray()
        yield from (scores * factor for factor in factors.values())


def _both(
    tried: Tried,
    together: sparse.csr_matrix,
    after: sparse.csr_matrix,
    rates: Sequence[float],
    reach: float,
    rows: slice,
) -> Iterator[Floats]:
    follow = (tried.recent(rows, 1 / reach) @ after).toarray()
    for rate in rates:
        scores = (tried.recent(rows, rate) @ together).toarray()
        yield from (scores + beta * follow for beta in BETAS)


def _plain(
    tried: Tried, weights: Sequence[sparse.csr_matrix], choice: Choice, rows: slice
) -> Floats:
    recent = tried.recent(rows, choice.forgetting)
    total = (recent @ weights[0]).toarray()
    for follow in weights[1:]:
        total += (tried.recent(rows, 1 / choice.reach) @ follow).toarray()
    sizes = np.sqrt(np.maximum(np.asarray(recent.sum(1)), 1e-12))  # B, 1
    return np.asarray(total / sizes)


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
