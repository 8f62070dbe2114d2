"""Items are found however loosely a question names them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.conversation.items import SURE, Catalogue
from whythis.conversation.phrases import load_phrases
from whythis.conversation.spelling import Spelling, folded_word, words_of
from whythis.tools.workspace import Workspace

FILMS = [
    ("Alien", 1979), ("Alien 3", 1992), ("Aliens", 1986), ("Batman", 1989),
    ("Batman Forever", 1995), ("Heat", 1995), ("Seven (Se7en)", 1995), ("The Godfather", 1972),
    ("The Godfather: Part II", 1974), ("Usual Suspects, The", 1995), ("1900", 1976), ("187", 1997),
    ("Sabrina", 1954), ("Sabrina", 1995), ("Contact", 1997), ("M*A*S*H", 1970),
    ("Star Trek: First Contact", 1996), ("Star Trek: The Wrath of Khan", 1982),
    ("Mrs. Doubtfire", 1993), ("Twelve Monkeys", 1995), ("Amélie", 2001),
    ("Truth About Cats & Dogs, The", 1996), ("That Thing You Do!", 1996), ("It", 1990),
]  # fmt: skip
CATALOGUE = Catalogue(
    [str(n) for n in range(len(FILMS))],
    [title for title, _ in FILMS],
    [year for _, year in FILMS],
    [len(FILMS) - n for n in range(len(FILMS))],
    load_phrases().plain,
)


def sure(text: str) -> list[str]:
    return [CATALOGUE.titles[int(m.item)] for m in CATALOGUE.find(text) if m.score >= SURE]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("why heat?", "Heat"),
        ("Why Godfather?", "The Godfather"),
        ("why the godfather part 2", "The Godfather: Part II"),
        ("why The Usual Suspects", "Usual Suspects, The"),
        ("why usual suspects", "Usual Suspects, The"),
        ("why usual suspects, the", "Usual Suspects, The"),
        ("Why alien 3?", "Alien 3"),
        ("why Batman Forevr", "Batman Forever"),
        ("why batman", "Batman"),
        ("why did you pick se7en", "Seven (Se7en)"),
        ("why mash", "M*A*S*H"),
        ("why 12 monkeys", "Twelve Monkeys"),
        ("why amelie", "Amélie"),
        ("truth about cats and dogs", "Truth About Cats & Dogs, The"),
        ("why misses doubtfier and mrs doubtfrie", "Mrs. Doubtfire"),
        ("the wrath of khan please", "Star Trek: The Wrath of Khan"),
        ("why “1900”?", "1900"),
        ("what did they say about Contact", "Contact"),
    ],
)
def test_loose_names_are_found(text: str, title: str) -> None:
    assert sure(text) == [title]


@pytest.mark.parametrize("text", ["i have contact with it", "187 of them", "why 1900 likes"])
def test_a_title_that_is_a_plain_word_or_number_is_only_a_weak_match(text: str) -> None:
    found = CATALOGUE.find(text)
    assert found
    assert all(match.score < SURE for match in found)


def test_titles_within_titles_are_not_found_apart() -> None:
    assert sure("why Star Trek: First Contact, not Alien 3") == [
        "Star Trek: First Contact",
        "Alien 3",
    ]


def test_namesakes_are_alternatives_unless_the_year_tells() -> None:
    both = CATALOGUE.find("why Sabrina?")
    assert [m.item for m in both] == ["12", "13"]  # the more liked first
    assert len({(m.start, m.end) for m in both}) == 1
    assert [m.item for m in CATALOGUE.find("why Sabrina (1995)?")] == ["13"]


def test_the_part_that_titles_share_gives_all_of_them() -> None:
    assert {m.item for m in CATALOGUE.find("what about Star Trek?")} == {"16", "17"}


def test_spans_are_the_words_of_the_name() -> None:
    text = "Is batman forever any good?"
    (match,) = CATALOGUE.find(text)
    assert text[match.start : match.end] == "batman forever"


def test_nothing_is_found_where_nothing_is_named() -> None:
    assert sure("what should I watch tonight?") == []
    assert CATALOGUE.find("") == ()
    assert Catalogue([], []).find("why this?") == ()


@given(st.text(max_size=200))
def test_any_text_gives_ordered_spans_inside_it(text: str) -> None:
    found = CATALOGUE.find(text)
    assert all(0 <= m.start < m.end <= len(text) and 0 < m.score <= 1 for m in found)
    spans = sorted({(m.start, m.end) for m in found})
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@given(st.integers(0, len(FILMS) - 1), st.data())
def test_a_letter_left_out_of_a_long_title_does_no_harm(row: int, data: st.DataObject) -> None:
    title = CATALOGUE.titles[row]
    if len(title) < 9:
        return
    at = data.draw(st.sampled_from([n for n, c in enumerate(title) if c.isalpha()]))
    misspelt = title[:at] + title[at + 1 :]
    assert str(row) in {m.item for m in CATALOGUE.find(f"why {misspelt}?")}


def test_spelling_finds_short_and_long_names_by_few_edits() -> None:
    names = ["heat", "wrathofkhan", "thetruthaboutcatsanddogs", "it"]
    found = Spelling(names).near(["haet", "wraithofkhan", "thetruthaboutcasandogs", "ti"])
    assert sorted(found) == [(0, 0, 1), (1, 1, 1), (2, 2, 2)]  # two letters may not be misspelt


def test_words_are_compared_without_case_accents_and_apostrophes() -> None:
    assert [w.form for w in words_of("What’s Amélie & ÉTÉ?")] == ["whats", "amelie", "and", "ete"]
    assert folded_word("don't") == "dont"


def test_the_catalogue_of_a_recommender_knows_all_its_items(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    made = Catalogue.of(rec)
    for id_, title in zip(rec.item_ids.ids, rec.titles, strict=True):
        assert id_ in {match.item for match in made.find(f"why “{title}”?")}
