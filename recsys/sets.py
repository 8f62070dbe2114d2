"""Find the few past items that a recommendation hangs on, and the few that carry it alone.

A set is **necessary** where the item leaves the top without it, and **sufficient** where the set
alone keeps the item there. The effect of a set is not the sum of its members' effects: where either
of two past items would do, neither alone is missed. So the search is greedy first and exhaustive as
far as that can be afforded, and what it returns was executed once more by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb, isnan
from typing import Literal

import numpy as np

from whythis.recsys.effects import Removal, Reruns, removal, remove, reruns
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.scorer import Masks, Place, Scorer

Minimal = Literal["proven", "found", "no"]
"""proven: every smaller set was executed, and none does; found: no single member can be spared,
and each was tried; no: the set itself does not do."""

BUDGET = 3000
"""Sets executed beyond the greedy search: all pairs of a history of 77 items."""

_WIDTH = 16  # how many members each greedy step chooses from
_CHUNK = 512
_Set = tuple[int, ...]  # places in the history


@dataclass(frozen=True)
class NecessarySet:
    """Hold a set without which the item leaves the top `top`, or the best one found.

    `complete`: the item did leave.
    """

    removal: Removal
    top: int
    complete: bool
    minimal: Minimal


@dataclass(frozen=True)
class SufficientSet:
    """Hold a set that alone keeps the item in the top `top`, or the best one found.

    `score`, `rank`, `beyond`: where the item stands with nothing but `kept` (see
    `whythis.recsys.scorer.Place`). `complete`: it did stay.
    """

    kept: tuple[str, ...]
    score: float
    rank: int
    beyond: bool
    top: int
    complete: bool
    minimal: Minimal


def necessary_set(
    rec: Scorer, user: str, item: str, *, top: int = 10, limit: int = 5, budget: int = BUDGET
) -> NecessarySet:
    """Find a smallest set of at most `limit` past items without which the item leaves the top.

    Every single item is removed, then sets grow by the item after which the explained one ranks
    lowest, then members that can be spared are put back. With up to `budget` further executions
    all smaller sets are tried, or where they are too many those of the likeliest items.

    Raises `DataError` for an empty history, a limit below 1, or an item outside the top already.
    """
    runs = _runs(rec, user, item, top, limit)
    if not len(runs.history):
        raise DataError(f"user {user!r} has no liked items: there is nothing to remove")

    def leaves(place: Place) -> bool:
        return place.rank > top  # also where the rank is only the best that it can be

    search = _Search(runs.without, leaves, _low, runs.only, _high, len(runs.history))
    found, minimal = search.smallest(limit, budget)
    after = runs.without(search.marked([found]))[0]
    complete = leaves(after)
    gone = removal(runs.before, after, _ids(runs, found))
    return NecessarySet(gone, top, complete, minimal if complete else "no")


def sufficient_set(
    rec: Scorer, user: str, item: str, *, top: int = 10, limit: int = 5, budget: int = BUDGET
) -> SufficientSet:
    """Find a smallest set of at most `limit` past items that alone keeps the item in the top.

    The search is that of `necessary_set`, turned round; nothing at all is kept where the item is
    in the top for anyone. Raises `DataError` for a limit below 1 or an item outside the top.
    """
    runs = _runs(rec, user, item, top, limit)

    def stays(place: Place) -> bool:
        return place.rank <= top and not place.beyond

    search = _Search(runs.only, stays, _high, runs.without, _low, len(runs.history))
    found: _Set = ()
    minimal: Minimal = "proven"
    if len(runs.history) and not stays(runs.only(search.marked([()]))[0]):
        found, minimal = search.smallest(limit, budget)
    after = runs.only(search.marked([found]))[0]
    complete = stays(after)
    return SufficientSet(
        kept=_ids(runs, found),
        score=after.score,
        rank=after.rank,
        beyond=after.beyond,
        top=top,
        complete=complete,
        minimal=minimal if complete else "no",
    )


def interaction(rec: Scorer, user: str, item: str, pair: tuple[str, str]) -> float:
    """Return what two past items do together beyond what each does: effect(ab) - effect(a) - (b).

    The effect of a set is the score with it minus the score without it. Negative: one stands in
    for the other; positive: one needs the other. Raises `DataError` for an item paired with itself
    and `ModelError` where the recommender shows no scores.
    """
    if pair[0] == pair[1]:
        raise DataError(f"item {pair[0]!r} is paired with itself: name two different past items")
    if rec.access == "top_n":
        raise ModelError("an interaction needs scores, and this recommender shows its best n only")
    both, one, other = remove(rec, user, item, [pair, pair[:1], pair[1:]])
    return one.score_after + other.score_after - both.score_after - both.score_before


def _runs(rec: Scorer, user: str, item: str, top: int, limit: int) -> Reruns:
    if limit < 1:
        raise DataError(f"limit is {limit}: allow a set of at least 1 item")
    runs = reruns(rec, user, item)
    if runs.before.rank > top:
        raise DataError(
            f"item {item!r} ranks {runs.before.rank} for user {user!r}, outside the top {top} "
            f"already: ask about the top {runs.before.rank}"
        )
    return runs


def _ids(runs: Reruns, chosen: _Set) -> tuple[str, ...]:
    return tuple(runs.rec.item_ids.ids[runs.history[i]] for i in chosen)


def _low(place: Place) -> tuple[float, float]:
    return place.rank, -_shown(place.score)


def _high(place: Place) -> tuple[float, float]:
    return -place.rank, _shown(place.score)


def _shown(score: float) -> float:
    return 0.0 if isnan(score) else score


@dataclass(frozen=True)
class _Search:
    """Look for a smallest set of `size` items that `does`; `merit` says how near a place is to it.

    `hint` asks the opposite question of single items. Its answer brings up those that are not
    missed because another does the same.
    """

    run: Callable[[Masks], list[Place]]
    does: Callable[[Place], bool]
    merit: Callable[[Place], tuple[float, float]]
    hint: Callable[[Masks], list[Place]]
    hint_merit: Callable[[Place], tuple[float, float]]
    size: int

    def smallest(self, limit: int, budget: int) -> tuple[_Set, Minimal]:
        """Return the smallest set found that does, or else the one nearest to it."""
        singles = [place for _, place in self._executed((i,) for i in range(self.size))]
        order = _best_first(singles, self.merit)
        best: tuple[_Set, Place] = (order[0],), singles[order[0]]
        while not self.does(best[1]) and len(best[0]) < min(limit, self.size):
            rest = [i for i in order if i not in best[0]][:_WIDTH]
            best = self._best((*best[0], i) for i in rest)
        best = self._spared(best)
        tried = 1  # every set of at most this many was executed
        pool = order
        last = len(best[0]) - 1 if self.does(best[1]) else min(limit, self.size)
        for size in range(2, last + 1):
            if comb(len(pool), size) > budget:
                if len(pool) == self.size and budget > self.size:
                    pool = self._likeliest(order)
                    budget -= self.size
                pool = _affordable(pool, range(size, last + 1), budget)
            found = self._best(combinations(pool, size)) if len(pool) >= size else best
            budget -= comb(len(pool), size)
            tried += len(pool) == self.size
            if self.does(found[1]):
                best = self._spared(found)
                break
            best = max(best, found, key=lambda b: (self.does(b[1]), self.merit(b[1])))
        if not self.does(best[1]):
            return best[0], "no"
        return best[0], "proven" if len(best[0]) <= tried + 1 else "found"

    def marked(self, sets: list[_Set]) -> Masks:
        """Return the sets as masks over the history, B x T."""
        masks = np.zeros((len(sets), self.size), dtype=bool)
        for row, members in enumerate(sets):
            masks[row, list(members)] = True
        return masks

    def _executed(self, sets: Iterable[_Set]) -> Iterator[tuple[_Set, Place]]:
        rest = iter(sets)
        while chunk := list(islice(rest, _CHUNK)):
            yield from zip(chunk, self.run(self.marked(chunk)), strict=True)

    def _best(self, sets: Iterable[_Set]) -> tuple[_Set, Place]:
        # what does goes first: a place that only may lie as far down is none that does
        return max(self._executed(sets), key=lambda b: (self.does(b[1]), self.merit(b[1])))

    def _spared(self, best: tuple[_Set, Place]) -> tuple[_Set, Place]:
        """Take members away one at a time while the rest still does."""
        while self.does(best[1]) and len(best[0]) > 1:
            fewer = self._best(combinations(best[0], len(best[0]) - 1))
            if not self.does(fewer[1]):
                break
            best = fewer
        return best

    def _likeliest(self, order: list[int]) -> list[int]:
        """Return all items, by turns the next most missed and the next best without the others."""
        hints = _best_first(self.hint(np.eye(self.size, dtype=bool)), self.hint_merit)
        return list(dict.fromkeys(i for both in zip(order, hints, strict=True) for i in both))


def _best_first(places: list[Place], merit: Callable[[Place], tuple[float, float]]) -> list[int]:
    return sorted(range(len(places)), key=lambda i: merit(places[i]), reverse=True)


def _affordable(pool: list[int], sizes: range, budget: int) -> list[int]:
    """Return the first items of the pool, so many that all sets of these sizes can be tried."""
    while pool and sum(comb(len(pool), size) for size in sizes) > budget:
        pool = pool[:-1]
    return pool
