"""Call every tool once, as assistants do, on the small artefact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whythis.tools.workspace import Workspace

USER, REVIEWER, NOBODY = "u00", "u05", "nobody"


def calls(ws: Workspace) -> Mapping[str, dict[str, Any]]:
    """Return arguments for each tool, all of them without a mistake."""
    rec = ws.recommender
    best, other = (one.item for one in rec.recommend(USER, 2))
    liked = rec.item_ids.ids[int(rec.history(USER)[0])]
    own = {"user": REVIEWER, "item": rec.recommend(REVIEWER, 1)[0].item}
    user, pair = {"user": USER}, {"user": USER, "item": best}
    return {
        "recommend": {**user, "n": 3},
        "explain": {**pair, "style": "short"},
        "ask": {**user, "question": f"Why {rec.title(best)}?"},
        "audit": {**pair, "text": "It ranks 1st for you. It ranks 7th."},
        "recommendations": {**user, "n": 4},
        "profile": user,
        "personas": pair,
        "history": pair,
        "what_if": {**pair, "forget": [liked]},
        "reviews": {"user": NOBODY, "item": "i00", "about": "drama", "n": 1},
        "facts": pair,
        "enough": pair,
        "contributions": {**pair, "n": 2},
        "recent": {**user, "n": 2},
        "recall": {**user, "by": "similar", "item": best, "n": 2},
        "summary": user,
        "mentions": {"user": NOBODY, "item": "i00", "word": "drama"},
        "own_words": {**own, "word": "drama"},
        "aspects": {"user": NOBODY, "item": "i00", "n": 2},
        "own_aspects": {**own, "n": 2},
        "details": {"item": best},
        "compare": {**pair, "other": other},
        "similar": {**pair, "n": 2},
        "rests_on": pair,
        "access": {},
        "neighbours": {"item": best, "n": 3},
    }


def mistakes(ws: Workspace) -> Mapping[str, tuple[str, dict[str, Any], str]]:
    """Return bad calls by name: the tool, its arguments, and a word of the answer."""
    rec = ws.recommender
    best = rec.recommend(USER, 1)[0].item
    seen = rec.item_ids.ids[int(rec.history(USER)[0])]
    pair = {"user": USER, "item": best}
    return {
        "unknown user": ("explain", {**pair, "user": "nobody else"}, "nobody else"),
        "unknown item": ("personas", {**pair, "item": "no such film"}, "no such film"),
        "seen already": ("explain", {**pair, "item": seen}, seen),
        "not liked": ("what_if", {**pair, "forget": ["i38"]}, "cannot be removed"),
        "nothing to forget": ("what_if", {**pair, "forget": []}, "forget"),
        "absent": ("explain", {"user": USER}, "it takes user, item, style (optional)"),
        "too many": ("explain", {**pair, "depth": 3}, "depth"),
        "of another type": ("recommend", {"user": USER, "n": "many"}, "n: "),
        "out of range": ("recommend", {"user": USER, "n": 1000}, "n: "),
        "no such style": ("explain", {**pair, "style": "loud"}, "style"),
    }
