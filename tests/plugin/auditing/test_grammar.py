"""A sentence is read whole or not at all, and nobody can make reading take long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.auditing.grammar import Grammar, Reading, line, load_grammar, read, words
from whythis.auditing.mentions import Titles, mentions
from whythis.recsys.errors import DataError

GRAMMAR = load_grammar()
TITLES = Titles(
    ("h", "r", "c"), ("Heat (1995)", "Ronin (1998)", "Casino (1995)"), ("Heat", "Ronin", "Casino")
)


def readings(text: str) -> tuple[Reading, ...] | None:
    tastes = {"drama": 0, "comedy": 1}
    found = mentions(
        text, titles=TITLES, item="h", near=("r", "c"), tastes=tastes, heads=GRAMMAR.taste_heads
    )
    return read(line(text, found, GRAMMAR), GRAMMAR)


def only(text: str) -> Reading:
    found = readings(text)
    assert found is not None
    assert len(found) == 1
    return found[0]


def test_a_counterfactual_names_cause_and_ranks() -> None:
    one = only("Without your taste for drama, Heat would fall from 3rd to 15th place.")
    assert one.reads == "effect"
    assert {k: n.values for k, n in one.parts.items() if k != "title"} == {
        "taste": ("0",),
        "before": ("3",),
        "after": ("15",),
    }
    assert "falls" in one.flags


@pytest.mark.parametrize(
    "text",
    [
        "Had you never liked Ronin and Casino, it'd drop from third to fifteenth.",
        "Heat would slide from #3 to #15 without Ronin and Casino in your history.",
        "Take Ronin and Casino out of your history and it goes from 3rd down to 15th.",
    ],
)
def test_many_words_say_the_same(text: str) -> None:
    one = only(text)
    assert one.parts["likes"].values == ("r", "c")
    assert (one.parts["before"].values, one.parts["after"].values) == (("3",), ("15",))
    assert "falls" in one.flags


def test_from_and_to_are_not_exchanged() -> None:
    back = only("Your taste for drama lifts Heat from 15th to 3rd place.")
    assert (back.parts["before"].values, back.parts["after"].values) == (("3",), ("15",))


@pytest.mark.parametrize(
    "text",
    [
        "Your taste for drama speaks for Heat and everyone adores it.",
        "Your taste for drama does not speak for Heat.",
        "Your taste for drama never speaks for Heat.",
        "Your taste for drama speaks only for Heat.",
        "Your taste for drama hardly speaks for Heat.",
        "Ronin speaks for your taste for drama.",
        "Heat speaks for your taste for drama.",
        "Your taste for dramа speaks for Heat.",
        "Your taste for dra\u200bma speaks for Heat.",
        "Without your taste for drama, Heat would fall from ３rd to 15th place.",
        "It is great.",
    ],
)
def test_what_it_does_not_know_is_not_read(text: str) -> None:
    assert readings(text) is None


def test_two_assertions_are_two() -> None:
    found = readings("Your taste for drama speaks for Heat, your taste for comedy against it.")
    assert found is not None
    assert [("helps" in r.flags, "hurts" in r.flags) for r in found] == [
        (True, False),
        (False, True),
    ]


def test_contractions_are_words() -> None:
    assert [w for w, _, _ in words("It'd don’t you’re")] == ["it", "'d", "do", "n't", "you", "'re"]


def test_a_grammar_with_an_unknown_part_is_refused() -> None:
    raw = GRAMMAR.model_dump()
    raw["shape"] = ({"reads": "effect", "forms": ("<nowhere>",)},)
    with pytest.raises(DataError, match="nowhere"):
        _ = Grammar.model_validate(raw).patterns


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_not_but_never_breaks(text: str) -> None:
    readings(text)


def test_words_made_to_take_long_are_given_up_soon() -> None:
    started = time.perf_counter()
    for text in ("without it , " * 45, "your taste for drama, " * 25 + ".", "because of " * 50):
        try:
            readings(text)
        except TimeoutError:
            continue
    assert time.perf_counter() - started < 60
