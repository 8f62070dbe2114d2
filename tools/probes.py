"""Look into the recommender and the reviews; every finding is evidence with its source.

Each probe is written once, as a typed function of a workspace and plain arguments. Adapters for
agents and servers are made from the table in `whythis.tools.table`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue

from whythis.recsys import effects
from whythis.recsys.errors import DataError
from whythis.recsys.naming import PersonaCard, persona_cards
from whythis.recsys.scorer import Scorer
from whythis.recsys.sets import necessary_set
from whythis.tools.catalogue import access
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.facts import item_facts
from whythis.tools.reviews.retrieval import Hit, pool
from whythis.tools.tones import Tone
from whythis.tools.tones import tones as tones
from whythis.tools.workspace import Workspace

TOP = 10
"""A recommendation is what ranks within this many; counterfactuals ask what leaves it."""

SET_BUDGET = 400
"""Sets tried beyond the greedy search: 0.2 s for 200 past items and 1,682 to rank."""


def recommendations(ws: Workspace, user: str, n: int = TOP) -> tuple[Evidence, ...]:
    """List the user's `n` best unseen items with rank and exact score."""
    return tuple(
        evidence(
            "recommendation",
            {"item": r.item, "title": r.title, "rank": r.rank, "score": _shown(r.score)},
            source=ws.model_source,
            probe="recommendations",
            user=user,
            n=n,
        )
        for r in ws.recommender.recommend(user, n)
    )


def profile(ws: Workspace, user: str) -> tuple[Evidence, ...]:
    """Describe the user's personas: names, masses, and the items that weigh most in each.

    Raises `MissingPartError` where the recommender's model is not known, as `personas` does.
    """
    return tuple(
        evidence("persona", _card(ws, card), source=ws.model_source, probe="profile", user=user)
        for card in persona_cards(ws.owned(), user)
    )


