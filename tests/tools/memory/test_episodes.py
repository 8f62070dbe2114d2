"""Recalled events are those of the user's own past, nearest in time or in kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.recsys.small import NOBODY, small_dataset
from whythis.recsys.blackbox import black_box
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.interactions import make_dataset
from whythis.tools.evidence import Evidence
from whythis.tools.memory.episodes import recall
from whythis.tools.similarity import cosines
from whythis.tools.workspace import Workspace

USER = "u05"


def values(found: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [one.value for one in found]


def test_the_latest_come_first(small_workspace: Workspace) -> None:
    rows = small_workspace.recommender.interactions
    mine = rows[rows["user"] == USER].sort_values(["time", "item"], ascending=False)
    found = values(recall(small_workspace, USER, n=100))
    assert [v["item"] for v in found] == mine["item"].tolist()
    assert [v["rating"] for v in found] == mine["rating"].tolist()
    assert [v["time"] for v in found] == mine["time"].tolist()
    assert values(recall(small_workspace, USER, n=2)) == found[:2]


def test_the_most_similar_come_first(small_workspace: Workspace) -> None:
    rec = small_workspace.owned()
    item = rec.recommend(USER, 1)[0].item
    found = values(recall(small_workspace, USER, "similar", item, n=100))
    assert {v["item"] for v in found} == {rec.item_ids.ids[i] for i in rec.seen(USER)}
    near = [v["cosine"] for v in found]
    assert near == sorted(near, reverse=True)
    told = cosines(rec, item)
    for value in found:
        assert value["cosine"] == pytest.approx(told[rec.item_ids.index(value["item"])], abs=1e-6)


def test_the_users_own_words_come_along(small_workspace: Workspace) -> None:
    box = small_workspace.recommender
    rows = box.interactions[(box.interactions["user"] == USER)]
    own = {s.item for s in small_workspace.store().of_user(USER)}
    assert own == {"i00"}
    said = {v["item"]: v["said"] for v in values(recall(small_workspace, USER, n=100))}
    assert set(said) == set(rows["item"])
    for item, words in said.items():
        assert words == ("My favourite drama of all." if item == "i00" else None)


def test_the_item_itself_is_never_recalled(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    past = rec.item_ids.ids[rec.seen(USER)[0]]
    for found in (
        recall(small_workspace, USER, "similar", past, n=100),
        recall(small_workspace, USER, "recent", past, n=100),
    ):
        assert past not in {v["item"] for v in values(found)}
        assert len(found) == len(rec.seen(USER)) - 1


def test_nothing_of_the_moment_or_later_is_recalled(small_workspace: Workspace) -> None:
    whole = values(recall(small_workspace, USER, n=100))
    moment = whole[2]["time"]
    then = replace(small_workspace, moment=moment)
    assert values(recall(then, USER, n=100)) == [v for v in whole if v["time"] < moment]


def test_without_a_known_model_texts_tell_what_is_similar() -> None:
    items = small_dataset().items.assign(
        title=[f"the song of music {n}" if n % 2 else f"engine oil {n}" for n in range(40)]
    )
    data = make_dataset("d", small_dataset().interactions, items=items, like=4.0)
    ws = Workspace(black_box(data, lambda _: np.arange(40.0), name="box"))
    found = values(recall(ws, USER, "similar", "i39", n=2))
    assert all("music" in v["title"] for v in found)
    near = [v["cosine"] for v in found]
    assert near == sorted(near, reverse=True)


def test_a_user_who_liked_nothing_has_a_past_too(small_workspace: Workspace) -> None:
    assert [v["rating"] for v in values(recall(small_workspace, NOBODY))] == [1.0, 2.0]


def test_what_cannot_be_recalled_is_refused(small_workspace: Workspace) -> None:
    with pytest.raises(DataError, match="n is 0"):
        recall(small_workspace, USER, n=0)
    with pytest.raises(DataError, match="name the item to compare with"):
        recall(small_workspace, USER, "similar")
    with pytest.raises(UnknownIdError):
        recall(small_workspace, "nobody at all")
    rec = small_workspace.recommender
    timeless = replace(rec, interactions=rec.interactions.assign(time=np.nan))
    with pytest.raises(DataError, match="do not say when"):
        recall(Workspace(timeless), USER)
    assert recall(Workspace(timeless), USER, "similar", "i39")
