"""The rivals, fitted by their real libraries on data with three planted tastes."""

import sys
from functools import partial

import numpy as np
import pytest
import torch

from tests.recsys.small import N_ITEMS, small_dataset, taste
from whythis.bench.problem import Problem
from whythis.bench.ranking import rank
from whythis.bench.rivals import (
    RIVALS,
    BudgetError,
    Fit,
    als,
    ease_linear,
    popularity,
    sasrec,
)
from whythis.recsys.errors import DataError, MissingPartError
from whythis.recsys.fitting import sequences
from whythis.recsys.kernels import ease, events_matrix
from whythis.recsys.metrics import ndcg
from whythis.recsys.split import leave_last_out
from whythis.recsys.vocabulary import Vocabulary

SHORT: dict[str, Fit] = RIVALS | {"SASRec": partial(sasrec, steps=60)}
LEARNERS = [name for name in RIVALS if name != "popularity"]


@pytest.fixture(scope="module")
def split():
    """Return training sequences, validation, and the last item of each user."""
    dataset = small_dataset()
    parts = leave_last_out(dataset, 0)
    items = Vocabulary("item", tuple(dataset.items["item"]))
    users = parts.test["user"].tolist()
    train = sequences(parts.train, users, items)
    wanted = [items.index(i) for i in parts.valid["item"]]
    return train, (train, wanted), [items.index(i) for i in parts.test["item"]]


@pytest.fixture(scope="module")
def fitted(split):
    train, valid, _ = split
    return {name: fit(Problem(train, valid, N_ITEMS)) for name, fit in SHORT.items()}


@pytest.mark.parametrize("name", RIVALS)
def test_scores_cover_users_and_items_and_the_record_is_whole(fitted, split, name):
    rival, histories = fitted[name], split[0][:3]
    scores = rival.scores(np.arange(3), histories)
    assert scores.shape == (3, N_ITEMS)
    assert np.isfinite(scores).all()
    assert rival.name == name
    assert 0 < rival.seconds <= rival.tuning_seconds
    assert rival.chosen or name == "popularity"
    single = rival.scores(np.arange(1, 2), histories[1:2])
    assert single == pytest.approx(scores[1:2], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_put_a_users_taste_first(fitted, split, name):
    train = split[0]
    single = [r for r, s in enumerate(train) if len({taste(f"i{i:02}") for i in s}) == 1]
    tastes = np.arange(N_ITEMS) % 3
    scores = fitted[name].scores(np.asarray(single), [train[r] for r in single])
    own = tastes[None, :] == np.asarray([tastes[train[r][0]] for r in single])[:, None]
    seen = events_matrix([train[r] for r in single], N_ITEMS).toarray() > 0
    known = np.isin(np.arange(N_ITEMS), np.concatenate(train))  # of the rest none can know
    inside = scores[own & ~seen & known].mean()
    outside = scores[~own & ~seen & known].mean()
    assert inside > outside


@pytest.mark.parametrize("name", RIVALS)
def test_the_validation_figure_is_that_of_the_kept_scorer(fitted, split, name):
    train, (histories, wanted), _ = split
    ranked = rank(fitted[name].scores, histories, wanted, train, N_ITEMS)
    assert fitted[name].validated == pytest.approx(ndcg(ranked.ranks))


@pytest.mark.parametrize("name", RIVALS)
def test_a_seed_gives_the_same_rival_again(fitted, split, name):
    train, valid, _ = split
    again = SHORT[name](Problem(train, valid, N_ITEMS))
    assert again.chosen == fitted[name].chosen
    rows = np.arange(len(train))
    assert np.array_equal(again.scores(rows, train), fitted[name].scores(rows, train))


@pytest.mark.parametrize("name", ["ALS", "BPR", "SASRec"])
def test_another_seed_gives_other_weights(split, fitted, name):
    train, valid, _ = split
    other = SHORT[name](Problem(train, valid, N_ITEMS, seed=1))
    rows = np.arange(len(train))
    assert not np.array_equal(other.scores(rows, train), fitted[name].scores(rows, train))


def test_popularity_counts_training_users():
    train = [np.array([0, 1]), np.array([1, 2]), np.array([1])]
    rival = popularity(Problem(train, (train, [2, 0, 0]), 4))
    assert rival.scores(np.arange(2), train[:2]).tolist() == [[1.0, 3.0, 1.0, 0.0]] * 2


def test_ease_keeps_the_ridge_that_validates_best(split):
    train, valid, _ = split
    rival = ease_linear(Problem(train, valid, N_ITEMS))
    ridge = float(rival.chosen.removeprefix("ridge "))
    weights = ease(events_matrix(train, N_ITEMS), ridge)
    wanted = np.stack([weights[h].sum(0) for h in train])
    assert rival.scores(np.arange(len(train)), train) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("name", ["EASE", "item-kNN", "ALS", "SASRec"])
def test_a_new_history_changes_the_scores_of_the_same_user(fitted, split, name):
    train = split[0]
    row = np.arange(1)
    other = next(h for h in train if set(h) != set(train[0]))
    scores = fitted[name].scores
    assert not np.allclose(scores(row, train[:1]), scores(row, [other]))


def test_bpr_knows_a_user_by_the_row_alone(fitted, split):
    train = split[0]
    scores = fitted["BPR"].scores
    assert np.array_equal(scores(np.array([0]), train[:1]), scores(np.array([0]), train[1:2]))
    assert not np.array_equal(scores(np.array([0]), train[:1]), scores(np.array([1]), train[:1]))


def test_sasrec_reads_the_order(fitted, split):
    history = max(split[0], key=len)
    scores = fitted["SASRec"].scores
    row = np.arange(1)
    assert not np.allclose(scores(row, [history]), scores(row, [history[::-1]]))


def test_sasrec_leaves_the_global_random_state_alone(split):
    train, valid, _ = split
    before = torch.get_rng_state()
    sasrec(Problem(train, valid, N_ITEMS, seed=5), steps=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_sasrec_needs_a_sequence():
    train = [np.array([0]), np.array([1])]
    with pytest.raises(DataError, match="two events"):
        sasrec(Problem(train, (train, [1, 0]), 3))


@pytest.mark.parametrize("fit", [ease_linear, partial(sasrec, steps=60)])
def test_a_rival_that_would_take_too_long_says_so_after_its_first_fit(split, fit):
    train, valid, _ = split
    with pytest.raises(BudgetError, match=r"minutes.*by the first.*, of 0\.0"):
        fit(Problem(train, valid, N_ITEMS, budget=1e-6))


def test_a_budget_that_is_kept_changes_nothing(split, fitted):
    train, valid, _ = split
    rows = np.arange(len(train))
    again = ease_linear(Problem(train, valid, N_ITEMS, budget=600.0))
    assert np.array_equal(again.scores(rows, train), fitted["EASE"].scores(rows, train))


@pytest.mark.parametrize(("fit", "package"), [(als, "implicit"), (sasrec, "cornac")])
def test_an_absent_package_names_the_extra(monkeypatch, split, fit, package):
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    train, valid, _ = split
    with pytest.raises(MissingPartError, match=rf"^{package}.*whythis\[bench\]"):
        fit(Problem(train, valid, N_ITEMS))
