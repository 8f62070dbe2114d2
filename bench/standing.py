"""Find again what an answer rests on, from an artefact's files and without the package."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file

from whythis.bench.sentences import of_others

if TYPE_CHECKING:
    from whythis.bench.independent import Again

_CIRCLE, _NOTICEABLE, _QUOTABLE = 50, 1e-3, 240


def circled(again: Again, user: str, item: str) -> dict[str, int]:
    """Return the numbers of a circle, by comparing sets of likes one by one; empty without one."""
    likes = {str(u): set(items) - {item} for u, items in again.liked.groupby("user")["item"]}
    mine = likes.get(user, set())
    near = []
    for other, theirs in likes.items():
        if other != user and (shared := len(mine & theirs)):
            near.append((-Fraction(shared * shared, len(theirs)), other))
    circle = {other for _, other in sorted(near)[:_CIRCLE]}
    if not circle:
        return {}
    fans = set(again.liked[again.liked["item"] == item]["user"])
    others = set(again.rows["user"]) - circle - {user}
    return {
        "size": len(circle),
        "liked": len(fans & circle),
        "everyone": len(fans & others),
        "users": len(others),
    }


def over_refits(again: Again, user: str, item: str) -> dict[str, float]:
    """Return what the whole history does over the models fitted again; empty where none are."""
    files = sorted((again.folder / "refits").glob("*.safetensors"))
    if not files or not again.history(user):
        return {}
    everything = tuple(again.liked[again.liked["user"] == user]["item"])
    parts = []
    for file in files:
        model = copy.copy(again)
        model.w = load_file(file)
        ranks = [model.placed(user, item, gone) for gone in (everything, ())]
        parts.append((ranks[0] - ranks[1]) / len(again.unseen(user)))
    low, high = np.quantile(parts, [0.025, 0.975])
    return {
        "effect": float(np.mean(parts)),
        "low": float(low),
        "high": float(high),
        "refits": len(parts),
        "raised": sum(part > 0 for part in parts),
    }


def stands(again: Again, user: str, item: str) -> dict[str, Any]:
    """Return the rung that an answer stands on, and what is known of the user."""
    written = [s for s in again.sentences or () if s["user"] == user and s["item"] != item]
    return {
        "rung": _rung(again, user, item),
        "seen": len(set(again.rows[again.rows["user"] == user]["item"])),
        "likes": len(again.liked[again.liked["user"] == user]),
        "reviews": len({s["review"] for s in written}),
    }


def _rung(again: Again, user: str, item: str) -> str:
    if _lifted(again, user, item):
        return "history"
    praised = {
        aspect for aspect, (well, badly) in judged(again, user, item).items() if well > badly
    }
    if praised & set(cared_for(again, user, item)):
        return "own_reviews"
    near = circled(again, user, item)
    if near and near["liked"] * max(1, near["users"]) > near["everyone"] * near["size"]:
        return "circle"
    low, high = again.tones()
    told = [
        s.get("rating")
        for s in of_others(again.sentences or (), user, item)
        if len(s["chroma:document"]) <= _QUOTABLE
    ]
    if judged(again, user, item) or any(r is not None and (r <= low or r >= high) for r in told):
        return "item_reviews"
    return "popularity"


def _lifted(again: Again, user: str, item: str) -> bool:
    if not again.history(user):
        return False
    everything = tuple(again.liked[again.liked["user"] == user]["item"])
    whole, bare = again.scores(user)[0], again.scores(user, everything)[0]
    at = again.at[item]
    if again.rank(bare, user, item) <= again.rank(whole, user, item):
        return False
    if abs(whole[at] - bare[at]) < _NOTICEABLE:
        return False
    found: Mapping[str, float] = over_refits(again, user, item)
    return not found or found["low"] > 0


def judged(again: Again, user: str, item: str) -> dict[str, tuple[int, int]]:
    """Return in how many sentences of an item's reviews each aspect is praised and blamed."""
    praised: dict[str, set[str]] = defaultdict(set)
    blamed: dict[str, set[str]] = defaultdict(set)
    for sentence in of_others(again.sentences or (), user, item):
        for one in again.judgements.get(str(sentence["id"]), ()):
            (praised if one.polarity > 0 else blamed)[one.aspect].add(one.sentence)
    return {a: (len(praised[a]), len(blamed[a])) for a in {*praised, *blamed}}


def cared_for(again: Again, user: str, item: str) -> dict[str, int]:
    """Return in how many of a user's reviews of other items each aspect is judged."""
    reviews: dict[str, set[str]] = defaultdict(set)
    for sentence in again.sentences or ():
        if sentence["user"] == user and sentence["item"] != item:
            for one in again.judgements.get(str(sentence["id"]), ()):
                reviews[one.aspect].add(sentence["review"])
    return {aspect: len(found) for aspect, found in reviews.items()}
