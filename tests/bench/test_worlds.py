"""The judge is fair to right and wrong answers, and executed removals find what was planted."""

import json

import numpy as np
import pytest

from whythis.bench import worlds
from whythis.bench.explainers import MODEL_FREE
from whythis.bench.planted import Truth
from whythis.bench.planting import KINDS, LARGEST, WorldConfig, make_world
from whythis.bench.worlds import (
    EMPTY,
    FIGURES,
    OURS,
    Answer,
    empty,
    executed,
    judge,
    measure,
    weighed,
)
from whythis.recsys.blackbox import black_box
from whythis.recsys.effects import remove, reruns
from whythis.recsys.errors import DataError


@pytest.fixture(scope="module")
def world():
    return make_world(WorldConfig(seed=5, shortest=12, longest=30))


@pytest.fixture(scope="module")
def box(world):
    return black_box(world.dataset, world.scores_of, name=world.name)


def of_kind(world, kind):
    return next(one for one in world.planted if one.kind == kind)


def true_weights(one):
    return np.asarray([float(one.truth.signs.get(item, 0)) for item in one.history.tolist()])


@pytest.mark.parametrize("kind", KINDS)
def test_executed_removals_find_what_was_planted(world, box, kind):
    one = of_kind(world, kind)
    answer = executed(box, one.user, world.ids[one.target])
    judged = judge(world.case(one), one.truth, answer)
    assert judged["right"] == judged["signs"] == len(one.truth.signs)
    assert judged["right negative"] == judged["negative"]
    assert judged["negative"] == list(one.truth.signs.values()).count(-1)
    assert np.isnan(judged["set"]) if kind == "popular" else judged["set"] == 1.0
    assert answer.nobody == (kind == "popular")
    assert empty(box, one.user, world.ids[one.target]).nobody == (kind in {"popular", "rescued"})


@pytest.mark.parametrize("kind", ["single", "redundant", "suppressor", "taste"])
def test_the_truth_itself_as_weights_is_right_and_turned_round_is_wrong(world, kind):
    one = of_kind(world, kind)
    case = world.case(one)
    right = judge(case, one.truth, weighed(case, true_weights(one)))
    wrong = judge(case, one.truth, weighed(case, -true_weights(one)))
    assert right["right"] == right["signs"] > 0
    assert right["set"] == 1.0 or kind == "suppressor"
    assert not right["nobody"]
    assert wrong["right"] == wrong["set"] == 0.0


def test_weights_of_zero_have_no_sign_and_say_nobody(world):
    one = of_kind(world, "single")
    case = world.case(one)
    answer = weighed(case, np.zeros(len(case.history)))
    assert judge(case, one.truth, answer)["right"] == 0.0
    assert answer.nobody


def test_weights_name_one_set_of_each_size_in_falling_order(world):
    one = of_kind(world, "taste")
    weights = np.arange(len(one.history), dtype=float)
    newest = one.history[::-1].tolist()
    sets = weighed(world.case(one), weights).sets
    assert [sorted(s) for s in sets] == [sorted(newest[: m + 1]) for m in range(LARGEST)]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ([{1}], 1.0),
        ([{2, 3}], 0.0),  # necessary, yet not of the smallest size
        ([{1, 2}], 0.0),
        ([{2}, {2, 3}], 0.0),
        ([], 0.0),
    ],
)
def test_a_set_counts_where_it_is_a_smallest_necessary_one(world, named, found):
    truth = Truth({1: 1, 2: 1, 3: 1}, frozenset({frozenset({1}), frozenset({2, 3})}))
    answer = Answer(None, tuple(frozenset(s) for s in named), nobody=False)
    judged = judge(world.case(world.planted[0]), truth, answer)
    assert judged["set"] == found
    assert judged["signs"] == 0.0


def test_nothing_to_find_and_nothing_said_count_for_no_set(world):
    case = world.case(world.planted[0])
    said, silent = Answer(None, (frozenset({1}),), nobody=True), Answer(None, None, nobody=True)
    assert np.isnan(judge(case, Truth({}, frozenset()), said)["set"])
    assert np.isnan(judge(case, Truth({1: 1}, frozenset({frozenset({1})})), silent)["set"])


def test_pair_effects_are_those_of_removals_one_by_one(world, box):
    one = of_kind(world, "backup")
    item = world.ids[one.target]
    past = [world.ids[i] for i in one.history[:4]]
    effects = worlds._beside_another(reruns(box, one.user, item))
    for row, other in enumerate(past):
        (gone,) = remove(box, one.user, item, [[other]])
        assert effects[row, row] == pytest.approx(gone.score_before - gone.score_after)
        for column, event in enumerate(past):
            if row != column:
                (both,) = remove(box, one.user, item, [[event, other]])
                assert effects[row, column] == pytest.approx(gone.score_after - both.score_after)


@pytest.fixture(scope="module")
def result():
    return measure(2 * len(KINDS), seed=1)


def test_every_explainer_is_measured_on_every_kind(result):
    ways = [OURS, EMPTY, *MODEL_FREE]
    assert [row[0] for row in result.rows] == ["explainer", *ways * len(FIGURES)]
    assert {len(row) for row in result.rows} == {3 + len(KINDS)}
    assert result.figures["cases"] == 2 * len(KINDS)
    for way in ways:
        assert 0.0 <= result.figures[f"{way}, nobody, false alarms"] <= 1.0
    for way in (OURS, *MODEL_FREE):
        assert 0.0 <= result.figures[f"{way}, sign"] <= 1.0
        assert 0.0 <= result.figures[f"{way}, set"] <= 1.0
    assert {target.figure for target in result.targets} <= set(result.figures)


def test_chance_and_popularity_do_not_find_sets_and_execution_does(result):
    assert result.figures["random, set"] < 0.3 < 0.9 < result.figures[f"{OURS}, set"]
    assert result.figures["popularity, set"] < 0.3


def test_main_prints_the_result_and_exits_by_its_targets(capsys):
    code = worlds.main(["--cases", "1", "--seed", "7", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["figures"]["cases"] == len(KINDS)
    assert code == (0 if all(t["ok"] for t in printed["targets"].values()) else 1)
    assert any("executed, set: 95 % interval" in note for note in printed["notes"])


@pytest.mark.parametrize("argv", [["--data", "ml-100k"], ["--cases", "0"]])
def test_options_that_mean_nothing_here_are_refused(argv):
    with pytest.raises(DataError, match=argv[0]):
        worlds.main(argv)
