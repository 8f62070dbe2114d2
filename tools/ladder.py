"""Find what an answer can rest on, given how much is known of the user: one rung of a ladder.

The rungs, the most personal first; the answer stands on the first that holds:

- history: executed, the user's past likes lift the item: with all of them removed it stands lower,
  and its score, where one is shown, changes by at least `NOTICEABLE`; and where the artefact has
  models fitted again (`whythis.recsys.refits`), the interval of that effect lies above none.
- own_reviews: the user's own reviews, of other items, judge an aspect that more sentences of the
  item's reviews praise than blame.
- circle: a larger part of the users with the most similar likes liked the item than of all others.
- item_reviews: a sentence that can be quoted is from a favourable or critical review of the item,
  or one judges an aspect.
- popularity: nothing else is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from whythis.recsys import effects
from whythis.recsys.errors import ModelError
from whythis.recsys.refits import PersonalEffect
from whythis.recsys.scorer import Place
from whythis.tools.aspects import item_aspects, own_aspects
from whythis.tools.circle import circle
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.tones import tones
from whythis.tools.workspace import Workspace

NOTICEABLE = 1e-3
"""An effect smaller than this is not worth a sentence (scores lie some units apart)."""

Rung = Literal["history", "own_reviews", "circle", "item_reviews", "popularity"]


@dataclass(frozen=True)
class Basis:
    """Hold the rung, and what is known of the user: events, likes, own reviews of other items."""

    rung: Rung
    seen: int
    likes: int
    reviews: int


def basis(ws: Workspace, user: str, item: str, effect: PersonalEffect | None = None) -> Basis:
    """Return what an answer about an unseen item can rest on; the rule stands at the top.

    effect: that of the user's past over the models fitted again, where it is at hand.

    Raises `ModelError` where the recommender's list ends before the item: whether the past lifts
    it cannot be seen there.
    """
    rec = ws.recommender
    place = rec.place(user, item)
    if place.beyond:
        raise ModelError(
            f"item {item!r} is not among the best {rec.depth} that this recommender lists for user "
            f"{user!r}: what it rests on cannot be seen; ask about an item it lists"
        )
    written = ws.own_sentences(user, item) if ws.reviews is not None else ()
    return Basis(
        rung=_rung(ws, user, item, place, effect),
        seen=len(rec.seen(user)),
        likes=len(rec.liked(user)),
        reviews=len({sentence.review for sentence in written}),
    )


def _rung(ws: Workspace, user: str, item: str, place: Place, effect: PersonalEffect | None) -> Rung:
    if _lifted(ws, user, item, place, effect):
        return "history"
    if _shared_aspect(ws, user, item):
        return "own_reviews"
    near = circle(ws, user, item)
    if near is not None and near.more:
        return "circle"
    return "item_reviews" if _spoken_of(ws, user, item) else "popularity"


def _lifted(
    ws: Workspace, user: str, item: str, place: Place, effect: PersonalEffect | None
) -> bool:
    rec = ws.recommender
    if not len(rec.history(user)):
        return False
    bare = effects.without_history(rec, user, item)
    if not bare.rank > place.rank or abs(place.score - bare.score) < NOTICEABLE:
        return False
    effect = effect or personal_effect(ws, user, item)
    return effect is None or effect.low > 0


def personal_effect(ws: Workspace, user: str, item: str) -> PersonalEffect | None:
    """Return what the whole history does over the models fitted again; None where there are none.

    None for a user without likes too: there is nothing to remove.
    """
    if ws.refits is None or not len(ws.recommender.history(user)):
        return None
    return ws.refits.personal_effect(ws.owned(), user, item)


def _shared_aspect(ws: Workspace, user: str, item: str) -> bool:
    if ws.opinions is None:
        return False
    mine = own_aspects(ws, user, item)
    return any(
        a in mine and n.positive > n.negative for a, n in item_aspects(ws, user, item).items()
    )


def _spoken_of(ws: Workspace, user: str, item: str) -> bool:
    if ws.reviews is None:
        return False
    low, high = tones(ws)
    told = [s.rating for s in ws.item_sentences(user, item) if s.quotable]
    if any(rating is not None and (rating <= low or rating >= high) for rating in told):
        return True
    return ws.opinions is not None and bool(item_aspects(ws, user, item))


def rests_on(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Find what an answer can rest on, what users with similar likes liked, and what refits say.

    Where the recommender's list ends before the item only the users with similar likes are counted.
    """
    found: list[tuple[str, dict[str, JsonValue], str]] = []
    effect = personal_effect(ws, user, item)
    if not ws.recommender.place(user, item).beyond:
        stands = basis(ws, user, item, effect)
        found.append(("basis", vars(stands), ws.model_source))
    if (near := circle(ws, user, item)) is not None:
        found.append(("circle", vars(near), ws.data_source))
    if effect is not None:
        found.append(("personal_effect", vars(effect), ws.model_source))
    return tuple(
        evidence(kind, value, source=source, probe="rests_on", user=user, item=item)
        for kind, value, source in found
    )