def personas(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Measure each persona's share, match and executed deletion effect on one item."""
    rec = ws.owned()
    whole = effects.decompose(rec, user, item)
    found = []
    for card in persona_cards(rec, user):
        part = whole.personas[card.persona]
        value = _card(ws, card) | {
            "share": part.share,
            "match": part.match,
            "effect": part.effect,
            "rank": whole.rank,
            "candidates": whole.candidates,
            "rank_without": part.rank_without,
            "composed": rec.model.composed,
        }
        found.append(
            evidence(
                "persona_effect",
                value,
                source=ws.model_source,
                probe="personas",
                user=user,
                item=item,
            )
        )
    return tuple(found)


def history(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Find the liked items the recommendation hangs on: a small set whose removal is executed.

    Also measures the rank with the whole history removed, which is all there is for a user
    without liked items. Nothing is found of an item that the recommender's list does not reach.
    """
    rec = ws.recommender
    place = rec.place(user, item)
    if place.beyond:
        return ()
    top = top_of(rec)
    base = effects.without_history(rec, user, item)
    # a recommender that knows nothing of a user may score all items alike: then none stands out
    hollow = base.rank <= top < base.rank + base.ties
    bare = evidence(
        "no_history",
        {
            "rank": place.rank,
            "rank_without_history": None if base.beyond or hollow else base.rank,
            "top": top,
        },
        source=ws.model_source,
        probe="history",
        user=user,
        item=item,
    )
    if not len(rec.history(user)):
        return (bare,)
    # below the top there is nothing to leave: ask for the one item that matters most
    inside = place.rank <= top
    found = necessary_set(
        rec,
        user,
        item,
        top=top if inside else place.rank,
        limit=3 if inside else 1,
        budget=SET_BUDGET,
    )
    value = _removal(ws, found.removal, found.top)
    if value is None:
        return (bare,)
    value["minimal"] = found.minimal
    return (
        evidence(
            "history_effect", value, source=ws.model_source, probe="history", user=user, item=item
        ),
        bare,
    )


def what_if(ws: Workspace, user: str, item: str, forget: Sequence[str]) -> tuple[Evidence, ...]:
    """Score the item again as if the user had never liked the items in `forget`.

    Raises `DataError` where the recommender's list is too short to show what that does.
    """
    rec = ws.recommender
    if not forget:
        raise DataError("forget is empty: name at least one liked item")
    ids = list(dict.fromkeys(rec.item_ids.resolve(name) for name in forget))
    value = _removal(ws, effects.remove(rec, user, item, [ids])[0], top_of(rec))
    if value is None:
        raise DataError(
            f"without {', '.join(ids)} this recommender's list ends before item {item!r}, and too "
            "early to say that it fell: forget fewer items, or let it list more"
        )
    return (
        evidence(
            "history_effect",
            value,
            source=ws.model_source,
            probe="what_if",
            user=user,
            item=item,
            forget=list[JsonValue](ids),
        ),
    )


def reviews(
    ws: Workspace, user: str, item: str, about: str | None = None, n: int = 2
) -> tuple[Evidence, ...]:
    """Find review sentences of the item that speak to the user, favourable ones first.

    Up to `n` favourable ones and one critical, by what the user is known for or, where given, by
    `about`; see `whythis.tools.reviews.retrieval`. The user's own reviews of the item are never
    used.
    """
    found = pool(ws, user, item, about)
    wanted: tuple[tuple[Tone, int], ...] = (("favourable", n), ("critical", 1))
    return tuple(
        voice(hit, tone, user, item, about, n)
        for tone, most in wanted
        for hit in found.choose(most, tone)
    )


def voice(hit: Hit, tone: Tone | None, user: str, item: str, about: str | None, n: int) -> Evidence:
    """Return the record of a review sentence found for a user and an item; see `reviews`."""
    return evidence(
        "review",
        {
            "sentence": hit.sentence.id,
            "text": hit.sentence.text,
            "rating": hit.sentence.rating,
            "source": hit.sentence.source,
            "item": hit.sentence.item,
            "reviewer": hit.sentence.user,
            "tone": tone,
        },
        source=f"reviews:{hit.sentence.source}",
        probe="reviews",
        user=user,
        item=item,
        about=about,
        n=n,
    )


def facts(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Count the item's ratings and likes in the data, and give its rank for the user, if known.

    Of a recommender whose model is not known, it is also said what it shows.
    """
    rec = ws.recommender
    place = rec.place(user, item)
    counted = item_facts(rec, item)
    value: dict[str, JsonValue] = {
        "mean": counted.mean,
        "ratings": counted.ratings,
        "best": counted.best,
        "liked": counted.liked,
        "place": counted.place,
        "of": counted.of,
    }
    found = [evidence("facts", value, source=ws.data_source, probe="facts", user=user, item=item)]
    found += access(ws) if rec.access != "owned" else ()
    if place.beyond:
        return tuple(found)
    rank: dict[str, JsonValue] = {
        "rank": place.rank,
        "of": rec.unseen(user),
    }
    found.append(
        evidence("rank", rank, source=ws.model_source, probe="facts", user=user, item=item)
    )
    return tuple(found)


def _card(ws: Workspace, card: PersonaCard) -> dict[str, JsonValue]:
    return {
        "persona": card.persona,
        "name": card.name,
        "mass": card.mass,
        "items": [item for item, _ in card.items],
        "titles": [ws.recommender.title(item) for item, _ in card.items],
        "weights": [weight for _, weight in card.items],
    }


def _removal(ws: Workspace, removal: effects.Removal, top: int) -> dict[str, JsonValue] | None:
    """Return what a removal did; None where the recommender's list is too short to show it.

    Where the list ends before the item, its rank is unknown, and `top` is one that it has left.
    """
    if removal.beyond:
        if removal.rank_after <= removal.rank_before:
            return None
        if not removal.rank_before <= top < removal.rank_after:
            top = removal.rank_after - 1
    return {
        "items": list[JsonValue](removal.removed),
        "titles": [ws.recommender.title(item) for item in removal.removed],
        "score_before": _shown(removal.score_before),
        "score_after": _shown(removal.score_after),
        "rank_before": removal.rank_before,
        "rank_after": None if removal.beyond else removal.rank_after,
        "top": top,
        "refit": ws.recommender.refits,
    }


def _shown(score: float) -> float | None:
    return None if np.isnan(score) else score


def top_of(rec: Scorer) -> int:
    """Return what counts as the top of this recommender: its list may be shorter than `TOP`."""
    return TOP if rec.depth is None else min(TOP, rec.depth)
