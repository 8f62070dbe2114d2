"""Aspects are counted over what may be evidence, and chosen for the pair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.recsys.small import NOBODY, ONCE
from whythis.recsys.errors import DataError, MissingPartError
from whythis.tools import aspect_probes
from whythis.tools.aspects import AspectCount, choice, item_aspects, own_aspects, persona_aspects
from whythis.tools.reviews.opinions import OpinionTable
from whythis.tools.reviews.query import supporting
from whythis.tools.workspace import Workspace


def judging(ws: Workspace, lines: Iterable[tuple[str, str, str, int]]) -> Workspace:
    """Return the workspace with a table that says which sentence judges what; three know each."""
    records = [
        {
            "sentence": s.id, "review": s.review, "item": s.item, "user": s.user, "time": s.time,
            "nouns": [aspect], "aspects": [aspect], "opinions": ["good"], "polarities": [sign],
        }
        for user, sentence, aspect, sign in lines
        for s in [ws.store().get(sentence).model_copy(update={"user": user} if user else {})]
    ]  # fmt: skip
    known = [
        {**record, "sentence": f"x{n}#1", "review": f"x{n}", "item": "none", "user": f"x{n}"}
        for record in records
        for n in range(3)
    ]
    return replace(ws, opinions=OpinionTable([*records, *known]))


def test_an_items_sentences_are_counted_by_what_they_say(small_workspace: Workspace) -> None:
    found = item_aspects(small_workspace, ONCE, "i00")
    assert found == {"drama": AspectCount(2, 0, 6, "sample", ("r1#1", "r3#1"))}


def test_what_the_user_wrote_of_the_item_does_not_count(small_workspace: Workspace) -> None:
    assert item_aspects(small_workspace, "u05", "i00")["drama"].sentences == ("r1#1",)
    assert own_aspects(small_workspace, "u05", "i00") == {}
    mine = own_aspects(small_workspace, "u05", "i01")["drama"]
    assert (mine.reviews, mine.of, mine.sentences) == (1, 1, ("r3#1",))


def test_nothing_from_the_moment_on_counts(small_workspace: Workspace) -> None:
    written = small_workspace.store().get("r1#1").time
    assert written is not None
    at, after = (replace(small_workspace, moment=written + more) for more in (0, 1))
    assert item_aspects(at, ONCE, "i00") == own_aspects(at, "u05", "i01") == {}
    assert item_aspects(after, ONCE, "i00") == item_aspects(small_workspace, ONCE, "i00")
    assert own_aspects(after, "u05", "i01") == own_aspects(small_workspace, "u05", "i01")


def test_a_sentence_that_says_both_counts_in_both(small_workspace: Workspace) -> None:
    ws = judging(small_workspace, [("", "r2#1", "plot", 1), ("", "r2#1", "plot", -1)])
    assert item_aspects(ws, ONCE, "i00") == {"plot": AspectCount(1, 1, 6, "sample", ("r2#1",))}


def test_what_the_user_judges_too_is_chosen_first(small_workspace: Workspace) -> None:
    lines = [("", "r9#1", "cast", 1), ("", "r9#1", "plot", -1)]
    ws = judging(small_workspace, lines)
    assert list(choice(ws, "u05", "i38")) == ["cast", "plot"]  # alike, so by name
    cares = judging(small_workspace, [*lines, ("", "r3#1", "plot", 1)])
    assert list(choice(cares, "u05", "i38")) == ["plot", "cast"]
    found = aspect_probes.aspects(cares, "u05", "i38", 1)
    assert [one.value["aspect"] for one in found] == ["plot"]


def test_a_personas_items_are_asked_for_what_is_praised(small_workspace: Workspace) -> None:
    for user in ("u00", "u04", "u05"):
        for line in small_workspace.recommender.recommend(user, 3):
            card = supporting(small_workspace, user, line.item)
            told = persona_aspects(small_workspace, user, line.item)
            past = [item for item, _ in card.items] if card else []
            assert ("drama" in told) == bool({"i00", "i05"} & set(past) - {line.item})


def test_evidence_opens_to_its_sentences(small_workspace: Workspace) -> None:
    (found,) = aspect_probes.aspects(small_workspace, ONCE, "i00")
    assert found.value == {
        "aspect": "drama", "positive": 2, "negative": 0, "of": 6, "source": "sample",
        "sentences": ["r1#1", "r3#1"], "sentences_in_all": 2,
    }  # fmt: skip
    assert found.source == "reviews:sample"
    item = small_workspace.recommender.recommend("u05", 1)[0].item
    (own,) = aspect_probes.own_aspects(small_workspace, "u05", item)
    assert own.value == {
        "aspect": "drama", "reviews": 1, "of": 1, "sentences": ["r3#1"], "sentences_in_all": 1,
    }  # fmt: skip
    assert aspect_probes.own_aspects(small_workspace, NOBODY, "i00") == ()


@pytest.mark.parametrize("probe", [aspect_probes.aspects, aspect_probes.own_aspects])
def test_what_cannot_be_counted_is_said(small_workspace: Workspace, probe) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="at least 1"):
        probe(small_workspace, ONCE, "i00", 0)
    with pytest.raises(MissingPartError, match="whythis index"):
        probe(replace(small_workspace, opinions=None), ONCE, "i00")
    with pytest.raises(MissingPartError, match="no review index"):
        probe(replace(small_workspace, reviews=None), ONCE, "i00")
