"""Rank a user's whole list again under an edit that is not made, and compare two lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from whythis.recsys.effects import most_recent
from whythis.recsys.scorer import Floats, Indices, Scorer
from whythis.tools.workspace import Workspace

TOP = 10
"""How many items of a list are compared before and after an edit."""


@dataclass(frozen=True, eq=False)
class Listing:
    """Hold the scores of all items for a user, n, and which of them are not ranked."""

    rec: Scorer
    scores: Floats
    hidden: Indices

    def top(self, n: int) -> tuple[str, ...]:
        """Return the best `n` items, best first, equal scores by index."""
        scores = self.scores.copy()
        scores[self.hidden] = -np.inf
        order = np.lexsort((np.arange(len(scores)), -scores))[:n]
        return tuple(self.rec.item_ids.ids[i] for i in order if np.isfinite(scores[i]))

    def rank(self, item: str) -> int | None:
        """Return the rank of an item; None where it is not ranked, or below the list's end."""
        index = self.rec.item_ids.index(item)
        if index in self.hidden:
            return None
        place = self.rec.place_in(self.scores, index, self.hidden)
        ends = not np.isfinite(place.score) and self.rec.depth is not None
        return None if place.beyond or ends else place.rank


@dataclass(frozen=True)
class Edit:
    """Hold what is thought away: past items and personas, and which items are no longer ranked.

    again: items thought away are ranked, as a correction would have it; else they stay seen.
    """

    forget: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    personas: tuple[int, ...] = ()
    again: bool = False


def now(rec: Scorer, user: str) -> Listing:
    """Return the list as it is."""
    return Listing(rec, rec.scores(rec.history(user)), rec.seen(user))


def without(ws: Workspace, user: str, edit: Edit) -> Listing:
    """Return the list as it would be, by masked passes of the same model; nothing is changed.

    Raises `MissingPartError` for personas where the recommender's model is not known.
    """
    rec = ws.recommender
    gone = rec.item_ids.indices((*edit.forget, *edit.reject))
    liked = rec.liked(user)
    mask = most_recent(~np.isin(liked, gone)[None], rec.window)
    if edit.personas:
        owned = ws.owned()
        keep = np.ones((1, owned.model.k), dtype=bool)
        keep[0, list(edit.personas)] = False
        scores = owned.mixture(liked, mask, keep).scores[0].numpy().astype(np.float64)
    else:
        scores = next(iter(rec.rescored(liked, mask)))
    hidden = rec.seen(user)
    if edit.again:
        hidden = np.setdiff1d(hidden, rec.item_ids.indices(edit.forget))
    return Listing(rec, scores, np.union1d(hidden, rec.item_ids.indices(edit.reject)))


def by_taste(ws: Workspace, user: str, persona: int) -> Listing:
    """Return the list by one persona alone, all others deleted; raises as `without`."""
    rec = ws.owned()
    keep = np.zeros((1, rec.model.k), dtype=bool)
    keep[0, persona] = True
    scores = next(iter(rec.with_personas(rec.history(user), keep)))
    return Listing(rec, scores, rec.seen(user))


def compared(
    before: Listing, after: Listing, n: int, also: Collection[str] = ()
) -> list[dict[str, JsonValue]]:
    """Return item, title and both ranks of what stands in either top `n`, and of `also`.

    In the order of the list after, then of the one before.
    """
    items = dict.fromkeys((*after.top(n), *before.top(n), *also))
    return [
        {
            "item": item,
            "title": before.rec.title(item),
            "before": before.rank(item),
            "after": after.rank(item),
        }
        for item in items
    ]


def moved(changes: Sequence[Mapping[str, JsonValue]], n: int) -> tuple[list[str], list[str], bool]:
    """Return the items that left the top `n`, those that entered it, and whether any moved."""

    def inside(rank: JsonValue) -> bool:
        return isinstance(rank, int) and rank <= n

    left = [str(r["item"]) for r in changes if inside(r["before"]) and not inside(r["after"])]
    came = [str(r["item"]) for r in changes if inside(r["after"]) and not inside(r["before"])]
    top = [r for r in changes if inside(r["before"]) or inside(r["after"])]
    return left, came, any(r["before"] != r["after"] for r in top)
