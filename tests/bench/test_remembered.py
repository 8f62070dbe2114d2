"""Scores from memory, done again by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recsys.small import random_model, recommender, small_dataset
from whythis.bench.remembered import Remembered, profiles
from whythis.recsys.naming import persona_cards
from whythis.recsys.recommender import Recommender

USERS = ["u00", "u01", "u17"]


@pytest.fixture(scope="module")
def rec() -> Recommender:
    return recommender(small_dataset(), random_model(40, 4, 3, 0))


@pytest.fixture(scope="module")
def memory(rec: Recommender) -> Remembered:
    return Remembered(rec, [rec.liked(user) for user in USERS])


def cosine(rec: Recommender, a: int, b: int) -> float:
    x, y = (rec.model.candidate_side[i].numpy() for i in (a, b))
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


@pytest.mark.parametrize("n", [1, 3, 100])
def test_events_score_by_their_mean_cosine(rec: Recommender, memory: Remembered, n: int) -> None:
    for row, history in enumerate(memory.histories):
        for item in (0, 7, 39):
            near = [cosine(rec, past, item) for past in history]
            assert memory.recent(n)[row, item] == pytest.approx(np.mean(near[-n:]))
            assert memory.similar(n)[row, item] == pytest.approx(np.mean(sorted(near)[-n:]))


@pytest.mark.parametrize("n", [1, 3])
def test_tastes_score_by_the_typical_items_of_persona_cards(
    rec: Recommender, memory: Remembered, n: int
) -> None:
    for row, user in enumerate(USERS):
        for item in (0, 7, 39):
            told = 0.0
            for card in persona_cards(rec, user, shown=n):
                near = [(w, cosine(rec, rec.item_ids.index(i), item)) for i, w in card.items]
                told += card.mass * sum(w * c for w, c in near) / sum(w for w, _ in near)
            assert memory.tastes(n)[row, item] == pytest.approx(told)
    np.testing.assert_array_equal(memory.summary(n), memory.tastes(n))


def test_both_count_alike_whatever_their_scales(memory: Remembered) -> None:
    first, second = memory.recent(2), memory.tastes(2)
    found = memory.both(first, second)
    np.testing.assert_allclose(memory.both(9 * first + 4, second), found, atol=1e-9)
    for row, history in enumerate(memory.histories):
        others = np.setdiff1d(np.arange(40), history)
        assert found[row, others].mean() == pytest.approx(0, abs=1e-9)
    flat = np.zeros_like(first)
    assert np.isfinite(memory.both(flat, flat)).all()


def test_aspects_count_beside_tastes(rec: Recommender, memory: Remembered) -> None:
    weight = {"plot": 1.0, "music": 2.0}
    own = profiles([{"music": 3}, {}, {"plot": 1}], weight)
    of_items = profiles([{"music": 1, "plot": 2}, *({} for _ in range(39))], weight)
    np.testing.assert_allclose(own, [[0, 1], [0, 0], [1, 0]])
    np.testing.assert_allclose(of_items[0], [0.5**0.5, 0.5**0.5])
    with_aspects = Remembered(rec, memory.histories, (own, of_items))
    told = memory.both(memory.tastes(3), own @ of_items.T)
    np.testing.assert_allclose(with_aspects.summary(3), told)
    less = memory.both(memory.tastes(3), own @ of_items.T, 0.1)
    np.testing.assert_allclose(with_aspects.summary(3, 0.1), less)
    assert not np.allclose(less, told)
