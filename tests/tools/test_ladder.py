"""The rung is the first whose rule holds, whoever asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugin.claims.test_access import listed, scored
from tests.plugin.claims.test_verify import altered
from tests.recsys.small import NOBODY, ONCE
from whythis.bench.independent import Again
from whythis.claims.kinds import CLAIM, PersonalEffect
from whythis.claims.offer import offer
from whythis.claims.verify import verify
from whythis.explain import explain
from whythis.recsys import effects
from whythis.recsys.editing import edited
from whythis.recsys.errors import ModelError
from whythis.recsys.refits import FEWEST, refit
from whythis.tools.circle import circle
from whythis.tools.ladder import NOTICEABLE, basis, personal_effect, rests_on
from whythis.tools.workspace import Workspace, open_workspace

USERS = ("u00", "u05", "u13", "u22", "u31", ONCE, NOBODY)


@pytest.fixture(scope="module")
def again(small_indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Give a workspace whose artefact has models fitted again."""
    folder = tmp_path_factory.mktemp("refitted") / "artefact"
    shutil.copytree(small_indexed, folder)
    refit(folder, FEWEST)
    ws = open_workspace(folder)
    yield ws
    ws.store().close()


def cut(ws: Workspace, user: str, likes: int) -> Workspace:
    rec = ws.recommender
    liked = [rec.item_ids.ids[i] for i in rec.liked(user)][:likes]
    seen = [rec.item_ids.ids[i] for i in rec.seen(user)]
    return replace(ws, recommender=edited(rec, user, drop=[i for i in seen if i not in liked]))


def asked(ws: Workspace) -> Iterator[tuple[str, str]]:
    for user in USERS:
        for line in ws.recommender.recommend(user, 40)[::5]:
            yield user, line.item


def test_a_rung_stands_where_its_rule_holds_and_none_above(small_workspace: Workspace) -> None:
    ws, rec, found = small_workspace, small_workspace.recommender, set()
    for user, item in asked(ws):
        stands = basis(ws, user, item)
        found.add(stands.rung)
        assert (stands.seen, stands.likes) == (len(rec.seen(user)), len(rec.liked(user)))
        place, bare = rec.place(user, item), effects.without_history(rec, user, item)
        lifted = bare.rank > place.rank and place.score - bare.score >= NOTICEABLE
        lifted |= bare.rank > place.rank and bare.score - place.score >= NOTICEABLE
        assert (stands.rung == "history") == (bool(stands.likes) and lifted)
        near = circle(ws, user, item)
        if stands.rung == "circle":
            assert near is not None
            assert near.liked / near.size > near.everyone / max(1, near.users)
        if stands.rung in ("item_reviews", "popularity"):
            assert near is None or not near.more
    assert {"history", "circle"} <= found


def test_without_likes_it_rests_on_reviews_and_without_these_on_popularity(
    small_workspace: Workspace,
) -> None:
    assert basis(small_workspace, NOBODY, "i00").rung == "item_reviews"
    assert basis(small_workspace, NOBODY, "i38").rung == "item_reviews"
    assert basis(small_workspace, NOBODY, "i09").rung == "popularity"
    bare = Workspace(small_workspace.recommender)
    assert basis(bare, NOBODY, "i00").rung == "popularity"


def test_a_black_box_stands_on_the_same_rung(small_workspace: Workspace) -> None:
    for user, item in asked(small_workspace):
        assert basis(scored(small_workspace), user, item) == basis(small_workspace, user, item)
    box, user = listed(small_workspace, 5), "u00"
    beyond = small_workspace.recommender.recommend(user, 15)[-1].item
    with pytest.raises(ModelError, match="not among the best 5"):
        basis(box, user, beyond)
    assert {e.kind for e in rests_on(box, user, beyond)} <= {"circle"}


@pytest.mark.parametrize("likes", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("style", ["short", "plain", "detailed"])
def test_a_thin_answer_names_its_rung_and_claims_no_cause_it_lacks(
    small_workspace: Workspace, likes: int, style: str
) -> None:
    for user in ("u00", "u05", "u13"):
        ws = cut(small_workspace, user, likes)
        for line in ws.recommender.recommend(user, 30)[::6]:
            answer = explain(ws, user, line.item, style=style)  # type: ignore[arg-type]
            kinds = {claim.kind for claim in answer.claims}
            assert {v.outcome for v in answer.verdicts.values()} == {"verified"}
            stands = basis(ws, user, line.item)
            rung, known = stands.rung, stands.seen + stands.reviews
            assert ("basis" in kinds) == (rung != "history")
            if rung != "history":
                assert answer.claims[0].kind == "basis" or answer.sentences[0].claims[0] == "j1"
                assert not kinds & {"persona_effect", "history_effect", "necessary_set"}
                assert ("ou are new here" in answer.answer) == (known == 0)


def test_refits_take_the_past_away_where_its_effect_may_be_none(again: Workspace) -> None:
    told = []
    folder = again.refits.folder.parent if again.refits else Path()
    other = Again(folder, None)
    for user, item in asked(again):
        effect = personal_effect(again, user, item)
        assert (effect is None) == (user == NOBODY)
        stands = basis(again, user, item)
        if effect is not None and effect.low <= 0:
            assert stands.rung != "history"
        for claim in offer(rests_on(again, user, item), user, item):
            assert verify(claim, again).outcome == "verified", claim
            assert other.differences(claim.model_dump(mode="json")) == []
            if isinstance(claim, PersonalEffect):
                told.append(claim)
    doubtful = [c for c in told if c.value.low <= 0 <= c.value.high]
    assert doubtful
    assert len(doubtful) < len(told)
    one = doubtful[0].subject
    answer = explain(again, one.user, one.item)
    kinds = {claim.kind for claim in answer.claims}
    assert {"basis", "personal_effect"} <= kinds
    assert not {"persona_effect", "history_effect"} & kinds
    assert "about you" in answer.answer
    assert "which cannot be told from no effect" in answer.answer


def test_an_interval_is_refuted_where_anything_of_it_is_another(again: Workspace) -> None:
    user, item = "u00", again.recommender.recommend("u00", 1)[0].item
    found = offer(rests_on(again, user, item), user, item)
    claim = next(c for c in found if c.kind == "personal_effect")
    for name, value in claim.value.model_dump().items():
        changed = altered(
            claim, **{f"value__{name}": value + (1 if name in ("refits", "raised") else 0.01)}
        )
        assert verify(changed, again).outcome == "refuted"
    verdict = verify(claim, replace(again, refits=None))
    assert verdict.outcome == "uncheckable"
    assert verdict.reason == "there are no models fitted again: run `whythis refit DIR`"
    assert (
        verify(altered(claim, subject__user=NOBODY, subject__item="i00"), again).outcome
        == "refuted"
    )


@pytest.mark.parametrize("rung", ["history", "own_reviews", "circle", "item_reviews", "popularity"])
def test_another_rung_is_refuted(small_workspace: Workspace, rung: str) -> None:
    for user, item in asked(small_workspace):
        stands = basis(small_workspace, user, item)
        record = {
            "kind": "basis",
            "id": "j1",
            "subject": {"user": user, "item": item},
            "value": vars(stands) | {"rung": rung},
            "evidence": ("e",),
        }
        outcome = verify(CLAIM.validate_python(record), small_workspace).outcome
        assert outcome == ("verified" if rung == stands.rung else "refuted")
