"""The catalogue and the ranking are told as they are, and what is not shown is named."""

from __future__ import annotations

import pytest

from tests.recsys.small import N_ITEMS, small_dataset, small_items
from whythis.recsys.blackbox import black_box
from whythis.recsys.errors import DataError, MissingPartError, UnknownIdError
from whythis.tools import catalogue, similarity
from whythis.tools.workspace import Workspace

USER = "u00"


def test_details_are_those_of_the_items(small_workspace: Workspace) -> None:
    for row in small_items().itertuples():
        found = {
            e.value["field"]: e.value["entries"]
            for e in catalogue.details(small_workspace, row.item)
        }
        assert found.get("genres") == row.genres
        assert found.get("year") == (None if row.year != row.year else [str(int(row.year))])
    with pytest.raises(UnknownIdError):
        catalogue.details(small_workspace, "i99")


def test_two_items_are_ranked_beside_each_other(small_workspace: Workspace) -> None:
    first, *_, last = small_workspace.recommender.recommend(USER, 9)
    (record,) = catalogue.compare(small_workspace, USER, last.item, first.title.upper())
    assert record.value == {
        "items": [last.item, first.item],
        "titles": [last.title, first.title],
        "ranks": [9, 1],
        "scores": [last.score, first.score],
    }
    for other, why in ((last.item, "with itself"), ("i99", "unknown item")):
        with pytest.raises((DataError, UnknownIdError), match=why):
            catalogue.compare(small_workspace, USER, last.item, other)


def test_access_is_what_the_recommender_shows(small_workspace: Workspace) -> None:
    (record,) = catalogue.access(small_workspace)
    assert record.value == {"shows": "owned", "depth": None, "reviews": True}
    (bare,) = catalogue.access(Workspace(small_workspace.recommender))
    assert bare.value["reviews"] is False


def test_similar_likes_are_the_nearest_neighbours_among_the_likes(
    small_workspace: Workspace,
) -> None:
    rec = small_workspace.recommender
    item = rec.recommend(USER, 1)[0].item
    found = similarity.similar(small_workspace, USER, item, 50)
    liked = {rec.item_ids.ids[i] for i in rec.liked(USER)}
    near = {
        e.value["item"]: e.value["cosine"] for e in similarity.neighbours(small_workspace, item, 50)
    }
    told = {e.value["items"][0]: e.value["cosine"] for e in found}  # type: ignore[index]
    assert told == {past: near[past] for past in liked}
    assert list(told.values()) == sorted(told.values(), reverse=True)
    with pytest.raises(DataError, match="n is 0"):
        similarity.similar(small_workspace, USER, item, 0)


def test_similarity_needs_the_model(small_workspace: Workspace) -> None:
    box = black_box(small_dataset(), lambda _: [0.0] * N_ITEMS, name="flat")
    with pytest.raises(MissingPartError, match="cannot be known"):
        similarity.similar(Workspace(box), USER, "i16")
