"""The random model is one that can be explained, and every question is timed."""

import numpy as np
import pytest

from whythis.bench.speed import explained, random_recommender, timed
from whythis.recsys.effects import decompose, every_effect


@pytest.fixture(scope="module")
def rec():
    return random_recommender(600, 3, 0)


def test_the_random_model_has_every_part(rec):
    assert len(rec.item_ids) == 600
    assert [len(rec.history(user)) for user in rec.user_ids.ids] == [200] * 3
    model = rec.model
    for columns, values in ((model.together_items, model.together), (model.next_items, model.next)):
        assert columns.shape == (600, 200)
        assert all(len(set(row)) == 200 for row in columns.tolist())
        assert bool((values > 0).all())


def test_its_scores_can_be_taken_apart(rec):
    user = rec.user_ids.ids[0]
    item = rec.recommend(user, 1)[0].item
    parts = decompose(rec, user, item)
    every = every_effect(rec, user, item)
    assert every.personas.tolist() == [part.effect for part in parts.personas]
    assert np.count_nonzero(every.events) == 200


def test_every_question_is_asked_of_every_user(rec):
    seconds = timed(rec, 2, 0)
    assert set(seconds) == {"recommend", "every effect", "parts", "necessary set"}
    assert all(len(each) == 2 and min(each) > 0 for each in seconds.values())


def test_explanations_are_timed_by_the_clock_and_by_the_processor(small_workspace):
    clock, cpu = explained(small_workspace, 6, 0)
    assert clock.shape == cpu.shape == (4,)
    assert clock.min() > 0
    assert cpu.min() > 0
