"""Personas composed from a history, held against their formulas in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.composed import HistoryPersonas

from . import oracle
from .small import give_weights, random_model
from .test_model import Case, cases, run


def linear(model: HistoryPersonas, history: list[int]) -> list[float]:
    """Return c / sqrt(sum g) * sum_i (g_i B_iy + beta exp(-t_i / l) N_iy) + b_y for every item."""
    w = oracle.weights_of(model)
    ages = np.arange(len(history))[::-1]
    g, fresh = np.exp(-w["forgetting"] * ages), np.exp(-ages / w["reach"])
    return [
        float(w["scale"] / np.sqrt(g.sum()))
        * sum(
            g[t] * oracle.weight(w, "together", i, y) + fresh[t] * oracle.weight(w, "next", i, y)
            for t, i in enumerate(history)
        )
        + float(w["bias"][y])
        for y in range(len(w["bias"]))
    ]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_part_is_what_its_formula_says(case: Case) -> None:
    model, history = case
    found, weights = run(model, history), oracle.weights_of(model)
    for item in range(len(model.bias)):
        told = oracle.parts(weights, history, item, attention=model.attention)
        np.testing.assert_allclose(found.masses[0], told.masses, atol=1e-9)
        np.testing.assert_allclose(found.matches[0, :, item], told.matches, atol=1e-9)
        np.testing.assert_allclose(found.personas[0], told.personas or found.personas[0], atol=1e-9)
        told_weights = np.reshape(told.weights, (len(history), model.k))
        np.testing.assert_allclose(found.weights[0], told_weights, atol=1e-9)
    if history:
        assert float(found.masses.sum()) == pytest.approx(1)
        np.testing.assert_allclose(found.weights[0].sum(0), np.ones(model.k), atol=1e-9)
    else:
        assert not found.masses.any()
        assert not found.matches.any()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_contributions_are_the_formula_and_sum_to_the_score(case: Case) -> None:
    model, history = case
    found, weights = run(model, history), oracle.weights_of(model)
    events = torch.tensor(history, dtype=torch.int64)
    for item in range(len(model.bias)):
        parts = model.contributions(events, found.shares[0, :, item], item)
        told = oracle.parts(weights, history, item, attention=model.attention).contributions
        np.testing.assert_allclose(parts, np.reshape(told, (len(history), model.k)), atol=1e-9)
        total = float(parts.sum() + model.bias[item])
        assert total == pytest.approx(float(found.scores[0, item]), abs=1e-9)
        # the parts of one persona are its part of the score
        by_persona = found.shares[0, :, item] * found.matches[0, :, item]
        np.testing.assert_allclose(parts.sum(0), by_persona, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(cases(least=1), st.data())
def test_a_masked_event_is_as_if_it_had_never_been(case: Case, data: st.DataObject) -> None:
    model, history = case
    mask = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    masked = model(torch.tensor(history), torch.tensor([mask]))
    shorter = run(model, [i for i, counts in zip(history, mask, strict=True) if counts])
    for part in ("masses", "personas", "matches", "shares", "scores"):
        np.testing.assert_allclose(getattr(masked, part), getattr(shorter, part), atol=1e-9)
    np.testing.assert_allclose(masked.weights[0][torch.tensor(mask)], shorter.weights[0], atol=1e-9)
    assert not masked.weights[0][~torch.tensor(mask)].any()


@settings(max_examples=40, deadline=None)
@given(cases(least=1), st.booleans())
def test_without_temperature_it_is_one_linear_item_item_model(case: Case, asked: bool) -> None:
    model, history = case
    if asked:
        model.temperature.zero_()
    else:
        model.attention = "none"
    np.testing.assert_allclose(run(model, history).scores[0], linear(model, history), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5), min_size=1, max_size=7))
def test_one_persona_is_the_same_linear_model(seed: int, history: list[int]) -> None:
    model = random_model(6, 3, 1, seed)
    found = run(model, history)
    np.testing.assert_allclose(found.scores[0], linear(model, history), atol=1e-9)
    assert (found.shares == 1).all()


def test_equal_memberships_leave_attention_nothing_to_do() -> None:
    model = random_model(6, 3, 4, 0)
    model.membership.fill_(0.25)
    found = run(model, [0, 2, 4])
    np.testing.assert_allclose(found.scores[0], linear(model, [0, 2, 4]), atol=1e-9)
    np.testing.assert_allclose(found.shares, 0.25, atol=1e-9)


def test_an_item_that_comes_next_counts_by_its_own_reach() -> None:
    model = random_model(4, 2, 1, 0)
    for weight in (model.bias, model.forgetting):
        weight.zero_()
    model.scale.fill_(1.0)
    model.reach.fill_(2.0)
    give_weights(model, "together", torch.zeros(4, 4))
    after = torch.zeros(4, 4)
    after[0, 3] = 1.0
    give_weights(model, "next", after)
    for age, history in enumerate(([1, 2, 0], [1, 0, 2], [0, 1, 2])):
        told = np.exp(-age / 2) / np.sqrt(3)
        np.testing.assert_allclose(run(model, history).scores[0], [0, 0, 0, told], atol=1e-12)


def test_what_is_forgotten_weighs_less() -> None:
    model = random_model(5, 2, 2, 0)
    model.forgetting.fill_(0.5)
    weights = run(model, [1, 1, 1]).weights[0]
    ratio = weights[1:] / weights[:-1]
    np.testing.assert_allclose(ratio, np.full((2, 2), np.exp(0.5)), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 39), max_size=6), st.data())
def test_items_out_of_reach_have_the_score_of_their_bias(
    seed: int, history: list[int], data: st.DataObject
) -> None:
    model = random_model(40, 3, 2, seed)
    kept = data.draw(st.sampled_from([1, 4, 26]))  # most weights are zeros
    model.together[:, kept:], model.next[:, kept:] = 0.0, 0.0
    events = torch.tensor(history, dtype=torch.int64)
    reached, whole = model.reached(events), run(model, history)
    if reached is None:
        assert kept > 1
        return
    rest = np.setdiff1d(np.arange(40), reached.numpy())
    assert not whole.matches[:, :, rest].any()
    assert torch.equal(whole.scores[:, rest], model.bias[None, rest])
    some = model(events, torch.ones(1, len(history), dtype=torch.bool), items=reached)
    torch.testing.assert_close(model.spread(some.scores, reached), whole.scores)


def test_several_histories_are_scored_as_each() -> None:
    model = random_model(40, 3, 2, 0)
    model.together[:, 2:], model.next[:, 2:] = 0.0, 0.0
    histories = [[], [3], list(range(20)), [7, 7, 1]]
    found = model.score_each([torch.tensor(h, dtype=torch.int64) for h in histories])
    for row, history in zip(found, histories, strict=True):
        torch.testing.assert_close(row, run(model, history).scores[0])


def test_the_vectors_of_events_are_those_that_personas_are_made_of() -> None:
    model = random_model(5, 3, 2, 0)
    found, events = run(model, [4, 0, 4]), model.events(torch.tensor([4, 0, 4]))
    np.testing.assert_allclose(found.weights[0].T @ events, found.personas[0], atol=1e-12)


def test_a_catalogue_smaller_than_the_neighbours_kept_is_whole() -> None:
    model = HistoryPersonas(3, 2, 4, 200, "cosine")
    assert model.together.shape == model.next_items.shape == (3, 3)
    assert (run(model, [0, 1]).scores == 0).all()
