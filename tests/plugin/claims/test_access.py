"""What a recommender does not show is never said of it; all else is said as of any other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pytest

from tests.plugin.claims.test_verify import altered
from tests.plugin.fakes import best
from tests.recsys.small import NOBODY, small_dataset
from whythis.claims.kinds import NEEDS, Claim
from whythis.claims.offer import offer
from whythis.claims.slots import slots
from whythis.claims.verify import verify
from whythis.explain import explain, gather
from whythis.recsys.blackbox import black_box, ranked_list
from whythis.recsys.effects import remove
from whythis.recsys.errors import MissingPartError
from whythis.recsys.sets import necessary_set
from whythis.surfaces.view import view
from whythis.text.realiser import Style
from whythis.tools import probes, similarity
from whythis.tools.workspace import Workspace
from whythis.writers.briefing import brief

DATA = small_dataset()
IDS = DATA.items["item"].tolist()
USERS = ["u00", "u04", "u22"]


def scored(ws: Workspace) -> Workspace:
    """Return the same recommender and reviews, the model out of sight."""
    rec = ws.recommender
    return Workspace(
        black_box(
            DATA,
            lambda history: rec.scores(rec.item_ids.indices(history)),
            name="scored",
            window=rec.window,
        ),
        ws.reviews,
        opinions=ws.opinions,
    )


def listed(ws: Workspace, depth: int) -> Workspace:
    """Return the same with nothing but its best items in sight, past ones left out."""
    rec = ws.recommender

    def ranked(history: Sequence[str]) -> list[str]:
        order = np.argsort(-rec.scores(rec.item_ids.indices(history)), kind="stable")
        return [IDS[i] for i in order if IDS[i] not in history][:depth]

    box = ranked_list(DATA, ranked, depth, name="listed", window=rec.window)
    return Workspace(box, ws.reviews, opinions=ws.opinions)


def claims_of(ws: Workspace, user: str, item: str) -> dict[str, Claim]:
    return {c.kind: c for c in offer(gather(ws, user, item), user, item)}


def test_each_kind_of_claim_says_what_it_needs() -> None:
    kinds = {record.model_fields["kind"].default for record in get_args(get_args(Claim)[0])}
    assert set(NEEDS) == kinds


def test_scores_alone_give_the_same_claims_but_for_personas(small_workspace: Workspace) -> None:
    ws, box = small_workspace, scored(small_workspace)
    for user in [*USERS, NOBODY]:
        item = next(i for i in ("i00", "i02", "i38", best(ws, user)) if unseen(ws, user, i))
        mine, theirs = claims_of(ws, user, item), claims_of(box, user, item)
        for kind in set(mine) | set(theirs):
            if NEEDS[kind] == "owned":
                assert kind not in theirs
                verdict = verify(mine[kind], box)
                assert verdict.outcome == "uncheckable"
                assert verdict.reason == (
                    "needs the model itself: this recommender shows its scores only"
                )
            elif kind == "cannot_know":
                assert kind not in mine
                assert verify(theirs[kind], ws).outcome == "refuted"
            elif kind in ("review_quote", "aspect_count"):  # the persona helps to choose them
                assert verify(mine.get(kind, theirs.get(kind)), box).outcome == "verified"
            else:
                assert theirs[kind].value == mine[kind].value
                assert verify(theirs[kind], box).outcome == "verified"


def unseen(ws: Workspace, user: str, item: str) -> bool:
    return ws.recommender.item_ids.index(item) not in ws.recommender.seen(user)


@pytest.mark.parametrize("style", ["short", "plain", "detailed"])
@pytest.mark.parametrize("depth", [None, 4, 12, 25])
def test_an_explanation_is_complete_whatever_is_shown(
    small_workspace: Workspace, depth: int | None, style: Style
) -> None:
    ws = scored(small_workspace) if depth is None else listed(small_workspace, depth)
    told = set()
    for user in [*USERS, NOBODY]:
        answer = explain(ws, user, best(ws, user), style=style)
        assert answer.model_hash == f"black-box:{ws.recommender.hashes['model'][10:]}"
        assert answer.answer
        assert {v.outcome for v in answer.verdicts.values()} == {"verified"}
        assert "taste for" not in answer.answer
        assert answer.personas == ()
        plain = json.dumps(answer.as_json(), allow_nan=False)
        assert view(answer).lines
        told |= {c.kind for c in answer.claims}
        if depth is not None:
            assert not re.search(r'"score(_before|_after)?": -?\d', plain)
            assert all(n <= depth for n in ranks(plain))
    assert {"history_effect"} <= told
    assert not {"persona_effect", "persona_share", "persona_items"} & told


def ranks(plain: str) -> list[int]:
    return [int(n) for n in re.findall(r'"rank\w*": (\d+)', plain)]


@pytest.mark.parametrize("depth", [4, 10, 15])
def test_leaving_a_list_is_said_without_a_rank_and_is_true(
    small_workspace: Workspace, depth: int
) -> None:
    ws, box = small_workspace, listed(small_workspace, depth)
    left = []
    for user in USERS:
        item = best(box, user)
        gone = necessary_set(ws.recommender, user, item, top=depth, limit=3).removal.removed
        found = probes.what_if(box, user, item, list(gone))
        claim = next(c for c in offer(found, user, item) if c.kind == "history_effect")
        assert verify(claim, box).outcome == "verified"
        left.append(moved_out(ws, box, claim))
        assert brief(found) in ("it would fall", "it would hold its place")
        assert brief(found) == "it would fall" or not left[-1]
    assert any(left) or depth > 4


def moved_out(ws: Workspace, box: Workspace, claim: Claim) -> bool:
    """Return whether the claim leaves the rank open; hold it against the model behind the list."""
    user, item = claim.subject.user, claim.subject.item
    real = remove(ws.recommender, user, item, [claim.subject.items])[0]
    value: Any = claim.value
    assert (value.score_before, value.score_after) == (None, None)
    assert value.rank_before == real.rank_before == 1
    if value.rank_after is not None:
        assert value.rank_after == real.rank_after
        return False
    assert real.rank_after > value.top
    assert value.outside
    titles = dict.fromkeys(claim.subject.items, "Title")
    for phrase in slots(claim, titles).values():
        assert phrase.endswith(f"it would fall from 1st place out of your top {value.top}")
    # the model itself gives the rank: leaving it open is then no truth
    assert verify(claim, ws).outcome == "refuted"
    wrong: list[Callable[[], Claim]] = [
        lambda: altered(claim, value__outside=False),
        lambda: altered(claim, value__rank_before=2),
        lambda: altered(claim, value__rank_after=1),
        lambda: altered(claim, value__top=40),
        lambda: altered(claim, value__top=0),
    ]
    for make in wrong:
        assert verify(make(), box).outcome == "refuted", make()
    for more in (real.rank_after, 39):
        assert verify(altered(claim, value__rank_after=more), box).outcome == "uncheckable"
    scores = altered(
        claim, value__score_before=real.score_before, value__score_after=real.score_after
    )
    verdict = verify(scores, box)
    assert verdict.outcome == "uncheckable"
    assert verdict.reason.startswith("needs its scores: this recommender shows its best items only")
    return True


def test_an_item_beyond_the_list_has_no_rank_and_no_cause(small_workspace: Workspace) -> None:
    box = listed(small_workspace, 5)
    for user in USERS:
        item = small_workspace.recommender.recommend(user, 15)[-1].item
        assert {e.kind for e in gather(box, user, item)} <= {
            "facts",
            "review",
            "access",
            "circle",
            "aspect_count",
            "own_aspect",
        }
        answer = explain(box, user, item, style="detailed")
        known = {"rating", "popularity", "review_quote", "cannot_know", "circle"}
        known |= {"aspect_count", "own_aspect"}
        assert {c.kind for c in answer.claims} <= known
        theirs = claims_of(small_workspace, user, item)
        assert verify(theirs["rank"], box).outcome == "uncheckable"
        assert verify(altered(theirs["rank"], value__rank=1), box).outcome == "refuted"
        assert verify(theirs["history_effect"], box).outcome == "uncheckable"


def test_not_about_you_needs_a_place_in_the_list(small_workspace: Workspace) -> None:
    box = listed(small_workspace, 12)
    for user in USERS:
        for line in box.recommender.recommend(user, 10):
            mine, theirs = (
                claims_of(ws, user, line.item).get("not_about_you") for ws in (small_workspace, box)
            )
            if theirs is not None:
                assert mine is not None
                assert theirs.value == mine.value
                assert verify(theirs, box).outcome == "verified"
            elif mine is not None:
                assert verify(mine, box).outcome == "uncheckable"


def test_a_place_among_equals_is_nobodys_merit(small_workspace: Workspace) -> None:
    # all score alike without a history: the first would "still stand in 1st place"
    def counted(history: Sequence[str]) -> list[float]:
        return [float(len(history) and item < "i10") for item in IDS]

    ws = Workspace(black_box(DATA, counted, name="counted"))
    user, item = "u00", best(ws, "u00")
    value = next(e.value for e in gather(ws, user, item) if e.kind == "no_history")
    assert value["rank_without_history"] is None
    assert "not_about_you" not in claims_of(ws, user, item)
    told = claims_of(small_workspace, NOBODY, best(small_workspace, NOBODY))["not_about_you"]
    hollow = altered(
        told,
        subject__user=user,
        subject__item=item,
        value__rank=1,
        value__rank_without_history=1,
    )
    verdict = verify(hollow, ws)
    assert verdict.outcome == "refuted"
    assert "ties with" in verdict.reason


def test_probes_of_the_model_say_why_they_cannot_run(small_workspace: Workspace) -> None:
    item = best(small_workspace, "u00")
    for ws, shows in (
        (scored(small_workspace), "its scores only"),
        (listed(small_workspace, 7), "its best 7 items only"),
    ):
        for probe in (
            lambda ws=ws: probes.personas(ws, "u00", item),
            lambda ws=ws: probes.profile(ws, "u00"),
            lambda ws=ws: similarity.neighbours(ws, item),
        ):
            with pytest.raises(MissingPartError, match=f"{shows}: .* personas, cannot be known"):
                probe()
        assert probes.facts(ws, "u00", item)
        assert probes.recommendations(ws, "u00", 3)
        assert ws.store().of_item("i00")
        assert probes.reviews(ws, "u00", "i38")
