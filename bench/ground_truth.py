"""Know what is true of one recommendation: what mutants and paraphrases are held against.

All of it is executed here, by the recommender and on the data; nothing is taken from an explanation
or from the code that checks one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from whythis.recsys import effects
from whythis.recsys.naming import persona_cards
from whythis.recsys.scorer import Floats, Indices
from whythis.recsys.sets import necessary_set
from whythis.tools.facts import ItemFacts, item_facts
from whythis.tools.probes import TOP, tones
from whythis.tools.reviews.index import Sentence
from whythis.tools.workspace import Workspace

_HEAVIEST = 2  # titles told of a taste
_BUDGET = 200
_NOTICEABLE = 1e-3


@dataclass(frozen=True)
class Taste:
    """Hold what one taste does: `effect` is the item's score with it minus the score without.

    `heaviest`: ids of the past items that weigh most in it, heaviest first.
    """

    persona: int
    name: str
    share: float
    effect: float
    rank_before: int
    rank_after: int
    heaviest: tuple[str, ...]

    @property
    def sign(self) -> int:
        """Return 1 or -1 where score and rank agree that it speaks for or against; else 0."""
        if self.effect >= _NOTICEABLE and self.rank_after >= self.rank_before:
            return 1
        return -int(self.effect <= -_NOTICEABLE and self.rank_after <= self.rank_before)

    @property
    def causes(self) -> bool:
        """Return whether the item stands higher because of it."""
        return self.sign == 1 and self.rank_after > self.rank_before


@dataclass(frozen=True)
class Removed:
    """Hold what the removal of past items (ids) does to the item's rank."""

    items: tuple[str, ...]
    rank_before: int
    rank_after: int


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Hold what is true of one item for one user; titles are as said in sentences."""

    ws: Workspace
    user: str
    item: str
    rank: int
    unseen: int
    bare: int
    tastes: tuple[Taste, ...]
    removals: tuple[Removed, ...]
    facts: ItemFacts
    quotes: tuple[Sentence, ...]
    like: float
    dislike: float

    @property
    def title(self) -> str:
        """Return the item's title."""
        return self.ws.recommender.short_title(self.item)

    def title_of(self, item: str) -> str:
        """Return any item's title."""
        return self.ws.recommender.short_title(item)

    @cached_property
    def liked(self) -> Mapping[str, str]:
        """Return the titles of the past items that the scores rest on, by id, oldest first."""
        rec = self.ws.recommender
        return {rec.item_ids.ids[i]: rec.short_title(rec.item_ids.ids[i]) for i in self._history}

    @cached_property
    def alone(self) -> Mapping[str, int]:
        """Return the item's rank without each past item, by id."""
        ids = list(self.liked)
        runs = effects.remove(self.ws.recommender, self.user, self.item, [[i] for i in ids])
        return {i: run.rank_after for i, run in zip(ids, runs, strict=True)}

    def without(self, items: Sequence[str]) -> int:
        """Return the item's rank without these past items (ids)."""
        return effects.remove(self.ws.recommender, self.user, self.item, [items])[0].rank_after

    def taste(self, name: str) -> Taste | None:
        """Return the taste of this name."""
        return next((t for t in self.tastes if t.name == name), None)

    def others(self, told: Removed | None) -> Iterator[str]:
        """Yield ids of unseen items of which nothing that is told of this one is true.

        They rank outside the top, with the history and without; they have another number of likes,
        of ratings and another mean; what a taste does to this item it does not do to them; and
        without the past items told they do not fall.
        """
        rec, mine = self.ws.recommender, self._index
        ranks = self._ranks
        bad = (self._signs[:, [mine]] * self._signs > 0).any(axis=0)
        bad |= (ranks == ranks[mine]) | (ranks <= TOP) | (self._bare_ranks <= TOP)
        counts, likes = rec.ratings.counts, rec.likes
        means = (rec.ratings.sums / np.maximum(counts, 1)).round(1)
        bad |= (counts == counts[mine]) | (likes == likes[mine]) | (means == means[mine])
        if told is not None:
            bad |= self._ranks_without(told.items) > ranks
        bad[rec.seen(self.user)] = True
        for index in np.flatnonzero(~bad):
            item = rec.item_ids.ids[index]
            if rec.short_title(item).casefold() != self.title.casefold():
                yield item

    @cached_property
    def _index(self) -> int:
        return self.ws.recommender.item_ids.index(self.item)

    @cached_property
    def _history(self) -> Indices:
        return self.ws.recommender.history(self.user)

    @cached_property
    def _ranks(self) -> Indices:
        rec = self.ws.recommender
        return _ranking(rec.scores(self._history), rec.seen(self.user))

    @cached_property
    def _bare_ranks(self) -> Indices:
        rec = self.ws.recommender
        return _ranking(rec.scores(self._history[:0]), rec.seen(self.user))

    def _ranks_without(self, items: Sequence[str]) -> Indices:
        rec = self.ws.recommender
        mask = np.asarray([rec.item_ids.ids[i] not in items for i in self._history])[None]
        return _ranking(next(iter(rec.rescored(self._history, mask))), rec.seen(self.user))

    @cached_property
    def _signs(self) -> Floats:
        """Return the sign of each taste's effect on every item: tastes x n."""
        if not self.tastes:
            return np.zeros((0, len(self._ranks)))
        rec = self.ws.owned()
        keep = np.ones((len(self.tastes), rec.model.k), dtype=bool)
        keep[range(len(self.tastes)), [t.persona for t in self.tastes]] = False
        without = np.stack(list(rec.with_personas(self._history, keep)))
        return np.asarray(np.sign(rec.scores(self._history) - without), dtype=np.float64)


