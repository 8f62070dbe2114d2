"""Run every explainer on the top-1 of sampled users, and execute what each of them names."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from whythis.bench.case import Case, Explainer, Floats, Masks
from whythis.bench.explainers import minimal_set
from whythis.bench.fidelity import CUTOFF, SIZES, cdcg, executed, fidelity, leading, ordering
from whythis.bench.result import tell
from whythis.recsys.effects import most_recent
from whythis.recsys.errors import DataError
from whythis.recsys.recommender import Recommender

SETS = "minimal set"


@dataclass(frozen=True, eq=False)
class Measured:
    """Hold what each explainer reached.

    values: users x METRICS x COLUMNS each; sets: users x (POS@10, CDCG, size) with as many events
    removed as the user's minimal set has; seconds: for one explanation, median; complete: share of
    the minimal sets that push the target out of the top 10; floor: the lowest POS@10 at Ke = 1 that
    any choice of one event can have.
    """

    values: Mapping[str, Floats]
    sets: Mapping[str, Floats]
    seconds: Mapping[str, float]
    complete: float
    floor: float


def sampled(rec: Recommender, users: int, seed: int) -> list[Case]:
    """Return the top-1 of random users with more than `max(SIZES)` liked items, as cases.

    Raises:
        DataError: there is no such user.
    """
    n = len(rec.item_ids)
    enough = [
        u for u in rec.user_ids.ids if len(rec.liked(u)) > max(SIZES) and len(rec.seen(u)) < n
    ]
    if not enough:
        raise DataError(
            f"none of the {len(rec.user_ids)} users has more than {max(SIZES)} liked items: there "
            "is nothing to remove; take a data set with longer histories"
        )
    order = np.random.default_rng(seed).permutation(len(enough))[:users]
    return [case_of(rec, enough[place]) for place in order]


def case_of(rec: Recommender, user: str, target: int | None = None) -> Case:
    """Return a user's top-1 (or another unseen item) as a case; the history is all liked items.

    The model reads the most recent `window` events that a mask leaves.
    """
    liked = rec.liked(user)

    def scores(masks: Masks) -> Floats:
        return np.stack(list(rec.rescored(liked, most_recent(masks, rec.window))))

    if target is None:
        target = rec.item_ids.index(rec.recommend(user, 1)[0].item)
    return Case(user, target, liked, rec.seen(user), scores)


def explained(
    rec: Recommender, cases: Sequence[Case], explainers: Mapping[str, Explainer]
) -> Measured:
    """Ask each explainer once for each case, and measure what it said."""
    seconds: dict[str, list[float]] = {name: [] for name in (*explainers, SETS)}
    values: dict[str, list[Floats]] = {name: [] for name in explainers}
    sets: dict[str, list[Floats]] = {name: [] for name in seconds}
    floor = []
    for number, case in enumerate(cases, 1):
        weights = {}
        for name, explain in explainers.items():
            started = time.perf_counter()
            weights[name] = explain(case)
            seconds[name].append(time.perf_counter() - started)
        started = time.perf_counter()
        chosen = minimal_set(rec, case, CUTOFF)
        seconds[SETS].append(time.perf_counter() - started)
        for name, found in fidelity(case, weights).items():
            values[name].append(found)
        size = np.asarray([chosen.sum()])
        same = [leading(ordering(w), size)[0] for w in weights.values()]
        singles = np.eye(len(case.history), dtype=bool)
        ranks, _ = executed(case, ~np.vstack([*same, chosen, singles]))
        for name, rank in zip(sets, ranks[: len(sets)], strict=True):
            sets[name].append(np.asarray([rank <= CUTOFF, cdcg(rank), size[0]], dtype=np.float64))
        floor.append(ranks[len(sets) :].max() <= CUTOFF)
        if number % 20 == 0:
            tell(f"{number} of {len(cases)} users")
    at_size = {name: np.stack(found) for name, found in sets.items()}
    return Measured(
        values={name: np.stack(found) for name, found in values.items()},
        sets=at_size,
        seconds={name: float(np.median(took)) for name, took in seconds.items()},
        complete=1.0 - float(at_size[SETS][:, 0].mean()),
        floor=float(np.mean(floor)),
    )
