"""Predict held-out choices from memory alone, and notice a neighbour's memory put in its place.

Each user's last like is held out and the one before it is for choosing how much a memory holds; the
model is fitted without both. Memories rank all items outside the history by the embeddings of that
model, beside popularity and the model itself.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from whythis.bench.datasets import read
from whythis.bench.personas import recommender, scorer
from whythis.bench.problem import HeldOut, held_out
from whythis.bench.ranking import Floats, gains, interval
from whythis.bench.remembered import Remembered, profiles
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.bench.swapped import swaps
from whythis.recsys.config import FitConfig
from whythis.recsys.fitting import train
from whythis.recsys.interactions import Dataset
from whythis.recsys.kernels import Indices
from whythis.recsys.metrics import Ranks, hit_rate, ndcg, rank_of
from whythis.recsys.recommender import Recommender
from whythis.recsys.split import leave_last_out
from whythis.tools.reviews.index import Sentence
from whythis.tools.reviews.opinions import OpinionTable
from whythis.tools.reviews.sentences import split
from whythis.tools.workspace import Workspace

SIZES = (1, 2, 3, 5, 10, 20)
"""How many items a memory may hold, of a card or of the past; validation chooses."""

WEIGHTS = (0.1, 0.3, 1.0)
"""What aspects may count beside tastes."""

Score = Callable[[Remembered], Floats]

POPULARITY, FULL, BOTH = "popularity", "full model", "semantic + episodic"
SEMANTIC, RECENT, SIMILAR = "semantic", "episodic, recent", "episodic, similar"
TASTES = "semantic, tastes only"
"""Shown where there are reviews: the summary without its aspects."""

_QUICK, _TRIALS = 200, 1000


class Moment(NamedTuple):
    """Hold what each user had liked, oldest first, and liked next."""

    histories: Sequence[Indices]
    targets: Sequence[int]


@dataclass(frozen=True, eq=False)
class Ground:
    """Hold what memories are measured on: a model, users, and two moments.

    now: the test item is the target; before: the validation item is. likes: of each item in
    training.
    """

    rec: Recommender
    users: Sequence[str]
    now: Moment
    before: Moment
    likes: Floats
    opinions: OpinionTable | None


class Measured(NamedTuple):
    """Hold the ranks that one memory gave the test items, and what validation chose for it."""

    ranks: Ranks
    chosen: str = ""


def main(argv: Sequence[str]) -> int:
    """Measure on a data set (see `whythis.bench.datasets`)."""
    options = arguments(__doc__, "ml-100k").parse_args(argv)
    torch.set_num_threads(1)
    return report(measure(read(options.data), options.seed, options.quick), options)


def measure(dataset: Dataset, seed: int = 0, quick: bool = False) -> Result:
    """Fit without the held-out likes, rank them by every memory, and swap summaries."""
    tell("fitting without the held-out likes ...")
    ground = _ground(dataset, seed, quick)
    tell("ranking ...")
    found = dict(_memories(ground))
    figures: dict[str, float] = {"users": float(len(ground.users))}
    for name, one in found.items():
        figures |= {f"{name} hr@10": hit_rate(one.ranks), f"{name} ndcg@10": ndcg(one.ranks)}
    pairs = ((first, second) for first in (BOTH, FULL) for second in found if second != first)
    for first, second in pairs:
        gap = gains(found[first].ranks) - gains(found[second].ranks)
        low, high = interval(gap, seed)
        name = f"{first} - {second} ndcg@10"
        figures |= {name: float(gap.mean()), f"{name} low": low, f"{name} high": high}
    tell("swapping summaries ...")
    whole = replace(ground.rec, hashes={"model": "0" * 64, "data": dataset.hash})
    swapped = swaps(Workspace(whole), _QUICK if quick else _TRIALS, seed)
    figures |= {f"swap {name}": float(value) for name, value in swapped._asdict().items()}
    return Result(
        bench="memory",
        data=dataset.name,
        seed=seed,
        figures=figures,
        targets=[
            Target("swap trials", ">=", 200.0),
            Target("swap flagged", ">=", 0.95),
            Target("swap own_flagged", "==", 0.0),
        ],
        rows=_rows(found, figures),
        notes=[
            f"{len(ground.users):,} users; differences of NDCG@10 with 95 % paired bootstraps",
            f"neighbours share {figures['swap overlap']:.2f} of their likes",
            f"{figures['swap statements_false']:.2f} of a swapped summary's statements are false",
        ],
    )


def _ground(dataset: Dataset, seed: int, quick: bool) -> Ground:
    held = held_out(dataset, seed)
    users = leave_last_out(dataset, seed).test["user"].tolist()
    config = FitConfig(seed=seed)
    model = train(list(held.problem.train), held.problem.valid, dataset, config).model
    drawn = np.random.default_rng(seed).permutation(len(users))
    chosen = sorted(int(row) for row in drawn[: _QUICK if quick else None])
    read_reviews = len(dataset.reviews) and not quick
    return Ground(
        rec=recommender(dataset, model, config),
        users=[users[row] for row in chosen],
        now=_moment(held.histories, held.targets, chosen),
        before=_moment(*held.problem.valid, chosen),
        likes=np.asarray(held.problem.events.sum(0), dtype=np.float64).ravel(),
        opinions=_opinions(dataset, users, held) if read_reviews else None,
    )


def _moment(histories: Sequence[Indices], targets: Sequence[int], chosen: Sequence[int]) -> Moment:
    return Moment([histories[row] for row in chosen], [targets[row] for row in chosen])


def _opinions(dataset: Dataset, users: Sequence[str], held: HeldOut) -> OpinionTable:
    """Read what reviews judge, without those that belong to the held-out likes."""
    tell("reading the reviews for aspects ...")
    ids = dataset.items["item"].tolist()
    last = (held.targets, held.problem.valid[1])
    gone = {(u, ids[i]) for part in last for u, i in zip(users, part, strict=True)}
    reviews = dataset.reviews
    pairs = zip(reviews["user"], reviews["item"], strict=True)
    kept = reviews[[pair not in gone for pair in pairs]]
    with tempfile.TemporaryDirectory() as folder:
        return OpinionTable.build(Path(folder), _Sentences(kept))


class _Sentences:
    """Give the sentences of a data set's reviews, as an index of them would."""

    def __init__(self, reviews: pd.DataFrame) -> None:
        self._reviews = reviews.sort_values("id")

    @property
    def fingerprint(self) -> str:
        """Return a hash of which reviews they are."""
        return sha256("\n".join(self._reviews["id"]).encode()).hexdigest()

    def sentences(self) -> Iterator[Sentence]:
        """Yield all sentences in the order of their reviews."""
        names = ("id", "item", "user", "text")
        for review, item, user, text in zip(*(self._reviews[n] for n in names), strict=True):
            for n, span in enumerate(split(text), start=1):
                yield Sentence(
                    id=f"{review}#{n}",
                    review=review,
                    item=item,
                    user=user,
                    text=span.text,
                    start=span.start,
                    end=span.end,
                    source="reviews",
                )


