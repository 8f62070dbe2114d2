"""Sentences are weighed by several measures, and a few that differ are chosen."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whythis.tools.reviews.hybrid import (
    PARTS,
    Weights,
    bm25,
    cosines,
    coverage,
    diverse,
    helpfulness,
    lengths,
)

TEXTS = ["The strings last long.", "A cheap tuner, and the tuner works.", "Great!", "…"]


def test_bm25_prefers_who_repeats_a_rare_word_and_is_0_without_one() -> None:
    found = bm25(TEXTS)("is the tuner any good?")
    assert found.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert bm25(TEXTS)("zither").tolist() == [0.0] * 4


@pytest.mark.parametrize("query", ["", " ", "the of a", "\x00\u202e", "😀"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    assert bm25(TEXTS)(query).tolist() == [0.0] * 4
    assert bm25([])(query).tolist() == []


@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=60))
def test_bm25_is_from_0_to_1_whatever_the_texts(texts: list[str], query: str) -> None:
    found = bm25(texts)(query)
    assert len(found) == len(texts)
    assert ((found >= 0) & (found <= 1)).all()


def test_cosines_are_cut_at_0() -> None:
    rows = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    assert cosines(rows, np.array([2, 0], dtype=np.float32)).tolist() == [1.0, 0.0, 0.0]
    assert cosines(rows, np.zeros(2, dtype=np.float32)).tolist() == [0.0] * 3


def test_lengths_fall_to_both_sides() -> None:
    words = [0, 1, 2, 4, 35, 57, 80, 500]
    found = lengths(["word " * n for n in words])
    assert found.tolist() == pytest.approx([0, 0, 1 / 3, 1, 1, 23 / 45, 0, 0])


def test_votes_saturate_and_unknown_is_none() -> None:
    assert helpfulness([None, 0, 3, 27, -5]).tolist() == [0.0, 0.0, 0.5, 0.9, 0.0]


def test_coverage_counts_only_what_is_wanted() -> None:
    assert coverage({"tone": 1.0, "box": 1.0}, {"tone": 0.5}) == 0.5
    assert coverage({"tone": 0.5, "case": 1.0}, {"tone": 1.0, "case": 0.5}) == 0.75
    assert coverage({}, {"tone": 1.0}) == 0.0


def test_weights_are_a_mean_and_wanted_is_at_most_1() -> None:
    parts = {part: np.ones(2) for part in PARTS}
    assert Weights().scores(parts).tolist() == [1.0, 1.0]
    weights = Weights(own=2.0, persona=1.0)
    wanted = weights.wanted({"tone": 0.1, "box": 0.6}, {"tone": 0.5, "box": 1.0}, {"tone": 1.0})
    assert wanted == pytest.approx({"tone": 0.3, "box": 1.0})
    with pytest.raises(ValidationError):
        Weights(vector=-1.0)


def rows(relevance: float, base: list[float], reviews: str = "abc") -> list[int]:
    vectors = np.array([[1, 0], [1, 0.01], [0, 1]], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = Weights(relevance=relevance)
    return list(diverse(np.array(base), [{}] * 3, {}, vectors, reviews, weights))


def test_what_is_like_a_chosen_one_waits() -> None:
    assert rows(1.0, [0.5, 0.4, 0.3]) == [0, 1, 2]
    assert rows(0.5, [0.5, 0.4, 0.3]) == [0, 2, 1]


def test_ties_go_by_place_and_each_review_speaks_once_first() -> None:
    assert rows(1.0, [0.4, 0.4, 0.4]) == [0, 1, 2]
    assert rows(1.0, [0.5, 0.4, 0.3], "aab") == [0, 2, 1]


def test_an_aspect_already_told_counts_no_more() -> None:
    vectors = np.eye(3, dtype=np.float32)
    spoken = [{"tone": 1.0}, {"tone": 1.0}, {"box": 1.0}]
    wanted = {"tone": 0.9, "box": 0.3}
    found = diverse(np.zeros(3), spoken, wanted, vectors, "abc", Weights(relevance=0.9))
    assert list(found) == [0, 2, 1]


def test_a_megabyte_is_read_in_no_time() -> None:
    for text in ("x" * 1_000_000, "tuner \x00\u202e" * 100_000):
        start = time.process_time()
        bm25([*TEXTS, text[:600]])(text[:4000])
        lengths([text])
        assert time.process_time() - start < 2
