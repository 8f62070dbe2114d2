"""Past likes are recalled, weighed and tried as the recommender itself does it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.recsys.small import NOBODY, ONCE, random_model, recommender
from whythis.recsys import effects
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.interactions import make_dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.sources import empty_model
from whythis.tools import likes
from whythis.tools.workspace import Workspace

USER = "u00"


def test_the_largest_contributions_come_first(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    item = rec.recommend(USER, 1)[0].item
    parts = effects.decompose(rec, USER, item).contributions
    assert parts is not None
    found = likes.contributions(small_workspace, USER, item, 50)
    told = [e.value["contribution"] for e in found]
    assert told == pytest.approx(sorted(parts.sum(1), reverse=True))
    assert found[0].value["place"] == 1
    assert likes.contributions(small_workspace, USER, item, 2) != found[:2]  # asked otherwise
    assert [e.value for e in likes.contributions(small_workspace, USER, item, 2)] == [
        e.value for e in found[:2]
    ]


def test_a_part_of_the_sum_is_told_where_none_takes_away() -> None:
    assert likes.contribution(np.array([1.0, 3.0]), 1) == likes.Contribution(3.0, 1, 2, 0.75)
    assert likes.contribution(np.array([1.0, 3.0, -0.5]), 1).share is None
    assert likes.contribution(np.array([2.0, 2.0 + 1e-12, 1.0]), 0).place == 1
    assert likes.contribution(np.zeros(2), 0) == likes.Contribution(0.0, 1, 2, None)


def test_tastes_that_are_no_sum_have_no_contributions() -> None:
    frame = pd.DataFrame({"user": ["a", "a", "b"], "item": ["x", "y", "z"]})
    data = make_dataset("d", frame)
    config = FitConfig(source="medoid", personas=2, dim=4)
    made = empty_model(3, config).double().eval()
    rec = Recommender(
        items=data.items,
        interactions=data.interactions,
        like=None,
        hashes={"model": "0", "data": "0"},
        config=config,
        model=made,
    )
    with pytest.raises(ModelError, match="medoid personas are no sum over past items"):
        likes.contributions(Workspace(rec), "a", "z")


def test_enough_is_enough_by_itself(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    (record,) = likes.enough(small_workspace, USER, "i16")
    kept = record.value["items"]
    assert isinstance(kept, list)
    runs = effects.reruns(rec, USER, "i16")
    ids = np.array(rec.item_ids.ids)[runs.history]
    mask = np.isin(ids, kept)
    assert runs.only(mask[None])[0].rank == record.value["rank_alone"] <= 10
    assert likes.enough(small_workspace, ONCE, "i00") == ()  # there for anyone
    with pytest.raises(DataError, match="outside the top"):
        likes.enough(small_workspace, USER, rec.recommend(USER, 30)[-1].item)


def test_the_latest_likes_need_times(small_workspace: Workspace) -> None:
    assert likes.recent(small_workspace, NOBODY) == ()
    assert likes.recent(small_workspace, ONCE)[0].value["items"] == ["i03"]
    frame = pd.DataFrame({"user": "a", "item": ["x", "y"], "time": [float("nan"), 5.0]})
    ws = Workspace(recommender(make_dataset("d", frame), random_model(2, 2, 1, 0)))
    assert likes.recent(ws, "a", 1)[0].value == {"items": ["y"], "titles": ["y"], "of": 2}
    with pytest.raises(DataError, match="do not say when user 'a' liked what"):
        likes.recent(ws, "a", 2)


@pytest.mark.parametrize("n", [0, -3])
def test_nothing_cannot_be_asked_for(small_workspace: Workspace, n: int) -> None:
    for ask in (
        lambda: likes.recent(small_workspace, USER, n),
        lambda: likes.contributions(small_workspace, USER, "i16", n),
    ):
        with pytest.raises(DataError, match=f"n is {n}"):
            ask()
