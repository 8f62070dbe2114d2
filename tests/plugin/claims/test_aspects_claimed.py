"""Counts of aspects are counted again, and each counted sentence must hold the word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.recsys.small import ONCE
from whythis.claims.kinds import CLAIM, Claim
from whythis.claims.offer import offer
from whythis.claims.slots import slots
from whythis.claims.verify import verify
from whythis.text.wording import in_words
from whythis.tools import aspect_probes
from whythis.tools.reviews.opinions import OpinionTable
from whythis.tools.workspace import Workspace


def claims(ws: Workspace) -> tuple[Claim, Claim]:
    (of_item,) = offer(aspect_probes.aspects(ws, ONCE, "i00"), ONCE, "i00")
    item = ws.recommender.recommend("u05", 1)[0].item
    (own,) = offer(aspect_probes.own_aspects(ws, "u05", item), "u05", item)
    return of_item, own


def made(kind: str, **value: Any) -> Claim:
    record = {"kind": kind, "id": "g1", "value": value, "evidence": ("e",)}
    return CLAIM.validate_python(record | {"subject": {"user": "u", "item": "i"}})


def test_what_was_counted_is_found_again(small_workspace: Workspace) -> None:
    of_item, own = claims(small_workspace)
    assert (of_item.id, own.id) == ("g1", "i1")
    for claim in (of_item, own):
        assert verify(claim, small_workspace).outcome == "verified"
    assert slots(of_item, {})["spoken"] == (
        "in 2 of the 6 sentences of its sample reviews the “drama” is spoken of well and in none "
        "badly, as rules read them"
    )
    assert slots(own, {})["judged"] == (
        "you judge the “drama” in your only review of another title, as rules read them"
    )


def test_another_count_or_aspect_is_refuted(small_workspace: Workspace) -> None:
    for claim in claims(small_workspace):
        plain = claim.model_dump()
        for name, value in plain["value"].items():
            other = value + 1 if isinstance(value, int) else "plot"
            lie = CLAIM.validate_python(plain | {"value": {**plain["value"], name: other}})
            assert verify(lie, small_workspace).outcome == "refuted", name


def test_a_table_that_counts_what_no_sentence_says_is_found_out(
    small_workspace: Workspace,
) -> None:
    table = small_workspace.opinion_table()
    forged = [
        {**r, "nouns": ["plot"], "aspects": ["plot"] * len(r["aspects"])}
        for r in table._records
        if "drama" in r["aspects"]
    ]
    ws = replace(small_workspace, opinions=OpinionTable(forged))
    for claim in claims(ws):
        verdict = verify(claim, ws)
        assert verdict.outcome == "refuted"
        assert "does not hold the word" in verdict.reason


def test_without_a_table_it_cannot_be_checked(small_workspace: Workspace) -> None:
    for claim in claims(small_workspace):
        verdict = verify(claim, replace(small_workspace, opinions=None))
        assert verdict.outcome == "uncheckable"
        assert "whythis index" in verdict.reason


@pytest.mark.parametrize(
    ("positive", "negative", "of", "words"),
    [
        (7, 1, 40, ("in 7 of the 40 sentences of its reviews the “sound” is spoken of well and in "
         "1 badly, as rules read them")),
        (0, 2, 40, ("in 2 of the 40 sentences of its reviews the “sound” is spoken of badly and in "
         "none well, as rules read them")),
        (1, 0, 1, ("in the only sentence of its reviews the “sound” is spoken of well, as rules "
         "read them")),
        (1, 1, 1, ("in the only sentence of its reviews the “sound” is spoken of well and badly, "
         "as rules read them")),
    ],
)  # fmt: skip
def test_counts_are_said_as_they_are(positive: int, negative: int, of: int, words: str) -> None:
    claim = made(
        "aspect_count", aspect="sound", positive=positive, negative=negative, of=of, source="web"
    )
    assert slots(claim, {})["spoken"] == words


def test_a_users_own_counts_are_said_as_they_are() -> None:
    claim = made("own_aspect", aspect="sound", reviews=3, of=12)
    assert slots(claim, {})["judged"] == (
        "you judge the “sound” in 3 of your 12 reviews of other titles, as rules read them"
    )
    assert "".join(in_words(claim, {})) == (
        "“sound” is judged in 3 of 12 reviews the user wrote of other items, read by rules"
    )
    claim = made("aspect_count", aspect="sound", positive=1, negative=0, of=9, source="web")
    assert "".join(in_words(claim, {})) == (
        "“sound” in 9 review sentences, read by rules: 1 well, 0 badly · from web"
    )
