"""Hold worlds in which the causes of recommendations are planted, and so are known.

The score of item y for a set of past items H is a program, not a fitted model:

    s_y(H) = base_y + sum of noise_iy over i in H + sum of the effects planted on y

An effect adds its size once all the events of one of its ways are in H. With the pack near 0,
leaders well above it and the tail well below it, a target is in the top exactly while its planted
part is above 0: the noise is bounded so that no subset of a history can change that. What is
necessary then follows from the planted effects alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from whythis.bench.case import Case, Floats, Indices, Masks
from whythis.recsys.interactions import Dataset, make_dataset


@dataclass(frozen=True)
class Effect:
    """Hold what past items do to one target: `size`, once all events of one of the `ways` are in.

    One way of one event is a plain cause; two ways stand in for each other; a way of two events
    works only with both.
    """

    ways: tuple[tuple[int, ...], ...]
    size: float

    @property
    def events(self) -> tuple[int, ...]:
        """Return every event that takes part."""
        return tuple(event for way in self.ways for event in way)

    def lift(self, column: Callable[[int], npt.NDArray[np.bool_]]) -> Floats:
        """Return what it adds, given whether an event is in each of B sets: B floats."""
        fires = [np.all([column(event) for event in way], axis=0) for way in self.ways]
        return np.asarray(self.size * np.any(fires, axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Truth:
    """Hold what is so by construction.

    `signs`: +1 or -1 of each planted past item; `necessary`: every inclusion-minimal set of past
    items whose removal takes the target out of the top; `personal`: whether any removal does.
    """

    signs: Mapping[int, int]
    necessary: frozenset[frozenset[int]]

    @property
    def personal(self) -> bool:
        """Return whether the recommendation rests on the user's history at all."""
        return bool(self.necessary)


@dataclass(frozen=True, eq=False)
class Planted:
    """Hold one explained recommendation: T past items oldest first, and what was planted."""

    kind: str
    user: str
    target: int
    base: float
    effects: tuple[Effect, ...]
    history: Indices
    disliked: Indices
    distractors: tuple[int, ...]

    @cached_property
    def truth(self) -> Truth:
        """Return what is so by construction, from the planted effects without noise."""
        return truth_of(self.effects, self.base)

    @property
    def hidden(self) -> Indices:
        """Return everything the user has seen."""
        return np.concatenate([self.history, self.disliked])


@dataclass(frozen=True, eq=False)
class World:
    """Hold a catalogue of n items, users with histories, and the scorer that causes were put in."""

    name: str
    base: Floats  # n
    noise: Floats  # n x n, from past item to scored item
    planted: tuple[Planted, ...]
    crowd: tuple[Indices, ...]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Return the item ids, in the order of the dataset built from this world."""
        return tuple(f"i{index:04d}" for index in range(len(self.base)))

    @cached_property
    def _effects(self) -> dict[int, list[tuple[int, Effect]]]:
        """Return (target, effect) under the first event of each way of each effect."""
        found: dict[int, list[tuple[int, Effect]]] = {}
        for one in self.planted:
            for effect in one.effects:
                for way in effect.ways:
                    found.setdefault(way[0], []).append((one.target, effect))
        return found

    def _reached(self, events: Sequence[int]) -> Iterable[tuple[int, Effect]]:
        """Return the (target, effect) pairs that these events may set off, each once."""
        known = self._effects
        return dict.fromkeys(pair for event in events if event in known for pair in known[event])

    def scores(self, history: Indices, masks: Masks) -> Floats:
        """Score all items for a history under masks: B x T to B x n."""
        scores = self.base + masks.astype(np.float64) @ self.noise[history]
        columns = {event: masks[:, place] for place, event in enumerate(history.tolist())}
        never = np.zeros(len(masks), dtype=bool)
        for target, effect in self._reached(history.tolist()):
            scores[:, target] += effect.lift(lambda event: columns.get(event, never))
        return np.asarray(scores, dtype=np.float64)

    def scores_of(self, history: Sequence[str]) -> Floats:
        """Score all items for a history of item ids, oldest first: n floats."""
        events = [int(item[1:]) for item in history]
        live = set(events)
        scores = self.base + self.noise[events].sum(0)
        for target, effect in self._reached(events):
            if any(live.issuperset(way) for way in effect.ways):
                scores[target] += effect.size
        return np.asarray(scores, dtype=np.float64)

    def case(self, one: Planted) -> Case:
        """Return what an explainer is given: scores to ask for, and nothing of the truth."""
        scores = partial(self.scores, one.history)
        return Case(one.user, one.target, one.history, one.hidden, scores)

    @cached_property
    def dataset(self) -> Dataset:
        """Return everyone's interactions: liked items rated 5, disliked ones 2."""
        rows = [
            (one.user, self.ids[item], 5.0 if time < len(one.history) else 2.0, float(time))
            for one in self.planted
            for time, item in enumerate(one.hidden)
        ]
        rows += [
            (f"c{number:04d}", self.ids[item], 5.0, float(time))
            for number, liked in enumerate(self.crowd)
            for time, item in enumerate(liked)
        ]
        frame = pd.DataFrame(rows, columns=["user", "item", "rating", "time"])
        items = pd.DataFrame({"item": self.ids})
        return make_dataset(self.name, frame, items=items, like=4.0)


def truth_of(effects: Sequence[Effect], base: float) -> Truth:
    """Return what effects on a target mean that is in the top while base + effects > 0."""
    signs = {event: 1 if e.size > 0 else -1 for e in effects for event in e.events}
    present, lifts = subsets(effects)
    lost = ~present[base + lifts <= 0]
    minimal: list[frozenset[int]] = []
    for removed in lost[np.argsort(lost.sum(1), kind="stable")]:
        members = frozenset(event for event, out in zip(signs, removed, strict=True) if out)
        if not any(found <= members for found in minimal):
            minimal.append(members)
    return Truth(signs, frozenset(minimal))


def subsets(effects: Sequence[Effect]) -> tuple[Masks, Floats]:
    """Return every subset of the planted events, and what the effects sum to on it."""
    events = list(dict.fromkeys(event for e in effects for event in e.events))
    present = np.asarray(list(product([False, True], repeat=len(events))), dtype=bool)
    columns = dict(zip(events, present.T, strict=True))
    lifts = sum((e.lift(columns.__getitem__) for e in effects), np.zeros(len(present)))
    return present, np.round(lifts, 12)
