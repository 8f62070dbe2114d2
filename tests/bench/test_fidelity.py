"""The faithfulness metrics against plain loops, and three known ways to get them wrong."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.bench.case import Case, Floats, Masks
from whythis.bench.explainers import MODEL_FREE, Background
from whythis.bench.fidelity import COLUMNS, METRICS, SIZES, fidelity, ordering, paired
from whythis.recsys.errors import DataError

POS, CDCG, DEL, INS = range(len(METRICS))


def linear_case(weights: Floats, bias: Floats, target: int, hidden: tuple[int, ...] = ()) -> Case:
    """Return a case whose scores are bias + the sum of the kept rows of `weights` (T x n)."""
    return Case(
        user="u",
        target=target,
        history=np.arange(len(weights)),
        hidden=np.asarray(hidden, dtype=np.int64),
        scores=lambda masks: bias + masks @ weights,
    )


def drawn_case(seed: int, events: int, items: int = 30, scale: float = 1.0) -> Case:
    rng = np.random.default_rng(seed)
    weights, bias = scale * rng.normal(size=(events, items)), rng.normal(size=items)
    hidden = tuple(range(3))
    unseen = (bias + weights.sum(0))[3:]
    return linear_case(weights, bias, 3 + int(unseen.argmax()), hidden)


def by_loops(case: Case, order: list[int]) -> Floats:
    """Return METRICS x COLUMNS as the formulas read."""

    def run(kept: list[int]) -> tuple[int, float]:
        mask = np.zeros((1, len(order)), dtype=bool)
        mask[0, kept] = True
        scores = case.scores(mask)[0].tolist()
        unseen = [i for i in range(len(scores)) if i not in case.hidden]
        mine = scores[case.target]
        rank = 1 + sum(scores[i] > mine for i in unseen if i != case.target)
        return rank, math.exp(mine) / sum(math.exp(scores[i]) for i in unseen)

    def four(size: int) -> list[float]:
        rank, without = run(order[size:])
        _, only = run(order[:size])
        whole = run(order)[1]
        return [float(rank <= 10), 1 / math.log2(1 + rank), without / whole, only / whole]

    curve = [four(round(tenth / 10 * len(order))) for tenth in range(11)]
    areas = [sum((a[m] + b[m]) / 20 for a, b in pairwise(curve)) for m in range(4)]
    return np.asarray([*(four(size) for size in SIZES), areas]).T


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 13))
def test_all_metrics_are_what_the_formulas_say(seed, events):
    case = drawn_case(seed, events)
    weights = np.random.default_rng(seed + 1).normal(size=events)
    found = fidelity(case, {"one": weights})["one"]
    assert found.shape == (len(METRICS), len(COLUMNS))
    assert np.allclose(found, by_loops(case, np.argsort(-weights).tolist()), rtol=1e-9)


def two_explanations() -> tuple[Case, Floats, Floats]:
    """Return a case with an explanation better at removal and another better at keeping."""
    items = 14
    bias = np.zeros(items)
    weights = np.zeros((7, items))
    weights[0, 0] = 3.0
    weights[1, 0], weights[1, 1:12] = 3.0, 6.5  # lifts the target, and its rivals more
    weights[2, 1:12] = -8.0  # holds the rivals down: without it, they pass
    case = linear_case(weights, bias, 0)
    removal = np.asarray([0, 1, 2, 0, 0, 0, 0.0])
    keeping = np.asarray([2, 0, 0, 0, 0, 0, 1.0])
    return case, removal, keeping


def test_no_metric_takes_the_better_of_two_explanations():
    case, removal, keeping = two_explanations()
    both = fidelity(case, {"removal": removal, "keeping": keeping})
    assert both["removal"][CDCG, 0] < both["keeping"][CDCG, 0]
    assert both["keeping"][INS, 0] > both["removal"][INS, 0]
    for name, weights in (("removal", removal), ("keeping", keeping)):
        assert np.allclose(both[name], by_loops(case, ordering(weights).tolist()))


def test_several_explanations_at_once_are_refused():
    case, removal, keeping = two_explanations()
    with pytest.raises(DataError, match=r"'both' has the shape \(2, 7\)"):
        fidelity(case, {"both": np.stack([removal, keeping])})
    with pytest.raises(DataError, match="give one ordering"):
        ordering(np.stack([removal, keeping]))


def test_accent_keeps_the_influence_on_the_target_itself():
    weights = np.zeros((3, 5))
    weights[0, 0] = 2.0  # lifts the target by more than event 1 lowers the runner-up
    weights[1, 1] = -1.0
    weights[2, :2] = 5.0  # lifts both alike: nothing of the lead is its doing
    case = linear_case(weights, np.asarray([1.0, 1.5, 0.0, 0.0, 0.0]), 0)
    found = MODEL_FREE["ACCENT"](Background(None))(case)
    assert found == pytest.approx([2.0, 1.0, 0.0])
    only_on_the_runner_up = -weights[:, 1]
    assert ordering(found)[0] != ordering(only_on_the_runner_up)[0]


def test_del_and_ins_are_relative_to_the_whole_history():
    weights = np.zeros((8, 6))
    weights[0, 0] = 1.0
    case = linear_case(weights, np.zeros(6), 0)
    idle_first = np.arange(8.0)  # event 0 comes last: nothing that counts is removed
    found = fidelity(case, {"idle first": idle_first, "cause first": -idle_first})
    assert found["idle first"][DEL, :-1] == pytest.approx(np.ones(len(SIZES)))
    assert found["cause first"][INS, :-1] == pytest.approx(np.ones(len(SIZES)))
    whole = math.e / (math.e + 5)
    assert found["cause first"][DEL, :-1] == pytest.approx(np.full(len(SIZES), (1 / 6) / whole))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-500, 500))
def test_only_differences_of_scores_and_unseen_items_matter(seed, shift):
    case = drawn_case(seed, 6)

    def other(masks: Masks) -> Floats:
        scores = case.scores(masks) + shift
        scores[:, case.hidden] = 1e6
        return scores

    changed = Case(case.user, case.target, case.history, case.hidden, other)
    weights = np.random.default_rng(seed).normal(size=6)
    before, after = (fidelity(c, {"x": weights})["x"] for c in (case, changed))
    assert np.allclose(before, after, rtol=1e-6)


def test_extreme_scores_stay_finite():
    case = drawn_case(5, 7, scale=2000.0)
    found = fidelity(case, {"x": np.arange(7.0)})["x"]
    assert np.isfinite(found[[POS, CDCG, DEL]]).all()


def test_equal_weights_go_oldest_first():
    assert ordering(np.asarray([1.0, 2.0, 1.0, 2.0])).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("bad", [[1.0, math.nan, 0.0], [1.0, math.inf, 0.0], [1.0, 2.0]])
def test_what_is_no_finite_weight_for_each_event_is_refused(bad):
    with pytest.raises(DataError):
        fidelity(drawn_case(0, 3), {"x": np.asarray(bad)})


def test_equal_histories_are_scored_once():
    asked = []
    case = drawn_case(1, 6)

    def counting(masks: Masks) -> Floats:
        asked.append(masks)
        return case.scores(masks)

    counted = Case(case.user, case.target, case.history, case.hidden, counting)
    weights = np.arange(6.0)
    fidelity(counted, {"one": weights, "same": 2 * weights, "reversed": -weights})
    (masks,) = asked
    assert len(np.unique(masks, axis=0)) == len(masks) <= 2 * 6


def test_the_bootstrap_pairs_users():
    rng = np.random.default_rng(0)
    users = rng.normal(size=400)
    small = 0.1 + 0.01 * rng.normal(size=400)
    found = paired(np.stack([small, users - users, users - users.mean()]), seed=1)
    assert found.p[0] == pytest.approx(2 / 10_001)
    assert found.low[0] > 0.09
    assert found.high[0] < 0.11
    assert found.p[1] == 1.0
    assert found.low[1] == found.high[1] == 0.0
    assert found.p[2] > 0.5
    assert found.low[2] == pytest.approx(-1.96 * users.std() / 20, rel=0.1)
    again = paired(np.stack([small, users - users, users - users.mean()]), seed=1)
    assert np.array_equal(found.low, again.low)
