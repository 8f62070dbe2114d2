"""An edited recommender is the same model over another past, and says so."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import artefact, effects
from whythis.recsys.blackbox import black_box
from whythis.recsys.editing import Edit, edited, edited_all
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.interactions import make_dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Scorer

from .small import COLD, NOBODY, random_model, recommender, small_dataset

USER = "u00"


@pytest.fixture(scope="module")
def rec(small_artefact: Path) -> Recommender:
    return artefact.load(small_artefact)


def ids(rec: Scorer, places: np.ndarray) -> list[str]:
    return [rec.item_ids.ids[i] for i in places]


def events(rec: Scorer, user: str) -> dict[str, float]:
    rows = rec.interactions[rec.interactions["user"] == user]
    return dict(zip(rows["item"], rows["time"], strict=True))


def test_a_dropped_item_is_as_if_it_had_never_been(rec: Recommender) -> None:
    liked = ids(rec, rec.liked(USER))
    changed = edited(rec, USER, drop=liked[1:3])
    assert ids(changed, changed.liked(USER)) == [i for i in liked if i not in liked[1:3]]
    assert set(ids(changed, changed.seen(USER))) == set(ids(rec, rec.seen(USER))) - set(liked[1:3])
    assert changed.rank(USER, liked[1]) >= 1  # it can be recommended again
    # the score of another item is the one that the executed removal gives
    target = rec.recommend(USER, 1)[0].item
    (told,) = effects.remove(rec, USER, target, [liked[1:3]])
    place = changed.scores(changed.history(USER))[changed.item_ids.index(target)]
    assert place == pytest.approx(told.score_after, abs=1e-9)


def test_the_model_and_all_others_stay_as_they_are(rec: Recommender) -> None:
    item = ids(rec, rec.liked(USER))[0]
    changed = edited(rec, USER, drop=[item])
    assert changed.model is rec.model
    assert changed.hashes["model"] == rec.hashes["model"]
    for user in ("u01", "u31", NOBODY):
        np.testing.assert_array_equal(changed.liked(user), rec.liked(user))
        np.testing.assert_array_equal(changed.seen(user), rec.seen(user))
    index = rec.item_ids.index(item)
    assert changed.likes[index] == rec.likes[index] - 1
    assert changed.likes.sum() == rec.likes.sum() - 1
    assert changed.ratings.counts[index] == rec.ratings.counts[index] - 1
    assert ids(rec, rec.liked(USER))[0] == item  # and the recommender edited is not changed


def test_the_data_stay_in_the_order_of_a_dataset(rec: Recommender) -> None:
    added = [("i20", 5.0), (COLD, None)]
    changed = edited_all(
        rec,
        {"u31": Edit(drop=ids(rec, rec.liked("u31"))[:1]), "newcomer": Edit(add=added)},
    )
    rows = changed.interactions
    assert rows["user"].tolist() == rows.sort_values("user", kind="stable")["user"].tolist()
    made = make_dataset("d", rows, items=rec.items, like=rec.like).interactions
    assert rows.astype({"user": str, "item": str}).equals(made)


def test_the_hash_of_the_data_names_the_change(rec: Recommender) -> None:
    first, second = ids(rec, rec.liked(USER))[:2]
    changed = [
        edited(rec, USER),
        edited(rec, USER, drop=[first]),
        edited(rec, USER, drop=[second]),
        edited(rec, USER, drop=[first, second]),
        edited(rec, USER, withhold=[first]),
        edited(rec, USER, add=[(COLD, None)]),
        edited(rec, USER, add=[(COLD, 1.0)]),
        edited(rec, "u01", add=[(COLD, 1.0)]),
        edited(edited(rec, USER, add=[(COLD, 1.0)]), USER, add=[("i37", 2.0)]),
    ]
    hashes = {one.hashes["data"] for one in changed}
    assert len(hashes | {rec.hashes["data"]}) == len(changed) + 1
    assert all(len(value) == 64 for value in hashes)
    again = edited(rec, USER, drop=[second, first])
    assert again.hashes["data"] == changed[3].hashes["data"]


def test_a_user_with_nothing_left_still_stands_in_the_data(rec: Recommender) -> None:
    bare = edited(rec, USER, drop=list(events(rec, USER)))
    assert USER in bare.user_ids
    assert len(bare.history(USER)) == len(bare.seen(USER)) == len(bare.liked(USER)) == 0
    assert bare.unseen(USER) == len(bare.item_ids)
    bias = rec.model.bias.numpy()
    assert bare.recommend(USER, 1)[0].score == pytest.approx(float(bias.max()), abs=1e-8)
    # it can be edited further
    filled = edited(bare, USER, add=[("i03", 9.0)])
    assert ids(filled, filled.history(USER)) == ["i03"]


def test_a_user_can_be_added(rec: Recommender) -> None:
    new = edited(rec, "newcomer", add=[("i03", 20.0), ("i06", None), ("i09", 10.0)])
    assert ids(new, new.history("newcomer")) == ["i06", "i09", "i03"]  # unknown times come first
    np.testing.assert_array_equal(
        new.scores(new.history("newcomer")), rec.scores(rec.item_ids.indices(["i06", "i09", "i03"]))
    )
    assert "newcomer" not in rec.user_ids
    cold = edited(rec, "cold")
    assert len(cold.history("cold")) == 0
    assert cold.unseen("cold") == len(cold.recommend("cold", 100)) == 40


def test_a_withheld_item_is_neither_liked_nor_recommended(rec: Recommender) -> None:
    liked, unseen = ids(rec, rec.liked(USER))[0], rec.recommend(USER, 1)[0].item
    changed = edited(rec, USER, withhold=[liked, unseen])
    assert liked not in ids(changed, changed.liked(USER))
    assert {liked, unseen} <= set(ids(changed, changed.seen(USER)))
    assert not {liked, unseen} & {r.item for r in changed.recommend(USER, 40)}
    assert changed.unseen(USER) == rec.unseen(USER) - 1
    with pytest.raises(DataError, match=f"'{unseen}' .* was rejected by user 'u00'"):
        changed.rank(USER, unseen)
    # liked after all
    back = edited(changed, USER, add=[(unseen, None)])
    assert unseen in ids(back, back.liked(USER))


def test_a_black_box_is_edited_too() -> None:
    data = small_dataset()
    box = black_box(data, lambda history: np.arange(40.0) + len(history), name="count")
    liked = ids(box, box.liked(USER))
    changed = edited(box, USER, drop=liked[:1])
    assert changed.scores(changed.history(USER))[0] == len(liked) - 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_dropped_and_added_back_in_its_place_nothing_has_changed(data: st.DataObject) -> None:
    rec = recommender(small_dataset(), random_model(40, 4, 3, 0))
    user = data.draw(st.sampled_from(["u00", "u01", "u17", "u31"]))
    times = events(rec, user)
    gone = data.draw(st.lists(st.sampled_from(ids(rec, rec.liked(user))), unique=True))
    without = edited(rec, user, drop=gone)
    order = data.draw(st.permutations(gone))
    back = edited(without, user, add=[(item, times[item]) for item in order])
    np.testing.assert_array_equal(back.liked(user), rec.liked(user))
    np.testing.assert_array_equal(np.sort(back.seen(user)), np.sort(rec.seen(user)))
    np.testing.assert_array_equal(back.scores(back.history(user)), rec.scores(rec.history(user)))
    assert [(r.item, r.score) for r in back.recommend(user, 40)] == [
        (r.item, r.score) for r in rec.recommend(user, 40)
    ]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (Edit(drop=["i99"]), UnknownIdError, "unknown item 'i99'"),
        (Edit(drop=[COLD]), DataError, "is not among the .* interactions of user 'u00'"),
        (Edit(add=[("i99", None)]), UnknownIdError, "unknown item 'i99'"),
        (Edit(add=[(COLD, None), (COLD, 1.0)]), DataError, "'i38' is named twice"),
        (Edit(add=[(COLD, math.inf)]), DataError, "added at time inf"),
        (Edit(add=[(COLD, 1.0)], withhold=[COLD]), DataError, "both added to and withheld"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    rec: Recommender, change: Edit, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        edited_all(rec, {USER: change})


def test_an_event_that_is_there_cannot_be_added(rec: Recommender) -> None:
    item, other = ids(rec, rec.liked(USER))[:2]
    with pytest.raises(DataError, match="is already there for user 'u00'"):
        edited(rec, USER, add=[(item, 1.0)])
    moved = edited(rec, USER, drop=[item], add=[(item, 2e9)])
    assert ids(moved, moved.liked(USER))[-1] == item
    assert ids(moved, moved.liked(USER))[0] == other


def test_an_id_that_cannot_be_one_is_refused(rec: Recommender) -> None:
    with pytest.raises(DataError, match="holds a control character"):
        edited(rec, "a\nb")


def test_no_edit_is_the_same_recommender(rec: Recommender) -> None:
    assert edited_all(rec, {}) is rec
