"""The bench of routing is honest in what it asks and how it counts."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from whythis.bench.routing import Question, _interval, _kind, questions, spellings, typo
from whythis.conversation.intents import INTENTS, Route
from whythis.conversation.items import Catalogue

CATALOGUE = Catalogue(["a", "b", "c"], ["Heat", "Kull", "Kull"], [1995, 1997, 1997])


def test_there_are_enough_questions_and_none_twice() -> None:
    scenes, splits = questions()
    assert len(splits["held"]) >= 100
    assert sum(map(len, splits.values())) >= 240
    asked = Counter((q.ask, q.scene) for rows in splits.values() for q in rows)
    assert asked.most_common(1)[0][1] == 1
    for rows in splits.values():
        assert {q.scene for q in rows} <= set(scenes)
        assert {intent for q in rows for intent in q.intents} == set(INTENTS)
        assert all(q.back or q.intents for q in rows)


@pytest.mark.parametrize(
    ("question", "route", "right"),
    [
        (Question(ask="x", intent="why"), Route(intent="why", confidence=0.9), True),
        (Question(ask="x", intent="why"), Route(intent="why", confidence=0.4), False),
        (Question(ask="x", intent="why"), Route(intent="undo", confidence=0.9), False),
        (Question(ask="x", back=True), Route(intent="undo", confidence=0.9), False),
        (Question(ask="x", back=True), Route(intent="undo", confidence=0.4), True),
        (Question(ask="x", intent=("why", "undo")), Route(intent="undo", confidence=0.5), True),
    ],
)
def test_asking_back_is_right_only_where_it_is_labelled(
    question: Question, route: Route, right: bool
) -> None:
    assert question.right(route) is right


def test_a_typo_always_changes_the_title_and_is_one_edit() -> None:
    from rapidfuzz.distance import OSA, DamerauLevenshtein

    rng = random.Random(0)
    for _ in range(300):
        for title in ("Heat", "Seven (Se7en)", "8 1/2", "aa"):
            assert OSA.distance(title, typo(title, rng)) == 1
            twice = spellings(title, 2, rng).lower()
            assert DamerauLevenshtein.distance(title.lower(), twice) <= 2


@pytest.mark.parametrize(
    ("route", "row", "kind"),
    [
        (Route(intent="why", items=("a",), confidence=1), 0, "found"),
        (Route(intent="why", items=("b",), confidence=1), 0, "wrong"),
        (Route(intent="why", choices=("a", "b"), confidence=0), 0, "among"),
        (Route(intent="why", choices=("b", "c"), confidence=0), 1, "found"),
        (Route(intent="why", items=("b",), confidence=1), 2, "wrong"),
        (Route(intent="why", choices=("b",), confidence=0), 0, "lost"),
    ],
)
def test_only_titles_that_nobody_can_tell_apart_may_be_asked_back(
    route: Route, row: int, kind: str
) -> None:
    assert _kind(route, row, CATALOGUE) == kind


def test_the_interval_is_that_of_wilson() -> None:
    assert _interval(90, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)
