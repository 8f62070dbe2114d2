"""Each explainer against what its definition gives by hand."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from tests.recsys.small import random_model, recommender, small_dataset
from whythis.bench.case import Case, Floats, Indices, Masks
from whythis.bench.explained import case_of
from whythis.bench.explainers import (
    MODEL_FREE,
    OF_THE_MODEL,
    RIVALS,
    Background,
    minimal_set,
    needed,
)
from whythis.bench.fidelity import ordering
from whythis.recsys.errors import MissingPartError
from whythis.recsys.recommender import Recommender

EVENTS = sparse.csr_matrix(
    np.asarray([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 0, 0, 1, 0], [0, 0, 1, 1, 0]], dtype=float)
)
BACKGROUND = Background(EVENTS, seed=3)


def linear(weights: Floats, history: Indices | None = None, target: int = 0) -> Case:
    places = np.arange(1, 1 + len(weights)) if history is None else history
    seen = np.asarray(places)
    return Case("u", target, seen, seen, lambda masks: masks @ weights)


@pytest.fixture(scope="module")
def rec() -> Recommender:
    dataset = small_dataset()
    return recommender(dataset, random_model(len(dataset.items), 6, 3, seed=4), window=7)


@pytest.fixture(scope="module")
def case(rec: Recommender) -> Case:
    user = max(rec.user_ids.ids, key=lambda u: len(rec.liked(u)))
    assert len(rec.liked(user)) > rec.window
    return case_of(rec, user)


@pytest.mark.parametrize("name", MODEL_FREE)
@pytest.mark.parametrize("events", [1, 4])
def test_every_model_free_explainer_weighs_each_event_and_repeats_itself(name, events):
    weights = np.random.default_rng(0).normal(size=(events, 5))
    one = linear(weights, np.arange(1, 1 + events))
    found = MODEL_FREE[name](BACKGROUND)(one)
    assert found.shape == (events,)
    assert np.isfinite(found).all()
    assert np.array_equal(found, MODEL_FREE[name](BACKGROUND)(one))


@pytest.mark.parametrize("name", OF_THE_MODEL)
def test_events_too_old_to_be_read_weigh_nothing(name, rec, case):
    found = OF_THE_MODEL[name](rec)(case)
    old = len(case.history) - rec.window
    assert found.shape == case.history.shape
    assert (found[:old] == 0).all()
    assert (found[old:] != 0).all()


@pytest.mark.parametrize("name", ["leave-one-out", "SHAP"])
def test_removals_find_the_weights_of_a_linear_model(name):
    weights = np.random.default_rng(1).normal(size=(9, 12))
    found = MODEL_FREE[name](BACKGROUND)(linear(weights))
    assert found == pytest.approx(weights[:, 0])


def test_lime_orders_the_events_of_a_linear_model():
    weights = np.random.default_rng(1).normal(size=(9, 12))
    found = MODEL_FREE["LIME"](BACKGROUND)(linear(weights))
    assert ordering(found).tolist() == ordering(weights[:, 0]).tolist()


def test_shap_shares_an_interaction_evenly():
    def scores(masks: Masks) -> Floats:
        rows = np.zeros((len(masks), 4))
        rows[:, 0] = 6.0 * (masks[:, 0] & masks[:, 1])
        return rows

    both = Case("u", 0, np.asarray([1, 2, 3]), np.asarray([1, 2, 3]), scores)
    found = MODEL_FREE["SHAP"](BACKGROUND)(both)
    assert found == pytest.approx([3.0, 3.0, 0.0])


@pytest.mark.parametrize("name", ["random", "SHAP", "LIME"])
def test_chance_leaves_the_global_generator_alone(name):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    MODEL_FREE[name](BACKGROUND)(linear(np.ones((4, 6))))
    assert np.random.random() == expected


def test_chance_differs_between_seeds_and_cases():
    first, second = linear(np.ones((6, 8))), linear(np.ones((6, 8)), target=7)
    explain = MODEL_FREE["random"](BACKGROUND)
    assert not np.array_equal(explain(first), explain(second))
    assert not np.array_equal(explain(first), MODEL_FREE["random"](Background(EVENTS, 4))(first))


def test_popularity_and_cosine_count_users():
    one = linear(np.ones((3, 5)), np.asarray([1, 2, 4]))
    assert MODEL_FREE["popularity"](BACKGROUND)(one).tolist() == [2, 2, 0]
    expected = [2 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 3), 0.0]
    assert MODEL_FREE["cosine"](BACKGROUND)(one) == pytest.approx(expected)


def test_contributions_sum_to_the_score(rec, case):
    found = OF_THE_MODEL["contributions"](rec)(case)
    score = case.target_scores(np.ones((1, len(case.history)), dtype=bool))[0]
    bias = float(rec.model.bias[case.target].detach())
    assert found.sum() == pytest.approx(score - bias, abs=1e-5)


def test_margin_sums_to_the_lead_over_the_next_best(rec, case):
    found = OF_THE_MODEL["margin"](rec)(case)
    scores = case.scores(np.ones((1, len(case.history)), dtype=bool))[0]
    personal = scores - rec.model.bias.detach().numpy()
    best = [i for i in np.argsort(-scores) if i not in case.hidden and i != case.target][:RIVALS]
    assert found.sum() == pytest.approx(personal[case.target] - personal[best].mean(), abs=1e-5)


def test_gradient_times_input_is_the_slope_of_the_linear_model(rec, case):
    model = copy.deepcopy(rec.model)
    for off in (model.temperature, model.forgetting, model.next):
        off.zero_()  # s = c * sum m_i B_iy / sqrt(sum m_i) + b_y
    plain = replace(rec, model=model)
    read = plain.history(case.user)
    weights = case.history[-len(read) :]
    sums = plain.scores(read)[case.target] - float(model.bias[case.target])
    rows = model.together[weights] * (model.together_items[weights] == case.target)
    size, events = float(model.scale), len(read)
    slopes = size * rows.sum(1).numpy() / events**0.5 - 0.5 * sums / events
    found = OF_THE_MODEL["gradient x input"](plain)(case)
    np.testing.assert_allclose(found[-events:], slopes, atol=1e-6)


def test_attention_alone_sums_to_one_and_reads_no_embedding_of_the_match(rec, case):
    found = OF_THE_MODEL["attention"](rec)(case)
    mixture = rec.mixture(rec.history(case.user))
    shares, weights = mixture.shares[0, :, case.target], mixture.weights[0]
    assert found.sum() == pytest.approx(1.0)
    assert found[-1] == pytest.approx(
        sum(float(w * a) for w, a in zip(weights[-1], shares, strict=True))
    )


def test_persona_match_is_the_cosine_with_the_persona_of_the_largest_share(rec, case):
    found = OF_THE_MODEL["persona match"](rec)(case)
    mixture = rec.mixture(rec.history(case.user))
    x = mixture.personas[0, int(mixture.shares[0, :, case.target].argmax())].numpy()
    e = rec.model.history_side.detach().numpy()[case.history[-2]]
    assert found[-2] == pytest.approx(x @ e / np.linalg.norm(x) / np.linalg.norm(e))


def test_a_minimal_set_that_is_complete_pushes_the_target_out(rec):
    complete = 0
    for user in rec.user_ids.ids[:12]:
        if not len(rec.liked(user)):
            continue
        one = case_of(rec, user)
        mask = minimal_set(rec, one, top=2)
        assert 1 <= mask.sum() <= 5
        complete += int(one.ranks(~mask[None])[0] > 2)
    assert complete > 3


def test_an_absent_package_names_the_extra():
    with pytest.raises(MissingPartError, match=r"pip install 'whythis\[bench\]'"):
        needed("whythis_no_such_package")
