"""Tell what the user did with an item, what the user's tastes are, and what nobody wrote."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from whythis.conversation.ground import (
    Ground,
    Kind,
    Value,
    title_of,
)
from whythis.recsys.errors import DataError
from whythis.recsys.naming import persona_cards


def _had(ground: Ground, user: str, item: str) -> Value:
    rec = ground.rec
    rows = rec.interactions
    mine = rows[(rows["user"] == user) & (rows["item"] == item)]
    rejected = item in rec.withheld.get(user, ())
    if not len(mine) and not rejected:
        raise DataError(f"user {user!r} has not seen item {item!r}")
    given = [float(r) for r in mine["rating"] if not np.isnan(r)]
    return {
        "item": item,
        "title": rec.short_title(item),
        "rating": given[-1] if given else None,
        "best": rec.ratings.highest,
        "rejected": rejected,
    }


def _say_had(value: Mapping[str, Any]) -> str:
    title = title_of(value["title"])
    if value["rejected"]:
        return f"you rejected {title}, so it is never recommended to you."
    if value["rating"] is None:
        return f"you have chosen {title} already, so it is not recommended again."
    of = "" if value["best"] is None else f" of {value['best']:g}"
    return f"you have rated {title} {value['rating']:g}{of}: it is not recommended again."


def _not_past(ground: Ground, user: str, item: str) -> Value:
    rec = ground.rec
    index = rec.item_ids.index(item)
    if index in rec.history(user):
        raise DataError(f"item {item!r} is in the history of user {user!r}")
    why = "old" if index in rec.liked(user) else "disliked" if index in rec.seen(user) else "unseen"
    likes = len(rec.history(user))
    return {"item": item, "title": rec.short_title(item), "why": why, "likes": likes}


def _say_not_past(value: Mapping[str, Any]) -> str:
    title = title_of(value["title"])
    if value["why"] == "old":
        return f"{title} is older than the {value['likes']:,} likes that your scores rest on."
    if value["why"] == "disliked":
        return f"{title} does not count as one of your likes, so no score rests on it."
    return f"{title} is not in your past, so no score rests on it."


def _tastes(ground: Ground, user: str) -> Value:
    cards = persona_cards(ground.ws.owned(), user)
    if not cards:
        raise DataError(f"user {user!r} has no taste")
    return {"names": [card.name for card in cards]}


def _say_tastes(value: Mapping[str, Any]) -> str:
    return f"your tastes are: {'; '.join(title_of(name) for name in value['names'])}."


def _unreviewed(ground: Ground, user: str, item: str) -> Value:
    of = len(ground.ws.item_sentences(user, item))
    if of:
        raise DataError(f"item {item!r} has {of} sentences of reviews")
    return {"item": item, "title": ground.rec.short_title(item), "of": of}


def _say_unreviewed(value: Mapping[str, Any]) -> str:
    return f"nobody else has reviewed {title_of(value['title'])} here."


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "had": Kind("observed", _had, _say_had),
        "not_past": Kind("observed", _not_past, _say_not_past),
        "unreviewed": Kind("observed", _unreviewed, _say_unreviewed),
        "tastes": Kind("executed", _tastes, _say_tastes),
    }
)
