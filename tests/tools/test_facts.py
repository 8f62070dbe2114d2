"""Facts are counted again here, row by row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.recsys.small import COLD, random_model, recommender
from whythis.recsys import artefact
from whythis.recsys.errors import UnknownIdError
from whythis.recsys.interactions import make_dataset
from whythis.recsys.recommender import Recommender
from whythis.tools.facts import item_facts


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def test_every_count_is_that_of_the_rows(rec: Recommender) -> None:
    rows = list(zip(rec.interactions["item"], rec.interactions["rating"], strict=True))
    likes = {item: sum(1 for i, r in rows if i == item and r >= 4) for item in rec.item_ids.ids}
    for item in rec.item_ids.ids:
        found = item_facts(rec, item)
        ratings = [r for i, r in rows if i == item]
        assert found.ratings == len(ratings)
        assert found.liked == likes[item]
        assert found.place == 1 + sum(1 for other in likes.values() if other > likes[item])
        assert found.of == 40
        assert found.best == 5
        if ratings:
            assert found.mean == pytest.approx(sum(ratings) / len(ratings))


def test_an_item_nobody_rated_has_no_mean(rec: Recommender) -> None:
    found = item_facts(rec, COLD)
    assert (found.mean, found.ratings, found.liked) == (None, 0, 0)
    assert found.place == 40


def test_without_ratings_every_interaction_is_a_like() -> None:
    frame = pd.DataFrame({"user": ["a", "b", "a", "c"], "item": ["x", "x", "y", "z"]})
    rec = recommender(make_dataset("d", frame), random_model(3, 2, 1, 0))
    found = [item_facts(rec, item) for item in "xyz"]
    assert [f.liked for f in found] == [2, 1, 1]
    assert [f.place for f in found] == [1, 2, 2]
    assert [(f.mean, f.ratings, f.best) for f in found] == [(None, 0, None)] * 3


def test_missing_ratings_among_others_are_not_counted() -> None:
    frame = pd.DataFrame({"user": ["a", "b", "c"], "item": "x", "rating": [5.0, float("nan"), 2.0]})
    rec = recommender(make_dataset("d", frame, like=4.0), random_model(1, 2, 1, 0))
    found = item_facts(rec, "x")
    assert (found.mean, found.ratings, found.liked) == (3.5, 2, 1)


def test_an_unknown_item_is_refused(rec: Recommender) -> None:
    with pytest.raises(UnknownIdError, match="unknown item 'i99'"):
        item_facts(rec, "i99")
