"""The comparison of rankers: what they share, what is chosen where, and what is judged."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from tests.recsys.small import NOBODY, ONCE, small_dataset
from whythis.bench import accuracy
from whythis.bench.accuracy import Plan, listed, main, measure
from whythis.bench.personas import personas, scorer
from whythis.bench.problem import held_out
from whythis.bench.ranking import held_out_ranks
from whythis.recsys.building import held_out_ranks as model_ranks
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.fitting import train
from whythis.recsys.metrics import ndcg
from whythis.recsys.split import leave_last_out

PLAN = Plan(personas=3, rivals=("popularity", "EASE"), seeds=(0, 1))


@pytest.fixture(scope="module")
def dataset():
    return small_dataset()


@pytest.fixture(scope="module")
def result(dataset):
    return measure(dataset, PLAN)


def test_the_split_is_that_of_time_with_the_test_item_in_no_history(dataset):
    held, split = held_out(dataset, 0), leave_last_out(dataset, 0)
    ids = list(dataset.items["item"])
    users = sorted(set(split.test["user"]))
    assert not {NOBODY, ONCE} & set(users)
    likes = dataset.liked.sort_values(["user", "time"], kind="stable").groupby("user")["item"]
    for row, user in enumerate(users):
        whole = list(likes.get_group(user))
        assert [ids[i] for i in held.problem.train[row]] == whole[:-2]
        assert ids[held.problem.valid[1][row]] == whole[-2]
        assert [ids[i] for i in held.histories[row]] == whole[:-1]
        assert ids[held.targets[row]] == whole[-1]


def test_figures_are_means_over_seeds_of_rankings_done_by_hand(dataset, result):
    found = []
    for seed in PLAN.seeds:
        held = held_out(dataset, seed)
        config = FitConfig(personas=3, seed=seed)
        model = train(list(held.problem.train), held.problem.valid, dataset, config).model.double()
        found.append(ndcg(model_ranks(model, held.histories, held.targets, config.window)))
    assert result.figures["history K=3 ndcg@10"] == pytest.approx(np.mean(found))
    assert result.figures["history K=3 ndcg@10 spread"] == pytest.approx(np.std(found, ddof=1))


def test_one_persona_from_the_shared_linear_part_is_a_fit_of_one_persona(dataset):
    problem = held_out(dataset, 0).problem
    three, one = personas(dataset, problem, FitConfig(personas=3))
    alone = train(list(problem.train), problem.valid, dataset, FitConfig(personas=1)).model.double()
    wanted = model_ranks(alone, *problem.valid, FitConfig().window)
    assert held_out_ranks(one.scores, *problem.valid).tolist() == wanted.tolist()
    assert (three.name, one.name) == ("history K=3", "history K=1")
    for each in (three, one):
        assert each.validated == pytest.approx(ndcg(held_out_ranks(each.scores, *problem.valid)))
        assert each.seconds > 0
        assert each.tuning_seconds > 0


@pytest.mark.parametrize("source", ["history", "medoid", "free"])
def test_every_source_comes_with_a_single_persona(dataset, source):
    held = held_out(dataset, 0)
    config = FitConfig(source=source, personas=2, steps=20, check_every=10)
    fitted = personas(dataset, held.problem, config)
    assert [each.name for each in fitted] == [f"{source} K=2", f"{source} K=1"]
    for each in fitted:
        ranks = held_out_ranks(each.scores, held.histories, held.targets)
        assert 0 < ndcg(ranks) <= 1
        assert 0 < each.seconds <= each.tuning_seconds + 1


def test_a_single_persona_is_compared_with_no_other(dataset):
    plan = Plan(sources=("medoid",), personas=1, rivals=("popularity",))
    found = measure(dataset, plan)
    assert [row[0] for row in found.rows[1:]].count("medoid K=1") == 1
    assert len(found.rows) == 3
    assert not found.targets


def test_intervals_hold_the_mean_difference_and_are_those_of_the_pair(result):
    for name in ("popularity", "EASE", "history K=1"):
        for key in ("hr@10", "ndcg@10"):
            apart = result.figures[f"history K=3 {key}"] - result.figures[f"{name} {key}"]
            low = result.figures[f"history K=3 - {name} {key} low"]
            assert low <= apart <= result.figures[f"history K=3 - {name} {key} high"]


def test_rivals_above_counts_the_better_ones(result):
    ours = result.figures["history K=3 ndcg@10"]
    better = [n for n in PLAN.rivals if result.figures[f"{n} ndcg@10"] > ours]
    assert result.figures["rivals above"] == len(better)
    assert result.notes[0].endswith(", ".join(better) or "none")


def test_memory_times_and_choices_are_told(result):
    assert 50 < result.figures["peak MB"] < 20_000
    assert any(note.startswith("EASE: ridge ") for note in result.notes)
    assert any(note.startswith("history K=3: temperature ") for note in result.notes)
    assert result.figures["EASE fit s"] <= result.figures["EASE tuning s"]


@pytest.mark.parametrize(
    ("name", "judged"),
    [
        ("ml-100k", {"o / EASE hr@10", "o / EASE ndcg@10", "o - one ndcg@10 high"}),
        ("beauty", {"o - EASE ndcg@10 high", "o - one ndcg@10 high"}),
    ],
)
def test_targets_depend_on_the_data(name, judged):
    figures = {f"{who} {key}": 0.2 for who in ("o", "EASE") for key in ("hr@10", "ndcg@10")}
    targets = accuracy._targets(name, "o", "one", figures)
    assert {target.figure for target in targets} == judged
    if name == "ml-100k":
        assert figures["o / EASE ndcg@10"] == 1.0


def test_a_factor_over_nothing_is_no_error():
    figures = {"o hr@10": 0.1, "EASE hr@10": 0.0, "o ndcg@10": 0.1, "EASE ndcg@10": 0.0}
    accuracy._targets("ml-100k", "o", "o", figures)
    assert math.isinf(figures["o / EASE hr@10"])


def test_a_rival_over_its_budget_is_left_out_with_the_reason(dataset):
    rivals = ("popularity", "EASE", "item-kNN")
    found = measure(dataset, Plan(personas=2, rivals=rivals, seeds=(0, 1), budget=1e-9))
    assert "item-kNN ndcg@10" not in found.figures
    assert "popularity ndcg@10" in found.figures
    assert "EASE ndcg@10" in found.figures  # targets are set by it
    assert [n for n in found.notes if n.startswith("item-kNN is left out: 4 settings would take")]


def test_histories_are_cut_at_the_window():
    seen = []
    rec = SimpleNamespace(window=2, scores=lambda h: seen.append(h.tolist()) or np.zeros(3))
    rows = scorer(rec)(np.arange(2), [np.array([0, 1, 2]), np.array([1])])
    assert rows.shape == (2, 3)
    assert seen == [[1, 2], [1]]


def test_names_are_read_from_a_list():
    assert listed(" a,b ,a", ("a", "b")) == ("a", "b")
    with pytest.raises(DataError, match=r"'c' is not known here: choose from a, b"):
        listed("a,c", ("a", "b"))
    with pytest.raises(DataError, match="no name"):
        listed(",", ("a", "b"))


@pytest.mark.parametrize(
    "given",
    [["--rivals", "magic"], ["--sources", "magic"], ["--seeds", "0"]],
)
def test_bad_options_are_refused_before_anything_is_read(given):
    with pytest.raises(DataError):
        main(["--data", "nowhere", *given])


def test_the_command_prints_one_json_object(dataset, tmp_path, capsys):
    table = tmp_path / "small.csv"
    dataset.interactions.to_csv(table, index=False)
    main(["--data", str(table), "--rivals", "EASE,SASRec", "--personas", "2", "--quick", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert "EASE ndcg@10" in printed["figures"]
    assert "SASRec ndcg@10" not in printed["figures"]
    assert "history K=2 - EASE ndcg@10 high" in printed["targets"]
