"""A model built from sequences: its linear part, its personas, and their temperature."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import trying
from whythis.recsys.building import TEMPERATURES, build, choose_temperature, held_out_ranks
from whythis.recsys.choosing import choose
from whythis.recsys.composed import HistoryPersonas
from whythis.recsys.config import Attention, FitConfig
from whythis.recsys.kernels import Indices
from whythis.recsys.linear import Choice, Linear, solve
from whythis.recsys.metrics import discounted_rank

from . import oracle
from .small import give_weights, random_model, small_items

CONFIG = FitConfig(dim=8, personas=3, neighbours=12, window=5)
CHOICE = Choice(
    l2=5.0, forgetting=0.1, next_weight=1.5, reach=2.0, next_l2=5.0, popularity=0.2, scale=3.0
)
N = 40


def sequences(users: int = 80, stray: float = 0.25) -> list[Indices]:
    """Return histories of 0 to 8 items, mostly of one taste; `stray` is what the others weigh."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(users):
        weight = np.where(np.arange(N) % 3 == user % 3, 1.0, stray)
        rows.append(rng.choice(N, rng.integers(0, 9), replace=False, p=weight / weight.sum()))
    return rows


def built(config: FitConfig = CONFIG, choice: Choice = CHOICE) -> tuple[Linear, HistoryPersonas]:
    linear = solve(sequences(), N, choice, config.neighbours)
    return linear, build(linear, sequences(), small_items(), config)


def test_the_model_is_the_linear_part_that_was_given() -> None:
    linear, model = built()
    assert linear.next is not None
    b, after = (kernel.matrix().toarray() for kernel in (linear.together, linear.next))
    assert float(model.temperature) == 0
    for history in [s for s in sequences() if len(s)][:10]:
        ages = np.arange(len(history))[::-1]
        g, fresh = np.exp(-0.1 * ages), np.exp(-ages / 2.0)
        told = 3.0 / np.sqrt(g.sum()) * (g @ b[history] + fresh @ after[history]) + linear.bias
        mask = torch.ones(1, len(history), dtype=torch.bool)
        np.testing.assert_allclose(
            model(torch.from_numpy(history), mask).scores[0], told, atol=1e-5
        )


def test_without_what_follows_there_is_none() -> None:
    linear, model = built(choice=CHOICE.model_copy(update={"next_weight": 0.0}))
    assert linear.next is None
    assert not model.next.any()


def test_memberships_are_shares_and_follow_what_items_are_like() -> None:
    _, model = built()
    members = model.membership.numpy()
    np.testing.assert_allclose(members.sum(1), 1, atol=1e-6)
    assert (members >= 0).all()
    # three pairs of genres, three personas: items of one pair fall to one persona
    main = members.argmax(1)
    assert all(len(set(main[taste::3])) == 1 for taste in range(3))
    assert len(set(main)) == 3


def test_embeddings_are_those_of_the_weights() -> None:
    linear, model = built(CONFIG.model_copy(update={"dim": 60}))
    e, v = model.history_side.numpy(), model.candidate_side.numpy()
    lengths = np.linalg.norm(v, axis=1)
    assert (np.isclose(lengths, 1, atol=1e-5) | (lengths == 0)).all()
    b = linear.together.matrix().toarray()
    # v is the direction only: every column of B is that of e v^T up to its size
    along = e @ v.T
    cosines = (along * b).sum(0) / (np.linalg.norm(along, axis=0) * np.linalg.norm(b, axis=0))
    assert cosines.min() > 0.99


def test_equal_seeds_give_equal_models() -> None:
    first, again = built()[1].state_dict(), built()[1].state_dict()
    assert all(map(torch.equal, first.values(), again.values()))
    other = built(CONFIG.model_copy(update={"sharpness": 2.0}))[1]
    assert not torch.equal(other.membership, first["membership"])


def test_a_model_of_its_own_is_built() -> None:
    linear, model = built()
    before = linear.together.values.copy()
    model.together.zero_()
    model.bias.zero_()
    np.testing.assert_array_equal(linear.together.values, before)
    assert linear.bias.any()


def test_items_that_nobody_liked_together_can_be_built_from() -> None:
    alone = [np.array([i % 7]) for i in range(30)]
    linear = choose(alone, (alone, [(i + 1) % 7 for i in range(30)]), N, 12, 5, True, 0)
    for attention in TEMPERATURES:
        config = CONFIG.model_copy(update={"attention": attention})
        model = build(linear, alone, small_items(), config)
        assert not model.history_side.any()
        mask = torch.ones(1, 1, dtype=torch.bool)
        found = model(torch.tensor([3]), mask)
        assert found.scores.isfinite().all()
        assert float(found.masses.sum()) == pytest.approx(1)
        assert choose_temperature(model, (alone, [1] * 30), config) in TEMPERATURES[attention][:2]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4), st.sampled_from(list(TEMPERATURES)), st.data())
