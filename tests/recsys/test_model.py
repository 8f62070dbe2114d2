"""The mixture of personas: attention, deletion and what is left without either."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import Attention
from whythis.recsys.model import Mixture, PersonaModel

from . import oracle
from .small import random_model

Case = tuple[HistoryPersonas, list[int]]
ATTENTIONS: tuple[Attention, ...] = ("cosine", "dot", "none")


@st.composite
def cases(draw: st.DrawFn, least: int = 0) -> Case:
    """Draw a random model and a history of it; an item may come twice."""
    n = draw(st.integers(2, 6))
    model = random_model(
        n,
        draw(st.integers(2, 4)),
        draw(st.integers(1, 4)),
        draw(st.integers(0, 10**6)),
        draw(st.sampled_from(ATTENTIONS)),
    )
    return model, draw(st.lists(st.integers(0, n - 1), min_size=least, max_size=7))


@torch.no_grad()
def run(
    model: PersonaModel, history: list[int], keep: npt.NDArray[np.bool_] | None = None
) -> Mixture:
    """Score every item for one whole history."""
    mask = torch.ones(1, len(history), dtype=torch.bool)
    chosen = None if keep is None else torch.from_numpy(keep)
    found: Mixture = model(torch.tensor(history, dtype=torch.int64), mask, chosen)
    return found


@settings(max_examples=80, deadline=None)
@given(cases())
def test_shares_and_scores_are_what_the_formulas_say(case: Case) -> None:
    model, history = case
    found, weights = run(model, history), oracle.weights_of(model)
    for item in range(len(model.bias)):
        told = oracle.parts(weights, history, item, attention=model.attention)
        np.testing.assert_allclose(found.shares[0, :, item], told.shares, atol=1e-9)
        assert float(found.scores[0, item]) == pytest.approx(told.score, abs=1e-9)
        assert float(found.shares[0, :, item].sum()) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_deleting_a_persona_is_the_closed_form(case: Case) -> None:
    model, history = case
    k = model.k
    whole = run(model, history)
    without = run(model, history, ~np.eye(k, dtype=bool))
    shares, matches = whole.shares[0].numpy(), whole.matches[0].numpy()
    mean = (shares * matches).sum(0)
    balance = np.zeros(len(model.bias))
    for p in range(k):
        effect = (whole.scores[0] - without.scores[p]).numpy()
        balance += (1 - shares[p]) * effect
        assert not without.shares[p, p].any()
        told = shares[p] < 1 - 1e-6  # else nothing is left to renormalise
        closed = shares[p] * (matches[p] - mean) / np.where(told, 1 - shares[p], 1.0)
        np.testing.assert_allclose(effect[told], closed[told], rtol=1e-6, atol=1e-8)
    if k > 1:
        np.testing.assert_allclose(balance, 0, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(cases(least=1), st.data())
def test_any_subset_of_personas_renormalises(case: Case, data: st.DataObject) -> None:
    model, history = case
    chosen = data.draw(st.sets(st.integers(0, model.k - 1), min_size=1))
    keep = np.array([[p in chosen for p in range(model.k)]])
    found, weights = run(model, history, keep), oracle.weights_of(model)
    for item in range(len(model.bias)):
        told = oracle.parts(weights, history, item, chosen, model.attention)
        np.testing.assert_allclose(found.shares[0, :, item], told.shares, atol=1e-9)
        assert float(found.scores[0, item]) == pytest.approx(told.score, abs=1e-9)


def test_what_is_left_renormalises_however_little_it_weighed() -> None:
    model = random_model(6, 3, 3, 0, "dot")
    model.temperature.fill_(60.0)
    history = [0, 3, 5]
    whole, weights = run(model, history), oracle.weights_of(model)
    without = run(model, history, ~np.eye(3, dtype=bool))
    assert ((whole.shares > 0) & (whole.shares < 1e-30)).any()
    for p in range(3):
        np.testing.assert_allclose(without.shares[p].sum(0), np.ones(6), atol=1e-12)
        for item in range(6):
            told = oracle.parts(weights, history, item, {0, 1, 2} - {p}, "dot")
            assert float(without.scores[p, item]) == pytest.approx(told.score, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(cases())
def test_with_no_persona_or_no_history_the_bias_is_left(case: Case) -> None:
    model, history = case
    found = run(model, history, np.zeros((1, model.k), dtype=bool))
    np.testing.assert_array_equal(found.scores[0], model.bias)
    assert not found.shares.any()
    np.testing.assert_array_equal(run(model, []).scores[0], model.bias)


@settings(max_examples=40, deadline=None)
@given(cases(), st.data())
def test_masks_and_personas_are_spread_over_each_other(case: Case, data: st.DataObject) -> None:
    model, history = case
    rows = data.draw(st.integers(1, 3))
    flags = st.lists(st.booleans(), min_size=rows * 20, max_size=rows * 20)
    masks = np.array(data.draw(flags)).reshape(rows, 20)[:, : len(history)]
    keep = np.array(data.draw(flags)).reshape(rows, 20)[:, : model.k]
    events = torch.tensor(history, dtype=torch.int64)

    def scores(masks: npt.NDArray[np.bool_], keep: npt.NDArray[np.bool_]) -> torch.Tensor:
        found: Mixture = model(events, torch.from_numpy(masks), torch.from_numpy(keep))
        return found.scores

    both, one_keep, one_mask = (
        scores(masks, keep),
        scores(masks, keep[:1]),
        scores(masks[:1], keep),
    )
    assert both.shape == one_keep.shape == one_mask.shape == (rows, len(model.bias))
    for row in range(rows):
        own = slice(row, row + 1)
        torch.testing.assert_close(both[own], scores(masks[own], keep[own]))
        torch.testing.assert_close(one_keep[own], scores(masks[own], keep[:1]))
        torch.testing.assert_close(one_mask[own], scores(masks[:1], keep[own]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    attention=st.sampled_from(ATTENTIONS),
    items=st.lists(st.integers(0, 49), max_size=45, unique=True),
)
def test_some_items_are_the_columns_of_all(
    seed: int, attention: Attention, items: list[int]
) -> None:
    model = random_model(50, 4, 3, seed, attention)
    history = torch.tensor([3, 1, 4, 1, 5])
    masks = torch.tensor([[True] * 5, [True, False, True, True, False]])
    keep = torch.tensor([[True, False, True]])
    whole = model(history, masks, keep)
    some = model(history, masks, keep, torch.tensor(items, dtype=torch.int64))
    for part in ("matches", "shares", "scores"):
        torch.testing.assert_close(getattr(some, part), getattr(whole, part)[..., items])
    for part in ("weights", "masses", "personas"):
        assert torch.equal(getattr(some, part), getattr(whole, part))


@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_broken_weights_are_not_hidden(attention: Attention) -> None:
    model = random_model(4, 3, 2, 0, attention)
    model.temperature.fill_(math.nan)
    assert run(model, [0, 1]).scores.isnan().all()


def test_large_matches_do_not_overflow() -> None:
    model = random_model(6, 3, 3, 0, "dot")
    model.scale.fill_(1e6)
    found = run(model, [0, 1, 2])
    assert found.scores.isfinite().all()
    np.testing.assert_allclose(found.shares[0].sum(0), np.ones(6))
