"""A word is counted where it stands by itself, whatever its case, and only there."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.recsys.small import ONCE, small_reviews
from whythis.recsys.errors import DataError, MissingPartError
from whythis.tools.mentions import count_mentions, count_own_words, mentions, own_words
from whythis.tools.reviews.sentences import folded
from whythis.tools.workspace import Workspace


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("drama", 2),
        ("Drama", 2),
        ("DRAMA", 2),
        ("dram", 0),
        ("a", 1),
        ("i", 2),
        ("asleep", 1),
        ("two", 1),
    ],
)
def test_whole_words_are_counted_sentence_by_sentence(
    small_workspace: Workspace, word: str, count: int
) -> None:
    found = count_mentions(small_workspace, ONCE, "i00", word)
    assert (found.sentences, found.of, found.source) == (count, 6, "sample")


def test_a_users_own_review_does_not_count(small_workspace: Workspace) -> None:
    others = count_mentions(small_workspace, ONCE, "i00", "drama")
    own = count_mentions(small_workspace, "u05", "i00", "drama")
    assert (others.sentences, others.of) == (2, 6)
    assert (own.sentences, own.of) == (1, 4)
    assert count_own_words(small_workspace, "u05", "i00", "drama").of == 0
    assert count_own_words(small_workspace, "u05", "i01", "drama").sentences == 1


def test_tones_are_those_of_the_reviews(small_workspace: Workspace) -> None:
    found = count_mentions(small_workspace, ONCE, "i02", "the")
    assert (found.sentences, found.favourable, found.critical) == (2, 1, 1)
    unrated = count_mentions(small_workspace, ONCE, "i02", "rainy")
    assert (unrated.sentences, unrated.favourable, unrated.critical) == (1, 0, 0)


@pytest.mark.parametrize(
    "word", ["", " ", "two words", "a.", "<b>", "“x”", "x" * 41, "\ud800", "'"]
)
def test_what_is_not_one_word_is_refused(small_workspace: Workspace, word: str) -> None:
    with pytest.raises(DataError, match="not one word"):
        count_mentions(small_workspace, ONCE, "i00", word)


def test_nothing_is_found_where_nobody_wrote(small_workspace: Workspace) -> None:
    unseen = next(r.item for r in small_workspace.recommender.recommend(ONCE, 40) if r.item > "i03")
    assert unseen == "i38" or mentions(small_workspace, ONCE, unseen, "the") == ()
    assert own_words(small_workspace, ONCE, "i00", "the") == ()
    with pytest.raises(MissingPartError, match="whythis index"):
        mentions(Workspace(small_workspace.recommender), ONCE, "i00", "the")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=st.text(min_size=1, max_size=8))
def test_any_word_is_counted_as_it_stands_or_refused(small_workspace: Workspace, word: str) -> None:
    try:
        found = count_mentions(small_workspace, ONCE, "i00", word)
    except DataError:
        return
    texts = folded(" ".join(small_reviews().query("item == 'i00'")["text"]))
    assert bool(found.sentences) == (folded(word) in re.split(r"[^\w'-]+", texts))
    assert found.favourable + found.critical <= found.sentences <= found.of