def test_held_out_ranks_are_those_of_the_formulas(
    seed: int, window: int, attention: Attention, data: st.DataObject
) -> None:
    model = random_model(8, 3, 3, seed, attention)
    rows = data.draw(
        st.lists(
            st.permutations(range(8)).flatmap(
                lambda p: st.integers(0, 7).map(lambda size: (p[:size], p[-1]))
            ),
            max_size=4,
        )
    )
    histories = [np.array(history, dtype=np.int64) for history, _ in rows]
    found = held_out_ranks(model, histories, [target for _, target in rows], window)
    assert found.dtype == np.int64
    weights = oracle.weights_of(model)
    told = [
        oracle.rank(oracle.scores(weights, history[-window:], attention), target, history)
        for history, target in rows
    ]
    assert found.tolist() == told
    assert float(model.temperature) == pytest.approx(1.7)


def two_tastes() -> HistoryPersonas:
    """Return a model of five items of two tastes, in which a small taste is drowned."""
    model = random_model(5, 2, 2, 0)
    for number in (model.bias, model.forgetting):
        number.zero_()
    tastes = torch.tensor([0, 0, 0, 1, 1])  # of the items 0..4
    model.membership.copy_(torch.eye(2)[tastes])
    model.history_side.copy_(torch.eye(2)[tastes])
    model.candidate_side.copy_(torch.eye(2)[tastes])
    together = torch.zeros(5, 5)
    together[:2, 2] = 1.0  # what the large taste likes
    together[3, 4] = 1.5  # what the small one does
    give_weights(model, "together", together)
    give_weights(model, "next", torch.zeros(5, 5))
    return model


def test_a_temperature_that_helps_is_chosen() -> None:
    model = two_tastes()
    histories, targets = [np.array([0, 1, 3])] * 3, [4] * 3
    model.temperature.zero_()
    assert held_out_ranks(model, histories, targets, 50).tolist() == [2, 2, 2]
    temperature = choose_temperature(model, (histories, targets), FitConfig())
    assert temperature > 0
    assert float(model.temperature) == 0  # it is left as it was
    model.temperature.fill_(temperature)
    assert held_out_ranks(model, histories, targets, 50).tolist() == [1, 1, 1]
    # the next smaller one is not enough
    tried = TEMPERATURES["cosine"]
    model.temperature.fill_(tried[tried.index(temperature) - 1])
    assert held_out_ranks(model, histories, targets, 50).tolist() == [2, 2, 2]


def test_where_attention_does_no_harm_items_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_tastes()
    right = [np.array([0, 1, 3])] * 3, [2] * 3  # the larger taste is right
    smallest = TEMPERATURES["cosine"][1]
    assert choose_temperature(model, right, FitConfig()) == smallest
    assert choose_temperature(model, ([], []), FitConfig()) == 0
    monkeypatch.setitem(TEMPERATURES, "cosine", (0.0, 50.0))  # all attention to one taste: harm
    assert choose_temperature(model, right, FitConfig()) == 0


def test_one_persona_or_none_to_attend_to_has_no_temperature() -> None:
    histories, targets = [np.array([0, 1, 3])] * 3, [4] * 3
    none = FitConfig(attention="none")
    model = two_tastes()
    model.attention = "none"
    assert choose_temperature(model, (histories, targets), none) == 0
    alone = random_model(5, 2, 1, 0)
    assert choose_temperature(alone, (histories, targets), FitConfig(personas=1)) == 0


@pytest.mark.parametrize("attention", ["cosine", "dot"])
def test_the_temperature_chosen_is_the_best_of_those_tried(attention: Attention) -> None:
    model = random_model(12, 3, 3, 5, attention)
    rng = np.random.default_rng(0)
    rows = [rng.permutation(12)[:5] for _ in range(40)]
    histories, targets = [r[:-1] for r in rows], [int(r[-1]) for r in rows]
    values = {}
    for temperature in TEMPERATURES[attention]:
        model.temperature.fill_(temperature)
        ranks = held_out_ranks(model, histories, targets, 50)
        values[temperature] = discounted_rank(ranks)
    config = FitConfig(attention=attention)
    found = choose_temperature(model, (histories, targets), config)
    assert values[found] == max(values.values())
    assert found == min(t for t, v in values.items() if v == max(values.values()))


def test_of_many_users_some_decide_the_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_tastes()
    # of two users one wants a temperature and the other none, and only one is asked
    monkeypatch.setattr(trying, "TRIED_USERS", 2)
    histories, targets = [np.array([0, 1, 3])] * 2, [2, 4]
    found = {
        choose_temperature(model, (histories, targets), FitConfig(seed=seed)) for seed in range(9)
    }
    assert len(found) == 2
    first, again = (
        choose_temperature(model, (histories, targets), FitConfig(seed=3)) for _ in range(2)
    )
    assert first == again


def test_a_catalogue_without_genres_and_years_is_gathered_by_who_likes_it() -> None:
    bare = small_items().assign(year=np.nan, genres=[[] for _ in range(N)])
    histories = sequences(400, stray=0.02)
    linear = solve(histories, N, CHOICE, CONFIG.neighbours)
    model = build(linear, histories, bare, CONFIG)
    main = model.membership.numpy().argmax(1)
    assert all(len(set(main[taste::3])) == 1 for taste in range(3))