def ground_truth(ws: Workspace, user: str, item: str) -> GroundTruth:
    """Execute what can be told of an unseen item.

    Raises `UnknownIdError` and `DataError` as `Scorer.candidate` does.
    """
    rec = ws.recommender
    place = rec.place(user, item)
    low, high = tones(ws)
    seen = len(set(rec.seen(user).tolist()))
    stored = ws.item_sentences(user, item) if ws.reviews is not None else ()
    return GroundTruth(
        ws=ws,
        user=user,
        item=item,
        rank=place.rank,
        unseen=len(rec.item_ids) - seen,
        bare=effects.without_history(rec, user, item).rank,
        tastes=_tastes(ws, user, item),
        removals=_removals(ws, user, item, place.rank),
        facts=item_facts(rec, item),
        quotes=tuple(s for s in stored if s.quotable),
        like=high,
        dislike=low,
    )


def _tastes(ws: Workspace, user: str, item: str) -> tuple[Taste, ...]:
    if ws.recommender.access != "owned" or not len(ws.recommender.history(user)):
        return ()
    rec = ws.owned()
    parts = effects.decompose(rec, user, item).personas
    rank = rec.rank(user, item)
    return tuple(
        Taste(
            persona=card.persona,
            name=card.name,
            share=parts[card.persona].share,
            effect=parts[card.persona].effect,
            rank_before=rank,
            rank_after=parts[card.persona].rank_without,
            heaviest=tuple(i for i, _ in card.items) if rec.model.composed else (),
        )
        for card in persona_cards(rec, user, shown=_HEAVIEST)
    )


def _removals(ws: Workspace, user: str, item: str, rank: int) -> tuple[Removed, ...]:
    """Return a small set that moves the item down, and the single items that move it or do not."""
    rec = ws.recommender
    ids = [rec.item_ids.ids[i] for i in rec.history(user)]
    if not ids:
        return ()
    top, limit = (TOP, 3) if rank <= TOP else (rank, 1)
    found = necessary_set(rec, user, item, top=top, limit=limit, budget=_BUDGET).removal.removed
    chosen = [tuple(found)] + [(i,) for i in ids if (i,) != tuple(found)]
    runs = effects.remove(rec, user, item, chosen)
    alone = [Removed(run.removed, run.rank_before, run.rank_after) for run in runs]
    falls = sorted(alone[1:], key=lambda r: -r.rank_after)[:2]
    idle = [r for r in alone[1:] if r.rank_after == r.rank_before][:2]
    return (alone[0], *falls, *idle)


def _ranking(scores: Floats, hidden: Indices) -> Indices:
    """Return the rank of every item (1 = best, ties by index) among those not hidden."""
    scores = scores.copy()
    scores[hidden] = -np.inf
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