def _memories(ground: Ground) -> Iterator[tuple[str, Measured]]:
    """Yield what each memory reaches; how much it holds is chosen on validation."""
    now, before = (_remembered(ground, part) for part in (ground.now, ground.before))
    yield POPULARITY, Measured(_ranks(np.tile(ground.likes, (len(ground.users), 1)), ground.now))
    best: dict[str, Score] = {}
    validated: dict[str, float] = {}
    for name, kinds in _kinds(ground.opinions is not None).items():
        reached = {held: ndcg(_ranks(kind(before), ground.before)) for held, kind in kinds.items()}
        chosen = max(reached, key=lambda held: reached[held])  # of equals the first, the smallest
        best[name], validated[name] = kinds[chosen], reached[chosen]
        yield name, Measured(_ranks(best[name](now), ground.now), chosen)
    episodic = max((RECENT, SIMILAR), key=lambda name: validated[name])
    both = now.both(best[SEMANTIC](now), best[episodic](now))
    yield BOTH, Measured(_ranks(both, ground.now), episodic)
    whole = scorer(ground.rec)(np.arange(len(ground.users)), ground.now.histories)
    yield FULL, Measured(_ranks(whole, ground.now))


def _kinds(aspects: bool) -> dict[str, dict[str, Score]]:
    """Return the memories, and each with as much as it may hold."""
    tastes: dict[str, Score] = {f"{n} items": partial(Remembered.tastes, typical=n) for n in SIZES}
    weighed: dict[str, Score] = {
        f"{n} items, aspects x {weight}": partial(Remembered.summary, typical=n, weight=weight)
        for n in SIZES
        for weight in WEIGHTS
    }
    return {
        **({TASTES: tastes, SEMANTIC: weighed} if aspects else {SEMANTIC: tastes}),
        RECENT: {f"{n} items": partial(Remembered.recent, n=n) for n in SIZES},
        SIMILAR: {f"{n} items": partial(Remembered.similar, n=n) for n in SIZES},
    }


def _remembered(ground: Ground, moment: Moment) -> Remembered:
    if ground.opinions is None:
        return Remembered(ground.rec, moment.histories)
    table, ids = ground.opinions, ground.rec.item_ids.ids
    known = table.vocabulary
    total = sum(known.values())
    weight = {aspect: float(np.log1p(total / known[aspect])) for aspect in known}
    own = [
        Counter(o.aspect for o in table.of_user(user) if o.item in {ids[i] for i in history})
        for user, history in zip(ground.users, moment.histories, strict=True)
    ]
    of_items = [Counter(o.aspect for o in table.of_item(item)) for item in ids]
    aspects = profiles(own, weight), profiles(of_items, weight)
    return Remembered(ground.rec, moment.histories, aspects)


def _ranks(scores: Floats, moment: Moment) -> Ranks:
    rows = zip(scores, moment.targets, moment.histories, strict=True)
    return np.asarray([rank_of(s, t, h) for s, t, h in rows], dtype=np.int64)


def _rows(found: Mapping[str, Measured], figures: Mapping[str, float]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("memory", "chosen", "HR@10", "NDCG@10", "both - it", "full model - it")
    ]
    for name, one in found.items():
        apart = [_gap(figures, other, name) for other in (BOTH, FULL)]
        reached = (f"{figures[f'{name} hr@10']:.3f}", f"{figures[f'{name} ndcg@10']:.4f}")
        rows.append((name, one.chosen, *reached, *apart))
    return rows


def _gap(figures: Mapping[str, float], first: str, second: str) -> str:
    name = f"{first} - {second} ndcg@10"
    if name not in figures:
        return ""
    low, high = figures[f"{name} low"], figures[f"{name} high"]
    return f"{figures[name]:+.4f} [{low:+.4f}, {high:+.4f}]"
