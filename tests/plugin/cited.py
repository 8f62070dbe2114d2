"""Make claims by hand as a sentence may cite them: with traits, and slots filled."""

from __future__ import annotations

from typing import Any

from whythis.claims.kinds import CLAIM
from whythis.claims.slots import slots
from whythis.text.words import Cited

TITLES = {"x": "Seven {p1.persona}", "y": "1900 {item}"}


def cited(kind: str, id_: str, value: dict[str, Any], *traits: str, **subject: Any) -> Cited:
    record = {
        "kind": kind,
        "id": id_,
        "subject": {"user": "u7", "item": "i", **subject},
        "value": value,
        "evidence": ("e-1",),
    }
    claim = CLAIM.validate_python(record)
    return Cited(claim, frozenset({f"kind:{kind}", *traits}), slots(claim, TITLES))


def effect(id_: str, sign: int, after: int, *traits: str, persona: int = 0) -> Cited:
    value = {"name": "drama", "effect": sign * 0.5, "rank_before": 5, "rank_after": after}
    return cited("persona_effect", id_, value, *traits, persona=persona)


def past(after: int, *traits: str) -> Cited:
    value = {"score_before": 2.0, "score_after": 1.0, "rank_before": 5, "rank_after": after}
    value |= {"top": 10, "outside": after > 10}
    return cited("history_effect", "h1", value, *traits, items=("x", "y"))


def review(
    id_: str, *traits: str, text: str = "He said: “{item} is {p1.persona}” 7 times"
) -> Cited:
    value = {"quote": text, "rating": 5.0, "source": "web"}
    return cited("review_quote", id_, value, *traits, review="r#1")


PRO = effect("p1", 1, 40, "sign:+", "moves:down", "size:largest", "top")
FIRM = effect("p1", 1, 1, "sign:+", "moves:none", "size:largest", "top")
LESS = effect("p1", 1, 40, "sign:+", "moves:down")
UNSURE = effect("p1", 1, 4)
ALSO = effect("p2", 1, 40, "sign:+", "moves:down", persona=1)
THIRD = effect("p3", 1, 5, "sign:+", "moves:none", persona=2)
CON = effect("a1", -1, 2, "sign:-", persona=3)
CONTRA = effect("a2", -1, 5, "sign:-", "moves:none", "size:small", persona=4)
BASIS = cited("persona_items", "t1", {"name": "drama"}, persona=0, items=("x", "y"))
FOREIGN = cited("persona_items", "t2", {"name": "war"}, persona=1, items=("x",))
SHARE = cited("persona_share", "w1", {"name": "drama", "share": 0.4}, persona=0)
FALLS, STAYS, RISES = past(40, "moves:down"), past(5, "moves:none"), past(2, "moves:up")
PRAISE, CRITIC = review("q1", "tone:favourable"), review("o1", "tone:critical")
RATING = cited("rating", "r1", {"mean": 4.0, "count": 1, "best": 5.0})
LIKES = cited("popularity", "l1", {"liked": 2, "place": 3, "of": 9})
RANK = cited("rank", "k1", {"rank": 1, "of": 9})
MORE = cited(
    "persona_comparison",
    "v1",
    {"name": "drama", "effect": 0.5, "other_name": "war", "other_effect": 0.2},
    persona=0,
    other_persona=1,
)
ADDS = cited(
    "contribution", "c1", {"contribution": 0.4, "place": 1, "of": 3, "share": 0.5}, items=("x",)
)
GONE = cited(
    "necessary_set",
    "m1",
    {"minimal": "proven", "top": 10, "rank_before": 5, "rank_after": 40},
    items=("x", "y"),
)
ENOUGH = cited(
    "sufficient_set", "e1", {"minimal": "found", "top": 10, "rank_alone": 4}, items=("x", "y")
)
COUNTS = {"word": "music", "sentences": 3, "of": 9}
MENTIONS = cited("mentions", "b1", COUNTS | {"favourable": 2, "critical": 1, "source": "sample"})
OWN = cited("own_words", "y1", COUNTS)
SPOKEN = cited(
    "aspect_count",
    "g1",
    {"aspect": "plot", "positive": 3, "negative": 1, "of": 9, "source": "sample"},
)
JUDGED = cited("own_aspect", "i1", {"aspect": "plot", "reviews": 2, "of": 3})
RECENT = cited("recent", "f1", {"of": 9}, items=("x", "y"))
CATALOGUE = cited("metadata", "d1", {"field": "genres", "entries": ("drama", "war")})
ABOVE = cited(
    "item_comparison",
    "x1",
    {"rank": 3, "other_rank": 9, "score": 1.0, "other_score": 0.5},
    other_item="x",
)
ALIKE = cited("similarity", "s1", {"cosine": 0.4}, items=("x",))
UNKNOWN = cited(
    "cannot_know", "u1", {"wanted": "persona_effect", "needs": "owned", "shows": "top_n"}
)
STANDS = cited("basis", "j1", {"rung": "circle", "seen": 3, "likes": 1, "reviews": 0}, "thin")
NEAR = cited("circle", "z1", {"size": 50, "liked": 12, "everyone": 41, "users": 892}, "closer")
AGAIN = {"effect": 0.02, "low": -0.01, "high": 0.05, "refits": 20, "raised": 15}
DOUBT = cited("personal_effect", "n2", AGAIN, "doubtful")
SURE = cited("personal_effect", "n3", AGAIN | {"low": 0.01})
ANYONE = cited("not_about_you", "n1", {"rank": 1, "rank_without_history": 3, "top": 10}, "top")


def by_id(*claims: Cited) -> dict[str, Cited]:
    return {c.claim.id: c for c in claims}
