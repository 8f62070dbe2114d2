"""Rankings and scores, held against the formulas and against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import artefact, effects
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.recommender import Recommender

from . import oracle
from .small import (
    COLD,
    NOBODY,
    ONCE,
    REMAKE,
    give_weights,
    random_model,
    recommender,
    small_dataset,
)

USERS = ["u00", "u01", "u17", NOBODY, ONCE]


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_dataset()


def rows_of(data: Dataset, user: str) -> pd.DataFrame:
    rows = data.interactions
    return rows[rows["user"] == user].sort_values(["time", "item"])


@pytest.mark.parametrize("user", USERS)
def test_scores_are_what_the_formulas_say_of_the_stored_weights(
    rec: Recommender, user: str
) -> None:
    history = rec.history(user)
    told = oracle.scores(oracle.weights_of(rec.model), history.tolist())
    # candidates are stored at unit length, which is so to seven digits
    np.testing.assert_allclose(rec.scores(history), told, atol=1e-6)


@pytest.mark.parametrize("user", USERS)
def test_the_history_is_what_was_liked_and_seen_is_all(
    rec: Recommender, data: Dataset, user: str
) -> None:
    rows = rows_of(data, user)
    ids = rec.item_ids.ids
    assert [ids[i] for i in rec.history(user)] == rows[rows["rating"] >= 4]["item"].tolist()
    assert {ids[i] for i in rec.seen(user)} == set(rows["item"])


def test_the_window_keeps_the_most_recent_likes(data: Dataset) -> None:
    whole = recommender(data, random_model(40, 4, 3, 0))
    cut = recommender(data, random_model(40, 4, 3, 0), window=4)
    for user in ("u00", ONCE, NOBODY):
        np.testing.assert_array_equal(cut.liked(user), whole.history(user))
        np.testing.assert_array_equal(cut.history(user), whole.history(user)[-4:])
        np.testing.assert_array_equal(cut.seen(user), whole.seen(user))
    told = oracle.scores(oracle.weights_of(cut.model), whole.history("u00")[-4:].tolist())
    np.testing.assert_allclose(cut.scores(cut.history("u00")), told, atol=1e-8)


def test_without_a_threshold_everything_is_liked() -> None:
    frame = pd.DataFrame(
        {"user": ["a", "a", "b"], "item": ["x", "y", "x"], "time": [2.0, 1.0, 0.0]}
    )
    rec = recommender(make_dataset("d", frame), random_model(2, 2, 1, 0))
    assert [rec.item_ids.ids[i] for i in rec.history("a")] == ["y", "x"]


@pytest.mark.parametrize("user", USERS)
def test_the_ranking_is_all_unseen_items_best_first(rec: Recommender, user: str) -> None:
    ranking = rec.recommend(user, 1000)
    seen = {rec.item_ids.ids[i] for i in rec.seen(user)}
    assert {r.item for r in ranking} == set(rec.item_ids.ids) - seen
    assert [r.rank for r in ranking] == list(range(1, len(ranking) + 1))
    scores = rec.scores(rec.history(user))
    for line in ranking:
        assert line.score == scores[rec.item_ids.index(line.item)]
        assert line.title == rec.title(line.item)
    assert [r.score for r in ranking] == sorted((r.score for r in ranking), reverse=True)
    assert rec.recommend(user, 3) == ranking[:3]


def test_nobodys_ranking_is_the_bias(rec: Recommender) -> None:
    bias = rec.model.bias.detach().numpy()
    for line in rec.recommend(NOBODY, 40):
        assert line.score == pytest.approx(bias[rec.item_ids.index(line.item)], abs=1e-8)


def test_every_way_to_a_rank_agrees(rec: Recommender) -> None:
    for user in ("u02", "u31", NOBODY, ONCE):
        for line in rec.recommend(user, 40):
            assert rec.rank(user, line.item) == line.rank
            assert effects.decompose(rec, user, line.item).rank == line.rank
            assert effects.without_persona(rec, user, line.item, 0).rank_before == line.rank
            assert effects.remove(rec, user, line.item, [[]])[0].rank_after == line.rank


def test_equal_scores_rank_by_index(data: Dataset) -> None:
    model = random_model(40, 4, 3, 0)
    for weight in (model.together, model.next, model.bias):
        weight.zero_()
    rec = recommender(data, model)
    ranking = [line.item for line in rec.recommend("u00", 40)]
    assert ranking == sorted(ranking)
    assert [rec.rank("u00", item) for item in ranking] == list(range(1, len(ranking) + 1))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_place_tells_how_many_equals_it_goes_before(data: st.DataObject) -> None:
    rec = recommender(small_dataset(), random_model(40, 2, 1, 0))
    scores = np.array(data.draw(st.lists(st.integers(0, 3), min_size=40, max_size=40)), dtype=float)
    hidden = np.array(data.draw(st.lists(st.integers(0, 39), unique=True)), dtype=np.int64)
    target = data.draw(st.integers(0, 39).filter(lambda i: i not in hidden))
    place = rec.place_in(scores, target, hidden)
    shown = [s for i, s in enumerate(scores) if i not in hidden]
    assert place.rank == oracle.rank(scores.tolist(), target, hidden.tolist())
    assert place.rank + place.ties == sum(s >= scores[target] for s in shown)
    assert (place.score, place.beyond) == (scores[target], False)


@pytest.mark.parametrize("seed", range(4))
def test_twins_tie_whatever_is_computed_beside_them(seed: int) -> None:
    # sums of 43 columns are worked off in pieces that differ by column and by number of rows
    n, twins = 43, [0, 1, 5, 14, 21, 38, 40, 41, 42]
    model = random_model(n, 8, 3, seed)
    model.candidate_side[twins] = model.candidate_side[0].clone()
    model.bias[twins] = model.bias[0].clone()
    for name in ("together", "next"):
        weights = torch.from_numpy(np.random.default_rng(seed).standard_normal((n, n)))
        weights[:, twins] = weights[:, :1].clone()
        give_weights(model, name, weights)
    liked = [i for i in range(n) if i not in twins][:12]
    frame = pd.DataFrame(
        {"user": "a", "item": [f"{i:02}" for i in liked], "time": 1.0 * len(liked)}
    )
    items = pd.DataFrame({"item": [f"{i:02}" for i in range(n)]})
    rec = recommender(make_dataset("twins", frame, items=items), model)
    history = rec.history("a")
    alone = rec.scores(history)
    assert len(set(alone[twins])) == 1
    for rows in (2, 3, 5, 7, 16, 151):
        beside = rec.mixture(history, np.ones((rows, len(history)), dtype=bool)).scores.numpy()
        assert (beside == alone).all()


def test_an_empty_history_takes_any_masks_and_personas(rec: Recommender) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    bias = rec.model.bias.detach().numpy().round(9)
    keep = np.array([[True, False, True], [False, False, False]])
    for found in (
        rec.mixture(nothing),
        rec.mixture(nothing, np.zeros((4, 0), dtype=bool)),
        rec.mixture(nothing, keep=keep),
        rec.mixture(nothing, np.zeros((2, 0), dtype=bool), keep),
    ):
        np.testing.assert_allclose(found.scores, np.tile(bias, (len(found.scores), 1)), atol=1e-9)
        assert not found.masses.any()
    assert len(rec.mixture(nothing, np.zeros((4, 0), dtype=bool)).scores) == 4


def test_scores_are_computed_in_double_precision(rec: Recommender) -> None:
    assert rec.mixture(rec.history("u00")).scores.dtype == torch.float64
    # and from exactly the weights that were stored
    for value in rec.model.state_dict().values():
        assert torch.equal(value, value.float().to(value.dtype))


def test_a_repeated_event_counts_twice(rec: Recommender) -> None:
    history = np.array([3, 3, 5, 3])
    told = oracle.scores(oracle.weights_of(rec.model), history.tolist())
    np.testing.assert_allclose(rec.scores(history), told, atol=1e-8)


def test_a_title_carries_its_year_and_is_short_where_it_can_be(rec: Recommender) -> None:
    assert (rec.title("i00"), rec.title(REMAKE)) == ("Amber Road (1960)", "Amber Road (1999)")
    assert rec.short_title("i00") == "Amber Road (1960)"
    assert (rec.title("i01"), rec.short_title("i01")) == ("Film B01 (1961)", "Film B01")
    assert rec.title("i05") == rec.short_title("i05") == "Film F05"


@pytest.mark.parametrize("n", [0, -3])
def test_no_recommendations_cannot_be_asked_for(rec: Recommender, n: int) -> None:
    with pytest.raises(DataError, match=rf"n is {n}: ask for at least 1"):
        rec.recommend("u00", n)


def test_unknown_users_and_items_are_refused(rec: Recommender) -> None:
    for ask in (rec.history, rec.seen, rec.liked, rec.recommend):
        with pytest.raises(UnknownIdError, match="unknown user 'u000' among 62; nearest: u00"):
            ask("u000")
    with pytest.raises(UnknownIdError, match="unknown item 'i99'"):
        rec.rank("u00", "i99")


def test_a_seen_item_has_no_rank(rec: Recommender, data: Dataset) -> None:
    item = rows_of(data, "u00")["item"].iloc[0]
    with pytest.raises(DataError, match=rf"item '{item}' .* already seen by user 'u00'"):
        rec.rank("u00", item)


def test_an_item_nobody_touched_is_ranked_too(rec: Recommender) -> None:
    assert 1 <= rec.rank("u00", COLD) <= 40
