from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recsys.small import NOBODY, small_dataset
from whythis.recsys import effects
from whythis.recsys.blackbox import black_box
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.recommender import Recommender
from whythis.tools.workspace import Workspace
from whythis.web.picture import picture, tastes, together

USERS = tuple(f"u{n:02}" for n in range(60))


@pytest.fixture(scope="module")
def rec(small_workspace: Workspace) -> Recommender:
    return small_workspace.owned()


def past(rec: Recommender, user: str) -> list[str]:
    return [rec.item_ids.ids[i] for i in rec.history(user)]


def test_with_everything_on_the_list_is_the_recommendation(rec: Recommender) -> None:
    found = picture(rec, "u02", n=7)
    wanted = rec.recommend("u02", 7)
    assert [(r.item, r.rank, r.rank_before) for r in found.rows] == [
        (r.item, r.rank, r.rank) for r in wanted
    ]
    assert [r.score for r in found.rows] == pytest.approx([r.score for r in wanted], abs=1e-9)
    assert found.left == ()


def test_effects_and_shares_are_those_of_the_decomposition(rec: Recommender) -> None:
    for row in picture(rec, "u04", n=5).rows:
        parts = effects.decompose(rec, "u04", row.item).personas
        assert [pull.effect for pull in row.pulls] == pytest.approx([p.effect for p in parts])
        assert [pull.share for pull in row.pulls] == pytest.approx([p.share for p in parts])
        # a share is not an effect: they cannot all speak for it
        assert sum((1 - p.share) * p.effect for p in row.pulls) == pytest.approx(0, abs=1e-6)


@given(st.sampled_from(USERS), st.integers(0, 2))
@settings(max_examples=15, deadline=None)
def test_a_persona_off_ranks_as_its_deletion_does(
    rec: Recommender, user: str, persona: int
) -> None:
    found = picture(rec, user, personas_off=[persona], n=10)
    for row in (*found.rows, *found.left):
        run = effects.without_persona(rec, user, row.item, persona)
        assert (row.rank_before, row.rank) == (run.rank_before, run.rank_after)
        assert (row.score_before, row.score) == pytest.approx((run.score_before, run.score_after))
        assert persona not in [pull.persona for pull in row.pulls]


@given(st.sampled_from(USERS), st.data())
@settings(max_examples=15, deadline=None)
def test_past_items_off_rank_as_their_removal_does(
    rec: Recommender, user: str, data: st.DataObject
) -> None:
    gone = data.draw(st.lists(st.sampled_from(past(rec, user)), unique=True, min_size=1))
    found = picture(rec, user, items_off=gone, n=10)
    for row in (*found.rows, *found.left):
        (run,) = effects.remove(rec, user, row.item, [gone])
        assert (row.rank_before, row.rank) == (run.rank_before, run.rank_after)
        assert row.score == pytest.approx(run.score_after)
    assert not set(gone) & {row.item for row in found.rows}


def test_what_left_the_list_was_in_it(rec: Recommender) -> None:
    before = {row.item for row in picture(rec, "u02", n=10).rows}
    found = picture(rec, "u02", items_off=past(rec, "u02"), n=10)
    now = {row.item for row in found.rows}
    assert {row.item for row in found.left} == before - now
    assert all(row.rank is not None and row.rank > 10 for row in found.left)


def test_each_taste_is_told_with_how_many_leave_without_it(rec: Recommender) -> None:
    for one in tastes(rec, "u02", 5):
        off = picture(rec, "u02", personas_off=[one.card.persona], n=5)
        assert one.leave == len(off.left)


def test_a_black_box_has_past_items_to_switch_and_no_personas() -> None:
    data = small_dataset()

    def scores(history: list[str]) -> list[float]:
        return [sum(float(last in past) for past in history) for last in data.items["item"].str[2]]

    box = black_box(data, scores, name="last-letter")
    found = picture(box, "u02", n=5)
    assert all(row.pulls == () and row.score is not None for row in found.rows)
    assert tastes(box, "u02") == ()
    assert not together(box)
    item = box.item_ids.ids[int(box.history("u02")[0])]
    assert picture(box, "u02", items_off=[item], n=5).rows
    with pytest.raises(DataError, match="shows no personas"):
        picture(box, "u02", personas_off=[0])


@pytest.mark.parametrize(
    ("off", "message"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": 51}, "n is 51"),
        ({"personas_off": [3]}, "persona 3 does not exist"),
        ({"items_off": ["i38"]}, "not among the"),
    ],
)
def test_what_cannot_be_is_said(rec: Recommender, off: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        picture(rec, "u02", **off)  # type: ignore[arg-type]


def test_unknown_ids_are_refused(rec: Recommender) -> None:
    with pytest.raises(UnknownIdError):
        picture(rec, "nobody-at-all")
    with pytest.raises(UnknownIdError):
        picture(rec, "u02", items_off=["no-such-item"])


def test_who_liked_nothing_still_has_a_list(rec: Recommender) -> None:
    found = picture(rec, NOBODY, n=5)
    assert [row.rank for row in found.rows] == [1, 2, 3, 4, 5]
    assert tastes(rec, NOBODY) == ()


def test_models_that_find_personas_anew_switch_one_kind_at_a_time(tmp_path: Path) -> None:
    from whythis.recsys.config import FitConfig
    from whythis.recsys.sources import empty_model

    data = small_dataset()
    config = FitConfig(dim=8, personas=3, source="medoid")
    model = empty_model(len(data.items), config).double().eval()
    rec = Recommender(
        config=config,
        model=model,
        items=data.items,
        interactions=data.interactions,
        like=data.like,
        hashes={"model": "0" * 64, "data": data.hash},
    )
    assert not together(rec)
    first = rec.item_ids.ids[int(rec.history("u02")[0])]
    with pytest.raises(DataError, match="either personas or past items"):
        picture(rec, "u02", personas_off=[0], items_off=[first])
    assert np.isfinite([row.score for row in picture(rec, "u02", items_off=[first]).rows]).all()
