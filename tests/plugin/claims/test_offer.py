"""Only what evidence holds is offered, under ids that say what a claim is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import JsonValue

from tests.plugin.fakes import best
from tests.recsys.small import NOBODY, ONCE
from whythis.claims.offer import NOTICEABLE, offer
from whythis.explain import gather
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.workspace import Workspace

LETTERS = {
    "persona_effect": "pa",
    "persona_items": "t",
    "persona_share": "w",
    "history_effect": "h",
    "not_about_you": "n",
    "review_quote": "qo",
    "rating": "r",
    "popularity": "l",
    "rank": "k",
    "persona_comparison": "v",
    "necessary_set": "m",
    "basis": "j",
    "circle": "z",
    "personal_effect": "n",
    "aspect_count": "g",
    "own_aspect": "i",
}


def persona(
    number: int, effect: float, without: int, rank: int = 5, composed: bool = True
) -> Evidence:
    value: dict[str, Any] = {
        "persona": number,
        "name": f"taste {number}",
        "effect": effect,
        "share": 0.3,
        "rank": rank,
        "rank_without": without,
        "items": ["x", "y", "z"],
        "composed": composed,
    }
    return evidence("persona_effect", value, source="model:0", probe="personas")


def ids(*found: Evidence) -> list[str]:
    return [claim.id for claim in offer(found, "u", "i")]


def test_ids_tell_the_kind_and_cite_what_was_found(small_workspace: Workspace) -> None:
    ws = small_workspace
    for user, item in [("u00", best(ws, "u00")), ("u00", "i38"), (ONCE, "i00"), (NOBODY, "i00")]:
        found = gather(ws, user, item)
        claims = offer(found, user, item)
        assert len({c.id for c in claims}) == len(claims)
        for claim in claims:
            assert re.fullmatch("[a-z][0-9]+", claim.id)
            assert claim.id[0] in LETTERS[claim.kind]
            assert (claim.subject.user, claim.subject.item) == (user, item)
            assert set(claim.evidence) <= {e.id for e in found}
            if claim.kind == "persona_effect":
                assert (claim.value.effect > 0) == (claim.id[0] == "p")
            if claim.kind == "history_effect":
                assert claim.value.outside == (claim.value.rank_after > claim.value.top)


def test_nothing_found_is_nothing_offered() -> None:
    assert offer((), "u", "i") == ()
    assert ids(persona(0, NOTICEABLE / 2, 9), persona(1, -NOTICEABLE / 2, 1)) == []


def test_the_strongest_tastes_are_told_with_what_they_rest_on() -> None:
    claims = offer((persona(0, 0.3, 6), persona(1, 0.9, 9), persona(2, -0.5, 3)), "u", "i")
    assert [c.id for c in claims] == ["p1", "t1", "w1", "p2", "t2", "a1", "t3", "v1"]
    assert [c.subject.persona for c in claims] == [1, 1, 1, 0, 0, 2, 2, 1]
    assert claims[-1].subject.other_persona == 0
    assert [c.subject.items for c in claims if c.kind == "persona_items"] == [("x", "y")] * 3


def test_what_a_taste_rests_on_is_not_told_where_it_is_no_sum_of_past_items() -> None:
    assert ids(persona(0, 0.9, 6, composed=False)) == ["p1", "w1"]


def test_a_taste_is_set_beside_the_next_only_where_it_leads() -> None:
    near = offer((persona(0, 0.9, 9), persona(1, 0.9 - NOTICEABLE / 2, 9)), "u", "i")
    assert "persona_comparison" not in {c.kind for c in near}
    for alone in ((persona(0, 0.9, 9),), (persona(0, -0.2, 1), persona(1, -0.9, 1)), ()):
        assert "persona_comparison" not in {c.kind for c in offer(alone, "u", "i")}


def test_a_set_is_offered_only_where_it_is_known_to_be_small() -> None:
    def removal(**more: Any) -> Evidence:
        value: dict[str, Any] = {"items": ["x"], "score_before": 2.0, "score_after": 1.0}
        value |= {"rank_before": 1, "rank_after": 20, "top": 10, "refit": False, **more}
        return evidence("history_effect", value, source="model:0", probe="history")

    assert ids(removal()) == ids(removal(minimal="no")) == ["h1"]
    assert ids(removal(minimal="found")) == ids(removal(minimal="proven")) == ["h1", "m1"]
    refitted = offer((removal(minimal="found", refit=True),), "u", "i")
    assert [c.level for c in refitted] == ["refit", "refit"]


def test_another_item_is_compared_only_where_this_one_stands_above_it() -> None:
    def pair(first: str, *ranks: int | None) -> Evidence:
        value: dict[str, Any] = {"items": [first, "j"], "ranks": list(ranks)}
        value["scores"] = [None, None]
        return evidence("comparison", value, source="model:0", probe="compare")

    assert ids(pair("i", 1, 2)) == ids(pair("i", 1, None)) == ["x1"]
    assert ids(pair("i", 2, 1)) == ids(pair("i", None, 1)) == ids(pair("k", 1, 2)) == []


def test_a_second_taste_must_matter_and_an_objection_must_show_in_the_rank() -> None:
    assert "p2" not in ids(persona(0, 0.9, 9), persona(1, 0.05, 6))
    assert "a1" not in ids(persona(0, 0.9, 9), persona(1, -0.9, 7))
    assert ids(persona(1, -0.9, 2), persona(2, -0.3, 1)) == ["a1", "t1", "w1"]


def test_where_score_and_rank_agree_is_the_clearer_cause() -> None:
    first = offer((persona(0, 0.9, 2), persona(1, 0.4, 9)), "u", "i")[0]
    assert first.subject.persona == 1


def test_popular_with_everyone_only_within_the_top() -> None:
    def base(rank: int, without: int) -> Evidence:
        value = {"rank": rank, "rank_without_history": without, "top": 10}
        return evidence("no_history", value, source="model:0", probe="history")

    assert ids(base(1, 10)) == ["n1"]
    assert ids(base(1, 11)) == ids(base(11, 1)) == []


def test_an_unrated_item_has_no_rating() -> None:
    value: dict[str, Any] = {
        "mean": None,
        "ratings": 0,
        "best": 5.0,
        "liked": 0,
        "place": 9,
        "of": 9,
    }
    assert ids(evidence("facts", value, source="data:0", probe="facts")) == ["l1"]


def test_one_voice_a_tone_what_was_asked_for_first() -> None:
    def review(text: str, tone: str, about: str | None) -> Evidence:
        value = {"sentence": text, "text": text, "rating": 5.0, "source": "s", "tone": tone}
        return evidence("review", value, source="reviews:s", probe="reviews", about=about)

    found = [
        review("by taste", "favourable", None),
        review("asked", "favourable", "the songs"),
        review("unkind", "critical", None),
    ]
    claims = offer(found, "u", "i")
    assert [(c.id, c.subject.review) for c in claims] == [("q1", "asked"), ("o1", "unkind")]


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (("aspect",), ["aspect_count"]),  # nothing to quote: one sentence is better than none
        (("aspect", "review"), []),
        (("aspect", "review", "own"), ["aspect_count", "own_aspect"]),
        (("aspects", "review"), ["aspect_count"]),
    ],
)
def test_an_aspect_that_one_sentence_judges_is_quoted_not_counted(
    kinds: tuple[str, ...], told: list[str]
) -> None:
    count: dict[str, JsonValue] = {"aspect": "plot", "negative": 0, "of": 9, "source": "sample"}
    values: dict[str, tuple[str, dict[str, JsonValue]]] = {
        "aspect": ("aspect_count", count | {"positive": 1}),
        "aspects": ("aspect_count", count | {"positive": 2}),
        "own": ("own_aspect", {"aspect": "plot", "reviews": 1, "of": 3}),
        "review": (
            "review",
            {"sentence": "r1#1", "text": "Fine.", "rating": 5.0, "source": "sample"}
            | {"tone": "favourable"},
        ),
    }
    found = [
        evidence(kind, value, source="reviews:sample", probe="test")
        for kind, value in (values[name] for name in kinds)
    ]
    claims = offer(found, "u", "i")
    assert [c.kind for c in claims if c.kind in ("aspect_count", "own_aspect")] == told
