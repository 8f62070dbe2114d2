"""Measure how faithful an ordering of the past events is: take the first away, or keep only them.

With h the history, y the explained item, E the Ke events that an explanation puts first, and ranks
over the items the user has not seen:

    POS@Kr,Ke = 1[rank_y(h without E) <= Kr]             lower is better, Kr = 10 here
    CDCG@Ke   = 1 / log2(1 + rank_y(h without E))        lower
    DEL@Ke    = f(h without E)_y / f(h)_y                lower
    INS@Ke    = f(E alone)_y / f(h)_y                    higher

after Refined Fidelity (SIGIR 2025) and LXR (WWW 2024). An **area** is the same quantity integrated
over E = 0, 10, ..., 100 % of the history. DEL and INS need a positive f, and scores can be
negative. f is the softmax probability over the unseen items: it is what a ranker trained with
softmax learns to output, it lies in 0..1 like the outputs the metrics were made for, and, like a
ranking, it stays the same when one number is added to all scores (a sigmoid of the score does not).
Where the scores of others fall more than the item's own, f rises: INS can exceed 1.

One explanation is one ordering, and all four metrics are taken from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whythis.bench.case import Case, Floats, Indices, Masks
from whythis.recsys.errors import DataError
from whythis.recsys.metrics import discounts, rank_of

METRICS = ("pos", "cdcg", "del", "ins")
LOWER = ("pos", "cdcg", "del")
"""The metrics of which less is better."""

SIZES = (1, 2, 3, 4, 5)
"""The fixed Ke."""

COLUMNS = (*(f"@{size}" for size in SIZES), " area")

CUTOFF = 10
"""Kr of POS."""

RESAMPLES = 10_000

_SHARES = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True, eq=False)
class Paired:
    """Hold a paired bootstrap over users: mean, 95 % interval, two-sided p from the sign."""

    mean: Floats
    low: Floats
    high: Floats
    p: Floats


def ordering(weights: Floats) -> Indices:
    """Return the places of the events by falling weight; equal weights oldest first.

    Raises:
        DataError: the weights are not one finite number an event: several explanations at once
            would let each metric choose its favourite.
    """
    if weights.ndim != 1 or not np.isfinite(weights).all():
        raise DataError(
            f"an explanation of shape {weights.shape} is not one finite weight an event: give one "
            "ordering, which all metrics share"
        )
    return np.argsort(-weights, kind="stable")


def fidelity(case: Case, explanations: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return METRICS x COLUMNS for each explanation of one case, all executed in one batch.

    Raises:
        DataError: an explanation that is not one finite weight for each event.
    """
    events = len(case.history)
    sizes = np.concatenate([SIZES, np.rint(_SHARES * events).astype(np.int64)])
    asked = [np.ones((1, events), dtype=bool)]
    for name, weights in explanations.items():
        if weights.shape != (events,):
            raise DataError(
                f"the explanation {name!r} has the shape {weights.shape}, the history "
                f"{events} events: give one weight an event"
            )
        first = leading(ordering(weights), sizes)
        asked += [~first, first]
    ranks, log_f = executed(case, np.concatenate(asked))
    ratios = np.exp(log_f[1:] - log_f[0]).reshape(len(explanations), 2, len(sizes))
    after = ranks[1:].reshape(len(explanations), 2, len(sizes))[:, 0]
    found = np.stack([after <= CUTOFF, cdcg(after), ratios[:, 0], ratios[:, 1]], axis=1)
    fixed, curve = found[..., : len(SIZES)], found[..., len(SIZES) :]
    areas = np.trapezoid(curve, _SHARES, axis=-1)
    return dict(zip(explanations, np.concatenate([fixed, areas[..., None]], -1), strict=True))


def leading(order: Indices, sizes: Indices) -> Masks:
    """Return a mask of the first events for each size: sizes x T; all where a size exceeds T."""
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return np.asarray(places < sizes[:, None])


def cdcg(ranks: Indices) -> Floats:
    """Return 1 / log2(1 + rank): 1 at rank 1, towards 0 far below."""
    return discounts(ranks)


def executed(case: Case, masks: Masks) -> tuple[Indices, Floats]:
    """Return the target's rank and the logarithm of its f for each mask; equal masks run once."""
    different, place = np.unique(masks, axis=0, return_inverse=True)
    rows = case.scores(different)
    ranks = [rank_of(row, case.target, case.hidden) for row in rows]
    return np.asarray(ranks, dtype=np.int64)[place], _log_softmax(rows, case)[place]


def paired(differences: Floats, seed: int) -> Paired:
    """Return the percentile bootstrap of means over the last axis, users; all draw the same users.

    p: twice the share of the resampled means on the rarer side of 0, the sample itself counted in.
    """
    users = differences.shape[-1]
    drawn = np.random.default_rng(seed).multinomial(users, np.full(users, 1 / users), RESAMPLES)
    means = differences @ (drawn.T / users)
    low, high = np.percentile(means, [2.5, 97.5], axis=-1)
    rarer = np.minimum((means <= 0).sum(-1), (means >= 0).sum(-1))
    p = np.minimum(1.0, 2 * (rarer + 1) / (RESAMPLES + 1))
    return Paired(differences.mean(-1), low, high, p)


def _log_softmax(rows: Floats, case: Case) -> Floats:
    """Return the target's log probability among the unseen items for each row of scores."""
    unseen = rows.copy()
    unseen[:, case.hidden] = -np.inf
    top = unseen.max(1)
    total = np.log(np.exp(unseen - top[:, None]).sum(1)) + top
    return np.asarray(rows[:, case.target] - total, dtype=np.float64)
