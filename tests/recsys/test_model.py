"""The model's forward pass, held against its formulas in plain loops."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from whythis.recsys.model import Mixture, PersonaModel

from . import oracle
from .small import random_model


@st.composite
def cases(draw: st.DrawFn, least: int = 0) -> tuple[PersonaModel, list[int]]:
    """Draw a random model and a history of it; an item may come twice."""
    n = draw(st.integers(2, 6))
    model = random_model(
        n, draw(st.integers(2, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 10**6))
    )
    return model, draw(st.lists(st.integers(0, n - 1), min_size=least, max_size=7))


@torch.no_grad()
def run(
    model: PersonaModel, history: list[int], keep: npt.NDArray[np.bool_] | None = None
) -> Mixture:
    items = torch.tensor([history or [0]])
    mask = torch.full(items.shape, bool(history))
    rows = 1 if keep is None else len(keep)
    chosen = None if keep is None else torch.from_numpy(keep)
    found: Mixture = model(items.expand(rows, -1), mask.expand(rows, -1), chosen)
    return found


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_part_is_what_its_formula_says(case: tuple[PersonaModel, list[int]]) -> None:
    model, history = case
    found, weights = run(model, history), oracle.weights_of(model)
    for item in range(len(model.bias)):
        told = oracle.parts(weights, history, item)
        np.testing.assert_allclose(found.masses[0], told.masses, atol=1e-9)
        np.testing.assert_allclose(found.matches[0, :, item], told.matches, atol=1e-9)
        np.testing.assert_allclose(found.shares[0, :, item], told.shares, atol=1e-9)
        assert float(found.scores[0, item]) == pytest.approx(told.score, abs=1e-9)
        assert float(found.shares[0, :, item].sum()) == pytest.approx(1)


@pytest.mark.parametrize("length", [1, 2, 3, 5, 9, 17, 33, 65, 129, 140])
def test_every_recency_bucket_is_reached(length: int) -> None:
    model = random_model(5, 3, 2, 0)
    history = [i % 5 for i in range(length)]
    told = oracle.scores(oracle.weights_of(model), history)
    np.testing.assert_allclose(run(model, history).scores[0], told, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(cases(least=1))
def test_weights_and_size_rebuild_the_personas(case: tuple[PersonaModel, list[int]]) -> None:
    model, history = case
    found = run(model, history)
    mixed = found.weights[0].T @ model.history_side.detach()[history]
    np.testing.assert_allclose(found.sizes[0] * mixed, found.personas[0], atol=1e-9)
    np.testing.assert_allclose(found.weights[0].sum(0), np.ones(model.k), atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(cases(least=1))
def test_without_temperature_it_is_one_linear_item_item_model(
    case: tuple[PersonaModel, list[int]],
) -> None:
    model, history = case
    with torch.no_grad():
        model.temperature.zero_()
    w = oracle.weights_of(model)
    ages = range(len(history) - 1, -1, -1)
    gains = [math.exp(w["recency"][min(8, 1 + int(math.log2(a))) if a else 0]) for a in ages]
    size = math.exp(w["log_scale"]) * math.sqrt(sum(gains)) / sum(gains)
    item_item = w["history_side"] @ w["candidate_side"].T  # the memberships play no part
    linear = sum(size * g * item_item[i] for g, i in zip(gains, history, strict=True)) + w["bias"]
    np.testing.assert_allclose(run(model, history).scores[0], linear, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(cases(least=1), st.data())
def test_a_masked_event_is_as_if_it_had_never_been(
    case: tuple[PersonaModel, list[int]], data: st.DataObject
) -> None:
    model, history = case
    mask = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    with torch.no_grad():
        masked = model(torch.tensor([history]), torch.tensor([mask]))
    shorter = run(model, [i for i, counts in zip(history, mask, strict=True) if counts])
    for field in ("masses", "personas", "matches", "shares", "scores"):
        np.testing.assert_allclose(getattr(masked, field), getattr(shorter, field), atol=1e-9)
    assert not masked.weights[0][~torch.tensor(mask)].any()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_deleting_a_persona_is_the_closed_form(case: tuple[PersonaModel, list[int]]) -> None:
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
        if k > 1:
            closed = shares[p] * (matches[p] - mean) / (1 - shares[p])
            np.testing.assert_allclose(effect, closed, rtol=1e-6, atol=1e-9)
    if k > 1:
        np.testing.assert_allclose(balance, 0, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(cases(least=1), st.data())
def test_any_subset_of_personas_renormalises(
    case: tuple[PersonaModel, list[int]], data: st.DataObject
) -> None:
    model, history = case
    chosen = data.draw(st.sets(st.integers(0, model.k - 1), min_size=1))
    keep = np.array([[p in chosen for p in range(model.k)]])
    found, weights = run(model, history, keep), oracle.weights_of(model)
    for item in range(len(model.bias)):
        told = oracle.parts(weights, history, item, chosen)
        np.testing.assert_allclose(found.shares[0, :, item], told.shares, atol=1e-9)
        assert float(found.scores[0, item]) == pytest.approx(told.score, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(cases())
def test_with_no_persona_or_no_history_the_bias_is_left(
    case: tuple[PersonaModel, list[int]],
) -> None:
    model, history = case
    bias = model.bias.detach()
    found = run(model, history, np.zeros((1, model.k), dtype=bool))
    np.testing.assert_array_equal(found.scores[0], bias)
    np.testing.assert_allclose(run(model, []).scores[0], bias, atol=1e-9)


def test_broken_weights_are_not_hidden() -> None:
    model = random_model(4, 3, 2, 0)
    with torch.no_grad():
        model.temperature.fill_(math.nan)
    assert run(model, [0, 1]).scores.isnan().all()


@pytest.fixture
def several_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_gradients_are_summed_up_in_a_fixed_order(several_threads: None) -> None:
    # large enough for torch to share the work among threads
    model = random_model(200, 32, 4, 0).float()
    generator = torch.Generator().manual_seed(0)
    history = torch.randint(0, 200, (256, 140), generator=generator)
    targets = torch.randint(0, 200, (256,), generator=generator)

    def gradients() -> list[torch.Tensor]:
        model.zero_grad()
        scores = model(history, torch.ones_like(history, dtype=torch.bool)).scores
        functional.cross_entropy(scores, targets).backward()  # type: ignore[no-untyped-call]
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    first = gradients()
    assert len(first) == 8
    for _ in range(3):
        assert all(map(torch.equal, first, gradients()))
