"""Ranks, lists, coverage, diversity and intervals, against slow definitions."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from whythis.bench.ranking import gains, held_out_ranks, interval, rank, top
from whythis.recsys.metrics import hit_rate, ndcg, rank_of


def at(*items):
    return np.asarray(items, dtype=np.int64)


TRAIN = [at(0, 1), at(0, 1, 2), at(2), at(3, 0)]  # item 4 has no users
HISTORIES = [at(4), at(0), at(0, 1, 2, 3)]


def fixed(table):
    return lambda rows, _: np.asarray(table, dtype=float)[rows]


def cosine(i, j):
    x = np.zeros((4, 5))
    for user, items in enumerate(TRAIN):
        x[user, items] = 1.0
    norm = np.linalg.norm(x[:, i]) * np.linalg.norm(x[:, j])
    return x[:, i] @ x[:, j] / norm if norm else 0.0


@given(
    scores=hnp.arrays(
        np.float64,
        st.integers(1, 30),
        elements=st.sampled_from([0.0, 1.0, 2.0, -1.0, -math.inf, math.inf]),
    ),
    data=st.data(),
)
def test_the_list_holds_the_items_that_rank_first(scores, data):
    hidden = at(*data.draw(st.lists(st.integers(0, len(scores) - 1), unique=True)))
    length = data.draw(st.integers(1, 12))
    free = sorted(set(range(len(scores))) - set(hidden.tolist()))
    wanted = sorted(free, key=lambda item: rank_of(scores, item, hidden))[:length]
    assert top(scores, hidden, length).tolist() == wanted


def test_nan_goes_last_in_a_list():
    assert top(np.array([np.nan, 1.0, np.nan, 2.0]), at(), 3).tolist() == [3, 1, 0]


def test_ranks_coverage_and_diversity_by_their_definitions():
    table = [[5, 4, 3, 2, 1], [5, 4, 3, 2, 1], [1, 2, 3, 4, 5]]
    ranked = rank(fixed(table), HISTORIES, [1, 4, 4], TRAIN, 5)
    assert ranked.ranks.tolist() == [2, 4, 1]
    assert ranked.coverage == 1.0
    for got, items in zip(ranked.diversity, ([0, 1, 2, 3], [1, 2, 3, 4]), strict=False):
        pairs = [1 - cosine(i, j) for i, j in combinations(items, 2)]
        assert got == pytest.approx(np.mean(pairs))
    assert np.isnan(ranked.diversity[2])  # one item is left: no pair
    assert ranked.figures() == {
        "hr@10": 1.0,
        "ndcg@10": pytest.approx(ndcg(ranked.ranks)),
        "recall@20": 1.0,
        "coverage@10": 1.0,
        "diversity@10": pytest.approx(np.mean(ranked.diversity[:2])),
    }


def test_coverage_counts_items_shown_to_anyone():
    n, users = 40, 3
    histories = [at()] * users
    same = np.tile(np.arange(n, dtype=float), (users, 1))
    assert rank(fixed(same), histories, [0] * users, TRAIN, n).coverage == 10 / n
    turned = np.stack([np.roll(same[0], 10 * user) for user in range(users)])
    assert rank(fixed(turned), histories, [0] * users, TRAIN, n).coverage == 30 / n


def test_users_in_several_batches_keep_their_rows():
    n, users = 20, 600
    rng = np.random.default_rng(0)
    table = rng.normal(size=(users, n))
    histories = [at(*rng.choice(n, 3, replace=False)) for _ in range(users)]
    targets = [int(rng.choice(np.setdiff1d(np.arange(n), h))) for h in histories]
    wanted = [rank_of(s, t, h) for s, t, h in zip(table, targets, histories, strict=True)]
    sizes = []

    def scores(rows, part):
        sizes.append(len(rows))
        assert [h.tolist() for h in part] == [histories[row].tolist() for row in rows]
        return table[rows]

    ranked = rank(scores, histories, targets, TRAIN, n)
    assert ranked.ranks.tolist() == wanted
    assert held_out_ranks(scores, histories, targets).tolist() == wanted
    assert len(ranked.diversity) == users
    assert max(sizes) < users  # memory: never all users at once
    assert sum(sizes) == 2 * users  # one pass each


def test_no_users_give_no_ranks():
    ranked = rank(fixed(np.zeros((0, 5))), [], [], TRAIN, 5)
    assert len(ranked.ranks) == 0
    assert ranked.coverage == 0.0
    assert np.isnan(ranked.figures()["diversity@10"])


def test_gains_average_to_ndcg():
    ranks = at(1, 2, 10, 11, 500)
    assert gains(ranks).tolist() == [1.0, 1 / math.log2(3), 1 / math.log2(11), 0.0, 0.0]
    assert gains(ranks).mean() == pytest.approx(ndcg(ranks))
    assert hit_rate(ranks) == (gains(ranks) > 0).mean()


def test_an_interval_is_seeded_and_about_as_wide_as_theory_says():
    differences = np.random.default_rng(1).normal(0.1, 1.0, 2000)
    low, high = interval(differences, seed=3)
    assert (low, high) == interval(differences, seed=3)
    assert (low, high) != interval(differences, seed=4)
    error = differences.std() / math.sqrt(len(differences))
    assert low == pytest.approx(differences.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(differences.mean() + 1.96 * error, abs=0.2 * error)


def test_equal_rankers_have_an_interval_of_zero():
    assert interval(np.zeros(50), seed=0) == (0.0, 0.0)


def test_an_interval_needs_users():
    with pytest.raises(ValueError, match="no users"):
        interval(np.zeros(0), seed=0)
