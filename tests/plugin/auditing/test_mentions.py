"""Titles, tastes, quotations and numbers are found as named, and nothing else is."""

from __future__ import annotations

import time

import pytest

from whythis.auditing.mentions import Mention, Titles, mentions, quotations
from whythis.auditing.sentences import sentences

TITLES = Titles(
    ids=("h", "r", "s", "n", "t", "b", "e", "o1", "o2"),
    titles=(
        "Heat (1995)",
        "Ronin (1998)",
        "Seven (1995)",
        "1900 (1976)",
        "The Reason (2000)",
        "Heat and Dust (1983)",
        "The Empire Strikes Back (1980)",
        "Twice (1990)",
        "Twice (1990)",
    ),
    bare=(
        *("Heat", "Ronin", "Seven", "1900", "The Reason", "Heat and Dust"),
        *("The Empire Strikes Back", "Twice (1990)", "Twice (1990)"),
    ),
)


def found(text: str, near: tuple[str, ...] = ("r",), **more: object) -> list[tuple[str, str]]:
    named = mentions(text, titles=TITLES, item="h", near=near, **more)  # type: ignore[arg-type]
    return [(m.symbol, m.value) for m in named]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Because of Ronin, Heat is here.", [("TITLE", "r"), ("ITEM", "h")]),
        ("Heat and Dust is another film than Heat.", [("TITLE", "b"), ("ITEM", "h")]),
        ("In the heat of the night", []),
        ("Seven people rated it.", []),
        ("the reason is clear", []),
        ("We like The Reason a lot.", [("TITLE", "t")]),
        ("The Empire Strike Back is near.", [("TITLE", "e")]),
        ("from 3rd to 1,021st, #4, 35 %, 4.1 of 5", None),
    ],
)
def test_what_a_text_names(text: str, expected: list[tuple[str, str]] | None) -> None:
    if expected is None:
        expected = [("ORD", "3"), ("ORD", "1021"), ("ORD", "4"), ("PCT", "35")]
        expected += [("NUM", "4.1"), ("NUM", "5")]
    assert found(text) == expected


def test_a_title_that_is_a_number_or_a_word_counts_where_one_expects_it() -> None:
    assert found("1900 and Seven are here.", near=("n", "s")) == [("TITLE", "n"), ("TITLE", "s")]
    assert found("1900 are here.") == [("NUM", "1900")]


def test_titles_of_two_items_are_either() -> None:
    [(symbol, value)] = found("You liked Twice (1990).", near=("o1", "o2"))
    assert symbol == "TITLE"
    assert set(value.split("\x1f")) == {"o1", "o2"}
    assert found("You liked Twice (1990).", near=("o2",)) == [("TITLE", "o2")]


def test_a_taste_is_named_after_a_word_that_leads_to_one() -> None:
    more = {"tastes": {"drama": 2, "drama and war": 0}, "heads": ("for",)}
    assert found("a taste for Drama and War", **more) == [("TNAME", "0")]
    assert found("some drama and war", **more) == []


def test_a_misspelt_title_is_marked() -> None:
    text = "The Empire Strike Back"
    [one] = mentions(text, titles=TITLES, item="h", near=())
    assert one == Mention(0, len(text), "TITLE", "e", exact=False)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("He said “a “b” c” and left", "a “b” c"),
        ('One wrote: "plain"', "plain"),
        ("One wrote: ‘don’t go’ twice", "don’t go"),
        ("An open “ mark", None),
    ],
)
def test_quotations(text: str, inside: str | None) -> None:
    spans = list(quotations(text, ()))
    assert [text[a + 1 : b - 1] for a, b in spans] == ([] if inside is None else [inside])


def test_a_stored_sentence_with_marks_of_its_own_is_one_quotation() -> None:
    known = "It is “odd” to say ” so"
    text = f"One wrote: “{known}” (review)"
    assert [text[a + 1 : b - 1] for a, b in quotations(text, [known])] == [known]


@pytest.mark.parametrize("unit", ["“", "”", "“a”", '"a" ', '{"a":', "‘", "«»", "„“"])
def test_quotations_of_a_hostile_text_are_found_in_no_time(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    started = time.process_time()
    list(quotations(text, ["a"]))
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("unit", ["e.g. Mr. J. ", "why? ", '"a". ', ". ", "A. "])
def test_sentences_of_a_hostile_text_are_found_in_no_time(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    found = [Mention(n, n + 1, "QUOTE", "x") for n in range(0, 50_000, 5)]
    started = time.process_time()
    sentences(text, found, {"why"})
    assert time.process_time() - started < 2.0
