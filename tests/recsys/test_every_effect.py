"""All effects of one pass are those of passes of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.config import Attention
from whythis.recsys.effects import decompose, every_effect, remove, without_persona
from whythis.recsys.errors import DataError
from whythis.recsys.recommender import Recommender

from .small import NOBODY, ONCE, random_model, recommender, small_dataset

DATA = small_dataset()


def item_at(rec: Recommender, user: str, place: int) -> str:
    return rec.recommend(user, place)[-1].item


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 4),
    user=st.sampled_from(["u00", "u07", "u22", ONCE]),
    window=st.sampled_from([1, 3, 5, 200]),
    attention=st.sampled_from(["cosine", "dot", "none"]),
)
def test_every_effect_is_that_of_a_run_of_its_own(
    seed: int, k: int, user: str, window: int, attention: Attention
) -> None:
    rec = recommender(DATA, random_model(40, 4, k, seed, attention), window)
    item = item_at(rec, user, 1 + seed % 25)
    found = every_effect(rec, user, item)
    past = [rec.item_ids.ids[i] for i in rec.history(user)]
    assert found.score == rec.scores(rec.history(user))[rec.item_ids.index(item)]
    assert found.events.shape == (len(past),)
    for effect, run in zip(
        found.events, remove(rec, user, item, [[one] for one in past]), strict=True
    ):
        assert effect == run.score_before - run.score_after
    for persona in range(k):
        run = without_persona(rec, user, item, persona)
        assert found.personas[persona] == run.score_before - run.score_after
    parts = decompose(rec, user, item).personas
    assert found.personas.tolist() == [part.effect for part in parts]


def test_a_user_without_history_has_personas_without_effect() -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 0))
    found = every_effect(rec, NOBODY, item_at(rec, NOBODY, 1))
    assert found.events.shape == (0,)
    assert not found.personas.any()


def test_an_item_already_seen_has_no_effects() -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 0))
    seen = rec.item_ids.ids[rec.seen("u00")[0]]
    with pytest.raises(DataError, match="already seen"):
        every_effect(rec, "u00", seen)


def test_items_out_of_reach_have_their_bias_as_score() -> None:
    model = random_model(40, 4, 3, 0)
    rec = recommender(DATA, model)
    history = rec.history("u00")
    whole = rec.scores(history)
    for columns, values in ((model.together_items, model.together), (model.next_items, model.next)):
        values[columns >= 15] = 0.0  # fewer than half can be reached
    reached = model.reached(torch.from_numpy(history))
    assert reached is not None
    assert set(reached.tolist()) <= set(range(15))
    few = recommender(DATA, model).scores(history)
    full = rec.mixture(history).scores[0].numpy()
    assert (few == full).all()
    assert (few[15:] == model.bias.numpy().round(9)[15:]).all()
    assert not np.array_equal(whole, few)
