"""Draw small worlds with planted causes of many kinds and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from whythis.bench.case import Floats, Indices
from whythis.bench.planted import Effect, Planted, World, subsets, truth_of
from whythis.recsys.errors import DataError

SHAPES = (
    "single",  # one past item carries the target
    "taste",  # a group of past items carries it, none of them alone
    "redundant",  # either of two suffices: only without both it is lost
    "interaction",  # two help only together
    "backup",  # either of two interactions suffices: no item is missed alone, and none does alone
)
KINDS = (
    *SHAPES,
    "suppressor",  # one of the above, and past items that hold the target back
    "distractor",  # one of the above, and past items often liked with the target, without effect
    "decoy",  # a small single cause decides; a larger one has two stand-ins and is not missed
    "popular",  # in the top whatever the history, though some events may move its score
    "rescued",  # in the top without any history, pushed out by some events, rescued by others
    "mixed",  # up to three causes, suppressors and distractors at once
)
TOP = 10
_LEADERS, _PACK = 4, 14  # pack >= TOP: a target below the pack is out, whoever is hidden
_WILD = 2.0  # most that a history moves a leader or an item of the tail
_EDGE = 0.02  # half the width of the pack, and the least distance of a target from it
LARGEST = 5  # events in the smallest necessary set
_EVENTS = 11  # planted on one target: its 2^events subsets are enumerated


class WorldConfig(BaseModel):
    """Hold every choice that decides a world; equal configurations give equal worlds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0)
    kinds: tuple[str, ...] = KINDS
    shortest: int = Field(12, ge=1, description="length of a history, at least; planted included")
    longest: int = Field(80, ge=1, description="length of a history, at most")
    crowd: int = Field(150, ge=1, description="other users, whose likes make items alike")
    noise: float = Field(0.05, gt=0, le=0.2, description="most that all noise moves a target")


def make_world(config: WorldConfig) -> World:
    """Draw a world: one explained user for each of `config.kinds`, and a crowd.

    Raises `DataError` for an unknown kind, or where histories are too short for what is planted.
    """
    if config.longest < config.shortest:
        raise DataError(f"longest is {config.longest}: it is below shortest, {config.shortest}")
    rng = np.random.default_rng([config.seed, 1])
    plots = [_plot(kind, rng, config) for kind in config.kinds]
    known = sum(plot.base > 0 for plot in plots)
    if known + _LEADERS >= TOP:
        raise DataError(f"{known} targets are popular: at most {TOP - 1 - _LEADERS} fit one world")
    used = sum(1 + plot.planted + plot.distractors for plot in plots)
    pool = 2 * config.longest
    n = _LEADERS + _PACK + used + 2 * pool  # as many ordinary items that nobody explained has
    order = iter(rng.permutation(n).tolist())
    leaders, pack, fillers = (_take(order, count) for count in (_LEADERS, _PACK, pool))
    planted = tuple(
        _settled(f"u{number:04d}", plot, order, fillers, rng, config)
        for number, plot in enumerate(plots)
    )
    base = rng.uniform(-9, -3, n)
    base[leaders] = rng.uniform(3, 5, _LEADERS)
    base[pack] = rng.uniform(-_EDGE / 2, _EDGE / 2, _PACK)
    base[[one.target for one in planted]] = [one.base for one in planted]
    tame = np.concatenate([pack, [one.target for one in planted]])
    noise = _noise(rng, [one.history for one in planted], n, tame, config.noise)
    return World(
        f"world {config.seed}", base, noise, planted, _crowd(rng, planted, base, config.crowd)
    )


@dataclass(frozen=True)
class _Plot:
    """Hold a target's causes before items are given to them: events are numbers from 0."""

    kind: str
    effects: tuple[Effect, ...]
    base: float
    distractors: int

    @property
    def planted(self) -> int:
        return sum(len(e.events) for e in self.effects)


def _plot(kind: str, rng: np.random.Generator, config: WorldConfig) -> _Plot:
    """Draw effects until a base fits between two of the sums their subsets can have."""
    for _ in range(1000):
        effects, distractors = _effects(kind, rng)
        planted = sum(len(e.events) for e in effects)
        if planted > _EVENTS or planted + distractors > config.shortest:
            continue
        base = _base(kind, effects, rng, config.noise)
        if base is None:
            continue
        smallest = min(map(len, truth_of(effects, base).necessary), default=0)
        wrong = (kind == "taste" and smallest == 1) or (kind == "decoy" and smallest > 1)
        if smallest <= LARGEST and not wrong:
            return _Plot(kind, effects, base, distractors)
    raise DataError(f"no plot of kind {kind!r} fits {config.shortest} events: raise `shortest`")


