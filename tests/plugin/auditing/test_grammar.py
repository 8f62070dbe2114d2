"""A sentence is read whole or not at all, and nobody can make reading take long."""

from __future__ import annotations

import inspect
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.auditing import caused, causes, counted, grammar, quoted, tastes
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
        _ = Grammar.model_validate(raw).forms


def test_a_verb_that_has_neither_one_form_nor_five_is_refused() -> None:
    raw = GRAMMAR.model_dump()
    raw["verbs"] = {**raw["verbs"], "fall": ("fall falls fell",)}
    with pytest.raises(DataError, match="fall falls fell"):
        _ = Grammar.model_validate(raw).forms


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("Without your taste for drama, Heat would slip to 15th.", "falls"),
        ("Without your taste for drama, Heat has dropped to 15th.", "falls"),
        ("Without your taste for drama, Heat would be bumped up to 2nd.", "rises"),
        ("Without your taste for drama, Heat would only be 15th.", "falls"),
        ("Without your taste for drama, Heat falls all the way to 15th.", "far"),
        ("Heat wouldn't have made the cut without your taste for drama.", "leaves"),
        ("Heat climbs from 15th to 3rd thanks to your taste for drama.", "because"),
        ("Why Heat? Because you liked Ronin.", "because"),
    ],
)
def test_every_form_of_a_verb_carries_what_it_claims(text: str, flag: str) -> None:
    assert flag in only(text).flags


def test_a_subject_left_out_is_never_taken_for_a_title() -> None:
    assert readings("Forget Ronin, and Casino moves down from 1st to 2nd.") is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_not_but_never_breaks(text: str) -> None:
    readings(text)


def test_words_made_to_take_long_are_read_soon() -> None:
    started = time.perf_counter()
    for text in ("without it , " * 45, "your taste for drama, " * 25 + ".", "because of " * 50):
        readings(text)
    assert time.perf_counter() - started < 10


_SOURCE = "".join(map(inspect.getsource, (caused, causes, counted, quoted, tastes)))


def test_every_label_of_a_form_is_tested_by_an_assertion() -> None:
    source = _SOURCE
    forms = [*(f for shape in GRAMMAR.shape for f in shape.forms), *GRAMMAR.macros.values()]
    labels = {label for form in forms for label in re.findall(r"\{([a-z_]+):[A-Z]+\}", form)}
    assert len(labels) > 20
    # the explained item is the only one that ITEM can be
    assert not [label for label in sorted(labels - {"title"}) if f'"{label}"' not in source]


def test_every_flag_of_a_form_is_tested_by_an_assertion() -> None:
    source = _SOURCE + inspect.getsource(grammar)
    forms = [*(f for shape in GRAMMAR.shape for f in shape.forms), *GRAMMAR.macros.values()]
    flags = {flag for form in forms for flag in re.findall(r"\[([a-z_]+)\]", form)}
    assert len(flags) > 15
    assert not [flag for flag in sorted(flags) if f'"{flag}"' not in source]


@pytest.mark.parametrize(
    ("order", "outcome"), [("first more than the second", None), ("second more than the first", 1)]
)
def test_the_first_and_the_second_are_not_exchanged(order: str, outcome: int | None) -> None:
    one = only(f"Both your taste for drama and your taste for comedy speak for Heat, the {order}.")
    wrong = [k for k, n in (("former", "1"), ("latter", "2")) if one.parts[k].values != (n,)]
    assert bool(wrong) == bool(outcome)
