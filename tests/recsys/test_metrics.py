"""Ranks and their means, held against sorting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.metrics import discounted_rank, hit_rate, ndcg, rank_of, ranks_of

from . import oracle

# few different values, so that ties are common
scores_and_target = st.lists(st.integers(-2, 2).map(float), min_size=1, max_size=12).flatmap(
    lambda scores: st.tuples(
        st.just(scores),
        st.integers(0, len(scores) - 1),
        st.sets(st.integers(0, len(scores) - 1)),
    )
)


@given(scores_and_target)
def test_the_rank_is_the_place_in_the_sorted_list(
    case: tuple[list[float], int, set[int]],
) -> None:
    scores, target, hidden = case
    found = rank_of(np.array(scores), target, np.array(sorted(hidden), dtype=np.int64))
    assert found == oracle.rank(scores, target, hidden)


@given(scores_and_target)
def test_not_a_number_is_behind_every_number(case: tuple[list[float], int, set[int]]) -> None:
    scores, target, hidden = case
    broken = np.array([*scores[:target], math.nan, *scores[target + 1 :]])
    rank = rank_of(broken, target, np.array(sorted(hidden), dtype=np.int64))
    assert rank == len(set(range(len(scores))) - hidden | {target})


def test_an_item_that_is_not_a_number_is_not_passed_over() -> None:
    assert rank_of(np.array([math.nan, 1.0]), 1, np.zeros(0, dtype=np.int64)) == 2


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(
            st.tuples(
                st.lists(st.integers(-2, 2).map(float), min_size=n, max_size=n),
                st.integers(0, n - 1),
                st.sets(st.integers(0, n - 1)),
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_ranks_of_many_are_those_of_each(cases: list[tuple[list[float], int, set[int]]]) -> None:
    scores = np.array([row for row, _, _ in cases])
    targets = np.array([target for _, target, _ in cases])
    hidden = [np.array(sorted(gone), dtype=np.int64) for _, _, gone in cases]
    found = ranks_of(scores, targets, hidden)
    assert found.dtype == np.int64
    assert found.tolist() == [
        rank_of(row, int(target), gone)
        for row, target, gone in zip(scores, targets, hidden, strict=True)
    ]


def test_ranks_leave_the_scores_as_they_are() -> None:
    scores = np.array([[3.0, 1.0, 2.0]])
    assert ranks_of(scores, np.array([2]), [np.array([0])]).tolist() == [1]
    assert scores.tolist() == [[3.0, 1.0, 2.0]]


def test_hit_rate_and_ndcg_by_hand() -> None:
    ranks = np.array([1, 2, 3, 11])
    assert hit_rate(ranks) == 0.75
    assert hit_rate(ranks, 1) == 0.25
    assert ndcg(ranks) == pytest.approx((1 + 1 / math.log2(3) + 0.5) / 4)
    assert discounted_rank(ranks) == ndcg(ranks, 11)
    assert ndcg(ranks, 11) == pytest.approx((1 + 1 / math.log2(3) + 0.5 + 1 / math.log2(12)) / 4)


def test_no_users_give_zero() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    assert hit_rate(nobody) == ndcg(nobody) == discounted_rank(nobody) == 0.0
