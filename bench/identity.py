"""Ask whether personas are several, and the same ones again: collapse, and stability over seeds.

Personas collapse where a user's are near copies of one another, or where one takes all (REMI, Xie
et al., RecSys 2023, arXiv 2302.14532, shows it of learned routing). They are stable where two fits
that differ in their seed alone find the same tastes, in whatever order. It is measured, and no
target is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import get_args

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment

from whythis.bench.accuracy import listed
from whythis.bench.datasets import read
from whythis.bench.personas import recommender
from whythis.bench.problem import HeldOut, held_out
from whythis.bench.ranking import LIST, top
from whythis.bench.result import Result, arguments, report, tell
from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import FitConfig, Source
from whythis.recsys.errors import DataError
from whythis.recsys.fitting import train
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import Indices
from whythis.recsys.medoid import MedoidPersonas
from whythis.recsys.model import PersonaModel
from whythis.recsys.recommender import Recommender
from whythis.recsys.structure import unit

Floats = npt.NDArray[np.float64]

ALIKE = 0.95
"""Personas whose cosine is above this are near copies."""

HELD = 0.05
"""Personas that hold less of the history than this are not looked at."""


@dataclass(frozen=True, eq=False)
class Taken:
    """Hold one user's personas: masses (K), vectors (K x d), what they say of every item (K x n).

    shares: attention on the user's best items, `LIST` x K.
    """

    masses: Floats
    vectors: Floats
    sayings: Floats
    shares: Floats

    @property
    def held(self) -> npt.NDArray[np.bool_]:
        """Return which personas hold enough of the history."""
        return self.masses >= HELD


def main(argv: Sequence[str]) -> int:
    """Measure on a data set or a table (see `whythis.bench.datasets`)."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--seeds", type=int, default=3, help="fits to compare; at least 2")
    parser.add_argument("--users", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--personas", type=int, default=FitConfig().personas, help="K")
    parser.add_argument("--sources", default="history", help="of personas; default: %(default)s")
    options = parser.parse_args(argv)
    if options.seeds < 2 or options.users < 2:
        raise DataError("--seeds and --users: two of each are compared at least")
    torch.set_num_threads(1)
    seeds = 2 if options.quick else options.seeds
    users = min(options.users, 100) if options.quick else options.users
    sources: tuple[Source, ...] = listed(options.sources, get_args(Source))
    configs = [FitConfig(source=s, personas=options.personas, seed=options.seed) for s in sources]
    return report(measure(read(options.data), configs, seeds, users), options)


def measure(dataset: Dataset, configs: Sequence[FitConfig], seeds: int, users: int) -> Result:
    """Fit each configuration under several seeds on one split; look at some users' personas."""
    first = configs[0].seed
    held = held_out(dataset, first)
    rng = np.random.default_rng(first)
    chosen = np.sort(rng.permutation(len(held.histories))[:users])
    histories = [held.histories[row] for row in chosen]
    figures: dict[str, float] = {"users": float(len(histories))}
    rows: list[tuple[str, ...]] = []
    for config in configs:
        fits = []
        for seed in range(first, first + seeds):
            tell(f"{config.source} personas, seed {seed} ...")
            fits.append(_fit(dataset, held, config.model_copy(update={"seed": seed})))
        taken = [[taken_apart(rec, history) for history in histories] for rec in fits]
        found = collapse(taken[0]) | stability([rec.model for rec in fits], taken, first)
        figures |= {f"{config.source} {name}": value for name, value in found.items()}
        rows = rows or [("personas", *found)]
        rows.append((f"{config.source} K={config.personas}", *(f"{v:.3f}" for v in found.values())))
    table = list(zip(*rows, strict=True))  # a line a figure: they have long names
    notes = [
        f"personas count from a mass of {HELD}; near copies have a cosine above {ALIKE}",
        "matched: mean cosine after the best matching of two fits' personas",
        "by chance: of shuffled items, and of another user's personas",
    ]
    return Result("identity", dataset.name, first, figures, rows=table, notes=notes)


def _fit(dataset: Dataset, held: HeldOut, config: FitConfig) -> Recommender:
    model = train(list(held.problem.train), held.problem.valid, dataset, config).model
    return recommender(dataset, model, config)


def taken_apart(rec: Recommender, history: Indices) -> Taken:
    """Return the personas of a history and their shares of its best items."""
    mixture = rec.mixture(history[-rec.window :])
    vectors = mixture.personas[0].numpy()
    best = top(mixture.scores[0].numpy(), history)
    shares = mixture.shares[0].numpy()
    sayings = vectors @ rec.model.candidate_side.numpy().T
    # What all items have in common tells no persona from another.
    sayings -= sayings.mean(1, keepdims=True)
    return Taken(mixture.masses[0].numpy(), vectors, sayings, shares[:, best].T)


def collapse(users: Sequence[Taken]) -> dict[str, float]:
    """Return how many personas users have, and how many users have copies among them.

    The effective number is exp(entropy), 1..K: of the masses, and of the shares on each of the
    user's best items.
    """
    closest = [_cosines(user) for user in users]
    several = [pairs for pairs in closest if len(pairs)]
    return {
        "one persona only, users": 1.0 - len(several) / len(users),
        "some near copies, users": _mean([pairs.max() > ALIKE for pairs in several]),
        "all near copies, users": _mean([pairs.min() > ALIKE for pairs in several]),
        "cosine of two personas": _mean([pairs.mean() for pairs in several]),
        "effective number by mass": _mean([_effective(user.masses) for user in users]),
        f"effective number by share on the top {LIST}": _mean(
            [_effective(shares) for user in users for shares in user.shares]
        ),
    }


def stability(
    models: Sequence[PersonaModel], taken: Sequence[Sequence[Taken]], seed: int
) -> dict[str, float]:
    """Return how far later fits agree with the first, over items and over users' personas.

    Items: of each persona's column of memberships (`history`) or of its profile (`medoid`); NaN for
    `free`, whose personas are a user's own. Users: of what the persona vectors say of all items,
    because every fit has a space of its own; a pair weighs as much as the mass in the first fit.
    """
    rng = np.random.default_rng(seed)
    columns = [_columns(model) for model in models]
    items, chance, own, others = [], [], [], []
    for later in range(1, len(models)):
        one, two = columns[0], columns[later]
        if one is not None and two is not None:
            items.append(matched(one.T, two.T))
            chance.append(matched(one.T, rng.permutation(two).T))
        pairs = list(zip(taken[0], taken[later], strict=True))
        own += [_agreement(user, same) for user, same in pairs]
        others += [
            _agreement(user, other)
            for (user, _), (_, other) in zip(pairs, pairs[1:] + pairs[:1], strict=True)
        ]
    return {
        "items, matched cosine": _mean(items),
        "items, by chance": _mean(chance),
        "users, matched cosine": _mean(own),
        "users, by chance": _mean(others),
    }


def matched(one: Floats, two: Floats, weights: Floats | None = None) -> float:
    """Return the mean cosine of the rows of two matrices in the best one-to-one matching.

    Hungarian method; `weights`: of the rows of `one` (default: all alike). Where one has more rows,
    those left over do not count.
    """
    cosines = unit(one) @ unit(two).T
    weights = np.ones(len(one)) if weights is None else weights
    rows, columns = linear_sum_assignment(weights[:, None] * cosines, maximize=True)
    return float(np.average(cosines[rows, columns], weights=weights[rows]))


def _agreement(user: Taken, other: Taken) -> float:
    mine, theirs = user.held, other.held
    if not mine.any() or not theirs.any():
        return float("nan")
    return matched(user.sayings[mine], other.sayings[theirs], user.masses[mine])


def _columns(model: PersonaModel) -> Floats | None:
    """Return what each persona is made of over all items: n x K."""
    if isinstance(model, HistoryPersonas):
        return np.asarray(model.membership.numpy(), dtype=np.float64)
    if isinstance(model, MedoidPersonas):
        return np.asarray(model.profiles.numpy().T, dtype=np.float64)
    return None


def _cosines(user: Taken) -> Floats:
    rows = unit(user.vectors[user.held])
    return np.asarray([a @ b for a, b in combinations(rows, 2)], dtype=np.float64)


def _effective(shares: Floats) -> float:
    parts = shares[shares > 0]
    return float(np.exp(-(parts * np.log(parts)).sum()))


def _mean(values: Sequence[float | np.bool_]) -> float:
    known = [float(value) for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
