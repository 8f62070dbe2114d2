"""Training learns the planted tastes, keeps its best state, and fails in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.fitting import sequences, train_split
from whythis.recsys.interactions import Dataset
from whythis.recsys.metrics import ndcg
from whythis.recsys.split import Split, leave_last_out
from whythis.recsys.training import (
    events_matrix,
    held_out_ranks,
    padded,
    start_model,
    train,
)
from whythis.recsys.vocabulary import Vocabulary

from . import oracle
from .small import CONFIG, random_model, small_dataset

Indices = npt.NDArray[np.int64]

histories = st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=5).map(
    lambda rows: [np.array(row, dtype=np.int64) for row in rows]
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_dataset()


@pytest.fixture(scope="module")
def split(data: Dataset) -> Split:
    return leave_last_out(data, CONFIG.seed)


@given(histories, st.integers(1, 7))
def test_padding_keeps_the_most_recent_events(rows: list[Indices], window: int) -> None:
    items, mask = padded(rows, window)
    assert items.shape == mask.shape
    for row, shown, counts in zip(rows, items, mask, strict=True):
        assert shown[counts].tolist() == row.tolist()[-window:]


def test_padding_nobody_gives_no_rows() -> None:
    items, mask = padded([], 5)
    assert items.shape == mask.shape == (0, 1)


def test_the_events_matrix_marks_each_users_items() -> None:
    found = events_matrix([np.array([2, 0]), np.zeros(0, dtype=np.int64), np.array([1])], 4)
    assert found.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert events_matrix([], 4).shape == (0, 4)


def test_held_out_ranks_are_those_of_the_formulas_in_any_batch() -> None:
    model = random_model(9, 3, 2, 1)
    rng = np.random.default_rng(0)
    rows = [rng.permutation(9)[: rng.integers(0, 6)] for _ in range(7)]
    targets = [int(rng.integers(0, 9)) for _ in rows]
    weights = oracle.weights_of(model)
    told = [
        oracle.rank(oracle.scores(weights, row[-4:].tolist()), target, row.tolist())
        for row, target in zip(rows, targets, strict=True)
    ]
    for batch in (1, 3, 7):
        assert held_out_ranks(model, rows, targets, 4, batch).tolist() == told


def test_training_beats_popularity_on_what_was_held_out(data: Dataset, split: Split) -> None:
    model = train_split(data, split, CONFIG).model
    items = Vocabulary("item", tuple(data.items["item"]))
    wanted = dict(zip(split.test["user"], split.test["item"], strict=True))
    users = sorted(wanted)
    before = [
        np.concatenate(both)
        for both in zip(
            sequences(split.train, users, items), sequences(split.valid, users, items), strict=True
        )
    ]
    targets = [items.index(wanted[user]) for user in users]
    popular = np.bincount(np.concatenate(before), minlength=len(items)).tolist()
    by_popularity = [
        oracle.rank(popular, target, row.tolist())
        for row, target in zip(before, targets, strict=True)
    ]
    ours = ndcg(held_out_ranks(model, before, targets, CONFIG.window))
    assert ours > ndcg(np.array(by_popularity)) + 0.1


def test_the_best_state_of_all_checks_is_kept(data: Dataset, split: Split) -> None:
    told: list[tuple[int, int, float]] = []
    config = CONFIG.model_copy(update={"steps": 25, "learning_rate": 0.02})
    trained = train_split(data, split, config, lambda *now: told.append(now))
    assert [step for step, _, _ in told] == [0, 10, 20, 25]
    assert {steps for _, steps, _ in told} == {25}
    assert [check["ndcg@10"] for check in trained.checks] == [value for _, _, value in told]
    best = max(value for _, _, value in told)
    assert trained.figures["valid_ndcg@10"] == best
    items = Vocabulary("item", tuple(data.items["item"]))
    users = sorted(set(split.valid["user"]))
    wanted = dict(zip(split.valid["user"], split.valid["item"], strict=True))
    ranks = held_out_ranks(
        trained.model,
        sequences(split.train, users, items),
        [items.index(wanted[user]) for user in users],
        config.window,
    )
    assert ndcg(ranks) == pytest.approx(best)


def test_training_stops_when_checks_no_longer_improve(data: Dataset, split: Split) -> None:
    config = CONFIG.model_copy(
        update={"steps": 50, "check_every": 1, "patience": 2, "learning_rate": 1e-12}
    )
    assert [check["step"] for check in train_split(data, split, config).checks] == [0, 1, 2]


def test_no_steps_give_the_start(data: Dataset, split: Split) -> None:
    config = CONFIG.model_copy(update={"steps": 0})
    trained = train_split(data, split, config)
    items = Vocabulary("item", tuple(data.items["item"]))
    start = start_model(
        sequences(split.train, sorted(set(split.train["user"])), items), data.items, config
    )
    assert all(map(torch.equal, trained.model.state_dict().values(), start.state_dict().values()))


def test_the_memberships_stay_as_they_started(data: Dataset, split: Split) -> None:
    start, end = (
        train_split(data, split, CONFIG.model_copy(update={"steps": steps})).model
        for steps in (0, 10)
    )
    assert torch.equal(start.membership, end.membership)


def test_the_callers_random_numbers_are_left_alone(data: Dataset, split: Split) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    train_split(data, split, CONFIG.model_copy(update={"steps": 1}))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("rows", [[], [[]], [[3], [4], []]])
def test_too_little_data_is_refused(rows: list[list[int]], data: Dataset) -> None:
    given = [np.array(row, dtype=np.int64) for row in rows]
    with pytest.raises(DataError, match=rf"no user has 2 liked .* \({len(rows)} users\)"):
        train(given, ([], []), data.items, CONFIG)


def test_two_events_are_enough(data: Dataset) -> None:
    config = FitConfig(dim=4, personas=2, steps=2, batch=4, check_every=1)
    trained = train([np.array([0, 3])], ([], []), data.items, config)
    assert trained.figures["valid_ndcg@10"] == 0
    assert all(value.isfinite().all() for value in trained.model.state_dict().values())


def test_divergence_is_an_error_not_a_model(data: Dataset, split: Split) -> None:
    config = CONFIG.model_copy(update={"anchor": 1e39})
    with pytest.raises(ModelError, match=r"diverged at step 1 of 20 .* anchor below 1e\+39$"):
        train_split(data, split, config)
