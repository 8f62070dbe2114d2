"""The nearest users are those whose likes are most alike; the explained item counts for nobody."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from tests.recsys.small import NOBODY, ONCE
from whythis.recsys.editing import edited
from whythis.recsys.errors import DataError
from whythis.tools.circle import circle, nearest
from whythis.tools.workspace import Workspace


def likes(ws: Workspace) -> dict[str, set[str]]:
    rec = ws.recommender
    return {u: {rec.item_ids.ids[i] for i in rec.liked(u)} for u in rec.user_ids.ids}


def test_the_likes_matrix_says_who_liked_what(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    dense = rec.likes_matrix.toarray()
    assert dense.shape == (len(rec.user_ids), len(rec.item_ids))
    assert set(np.unique(dense)) == {0, 1}
    assert (dense.sum(0) == rec.likes).all()
    for row, user in enumerate(rec.user_ids.ids):
        assert set(np.flatnonzero(dense[row])) == set(rec.liked(user).tolist())


@pytest.mark.parametrize("user", ["u00", "u05", "u22", ONCE])
def test_the_nearest_are_those_of_the_largest_cosine(small_workspace: Workspace, user: str) -> None:
    ws, known = small_workspace, likes(small_workspace)
    for item in [r.item for r in ws.recommender.recommend(user, 3)]:
        mine = known[user]
        cosines = {}
        for other, theirs in known.items():
            rest = theirs - {item}
            if other != user and mine & rest:
                cosines[other] = round(len(mine & rest) / sqrt(len(mine) * len(rest)), 9)
        wanted = sorted(cosines, key=lambda u: (-cosines[u], u))
        for size in (1, 7, 50):
            found = [
                ws.recommender.user_ids.ids[i] for i in nearest(ws.recommender, user, item, size)
            ]
            assert found == wanted[:size]
            told = circle(ws, user, item, size)
            assert told is not None
            fans = {u for u, theirs in known.items() if item in theirs}
            assert (told.size, told.liked) == (len(found), len(fans & set(found)))
            assert (told.everyone, told.users) == (
                len(fans - set(found) - {user}),
                len(known) - 1 - len(found),
            )


def test_liking_the_item_brings_nobody_nearer(small_workspace: Workspace) -> None:
    ws, user = small_workspace, "u00"
    item = ws.recommender.recommend(user, 1)[0].item
    other = ws.recommender.user_ids.ids[nearest(ws.recommender, user, item)[0]]
    has = item in {ws.recommender.item_ids.ids[i] for i in ws.recommender.liked(other)}
    change = {"drop": [item]} if has else {"add": [(item, None)]}
    changed = edited(ws.recommender, other, **change)
    assert (nearest(changed, user, item) == nearest(ws.recommender, user, item)).all()


def test_nobody_is_near_a_user_without_likes(small_workspace: Workspace) -> None:
    assert circle(small_workspace, NOBODY, "i00") is None
    seen = small_workspace.recommender.item_ids.ids[small_workspace.recommender.seen("u00")[0]]
    with pytest.raises(DataError, match="already seen"):
        circle(small_workspace, "u00", seen)