def _effects(kind: str, rng: np.random.Generator) -> tuple[tuple[Effect, ...], int]:
    """Draw what a kind plants, and how many distractors; events are numbered from 0."""
    causes, held, distractors = 1, 0, 0
    if kind == "popular":
        causes, held = int(rng.integers(0, 2)), int(rng.integers(0, 2))
    elif kind in ("suppressor", "rescued"):
        held = 1
    elif kind == "distractor":
        distractors = int(rng.integers(2, 5))
    elif kind == "mixed":
        causes, held = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        distractors = int(rng.integers(0, 3))
    elif kind == "decoy":
        size = rng.uniform(0.35, 0.9)
        return (Effect(((0,),), size), Effect(((1,), (2,), (3,)), size * rng.uniform(4, 6))), 0
    elif kind not in SHAPES:
        raise DataError(f"no kind of world is called {kind!r}; there are {', '.join(KINDS)}")
    drawn: list[Effect] = []
    for number in range(causes + held):
        held_back = number >= causes
        shapes: tuple[str, ...] = (kind,) if kind in SHAPES else SHAPES
        if held_back and kind != "mixed":
            shapes = SHAPES[:2]
        start = sum(len(e.events) for e in drawn)
        drawn += _shaped(str(rng.choice(shapes)), -1 if held_back else 1, start, rng)
    return tuple(drawn), distractors


def _shaped(shape: str, sign: int, start: int, rng: np.random.Generator) -> list[Effect]:
    """Draw effects of one shape on the events from `start`; sizes differ by a factor of ten."""
    size = sign * float(np.exp(rng.uniform(np.log(0.3), np.log(3.0))))
    a, b, c, d = range(start, start + 4)
    ways = {
        "single": ((a,),),
        "redundant": ((a,), (b,)),
        "interaction": ((a, b),),
        "backup": ((a, b), (c, d)),
    }
    if shape in ways:
        return [Effect(ways[shape], size)]
    count = int(rng.integers(3, 8))
    parts = size / count**0.5 * rng.uniform(0.97, 1.03, count)
    return [Effect(((a + i,),), float(part)) for i, part in enumerate(parts)]


def _base(
    kind: str, effects: Sequence[Effect], rng: np.random.Generator, noise: float
) -> float | None:
    """Draw a base that the noise of target and pack cannot carry across 0; None: there is none."""
    clear = 2 * noise + 2 * _EDGE
    present, lifts = subsets(effects)
    if kind == "popular":
        return float(clear - lifts.min() + rng.uniform(0, 1))
    full, empty = lifts[present.all(1)][0], lifts[~present.any(1)][0]
    levels = np.unique(lifts)
    low, high = levels[:-1], levels[1:]
    fits = (high - low > 2 * clear) & (high <= full)
    fits &= (high <= empty) if kind == "rescued" else (low >= empty)
    if not fits.any():
        return None
    gap = int(rng.choice(np.flatnonzero(fits)))
    return -float(rng.uniform(low[gap] + clear, high[gap] - clear))


def _take(order: Iterator[int], count: int) -> Indices:
    return np.asarray([next(order) for _ in range(count)], dtype=np.int64)


def _settled(
    user: str,
    plot: _Plot,
    order: Iterator[int],
    fillers: Indices,
    rng: np.random.Generator,
    config: WorldConfig,
) -> Planted:
    """Give items to a plot: planted ones that no other explained user has, the rest fillers."""
    target, events = int(next(order)), _take(order, plot.planted)
    distractors = _take(order, plot.distractors)
    own = len(events) + len(distractors)
    length = int(rng.integers(config.shortest, config.longest + 1))
    others = rng.permutation(fillers)[: length - own + 3]
    history = rng.permutation(np.concatenate([events, distractors, others[3:]]))
    effects = tuple(
        Effect(tuple(tuple(events[list(way)].tolist()) for way in e.ways), e.size)
        for e in plot.effects
    )
    return Planted(
        plot.kind,
        user,
        target,
        plot.base,
        effects,
        history,
        others[:3],
        tuple(distractors.tolist()),
    )


def _noise(
    rng: np.random.Generator, histories: Sequence[Indices], n: int, tame: Indices, most: float
) -> Floats:
    """Draw noise: no subset of a history moves a tame item by more than `most`, others by _WILD.

    A single event moves a tame item by at most a quarter of that.
    """
    noise = rng.uniform(-1, 1, (n, n)) * (rng.random((n, n)) < 0.3)
    sums = [part.sum(0) for h in histories for part in (noise[h].clip(0), -noise[h].clip(None, 0))]
    bound = np.full(n, _WILD)
    bound[tame] = most
    noise *= bound / np.max(sums, axis=0).clip(1.0)
    noise[:, tame] = noise[:, tame].clip(-most / 4, most / 4)
    return np.asarray(noise, dtype=np.float64)


def _crowd(
    rng: np.random.Generator, planted: Sequence[Planted], base: Floats, size: int
) -> tuple[Indices, ...]:
    """Draw the likes of other users: items high up often, and each target with a few past items.

    These are its distractors where it has some, else by chance its causes or other past items.
    """
    weights = rng.pareto(2.0, len(base)) + 0.1 + 2 * (base > -1)
    liked = [
        set(rng.choice(len(base), int(rng.integers(15, 31)), False, weights / weights.sum()))
        for _ in range(size)
    ]
    for one in planted:
        causes = [event for e in one.effects for event in e.events]
        alike = one.distractors or (causes if rng.random() < 0.5 else one.history[:3])
        for member in rng.choice(size, min(size, 12), replace=False):
            liked[member] |= {one.target, *(i for i in alike if rng.random() < 0.8)}
    return tuple(rng.permutation(np.asarray(sorted(likes), dtype=np.int64)) for likes in liked)
