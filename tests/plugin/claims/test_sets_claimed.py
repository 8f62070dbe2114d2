"""A set is claimed as small as it is: every smaller one is tried again, within bounds."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from tests.plugin.claims.test_access import listed
from tests.plugin.claims.test_verify import altered
from tests.recsys.small import ONCE
from whythis.claims import verify_history
from whythis.claims.kinds import CLAIM, Claim
from whythis.claims.offer import offer
from whythis.claims.slots import slots, titled
from whythis.claims.verify import verify
from whythis.recsys import effects
from whythis.tools import likes, probes
from whythis.tools.workspace import Workspace

PAIR = ("u00", "i16")  # leaves the top ten without two past likes, not without one
TRIPLE = ("u00", "i19")  # without three


def necessary(ws: Workspace, pair: tuple[str, str]) -> Claim:
    return next(c for c in offer(probes.history(ws, *pair), *pair) if c.kind == "necessary_set")


def sufficient(ws: Workspace, pair: tuple[str, str], *items: str, **value: Any) -> Claim:
    user, item = pair
    record = {
        "kind": "sufficient_set",
        "id": "e1",
        "subject": {"user": user, "item": item, "items": items},
        "value": {"minimal": "found", "top": 10, "rank_alone": alone(ws, pair, *items), **value},
        "evidence": ("e-1",),
    }
    return CLAIM.validate_python(record)


def alone(ws: Workspace, pair: tuple[str, str], *items: str) -> int:
    rec, (user, item) = ws.recommender, pair
    kept = [i for i in rec.history(user) if rec.item_ids.ids[i] in items]
    scores = rec.scores(rec.item_ids.indices([rec.item_ids.ids[i] for i in kept]))
    return rec.place_in(scores, rec.candidate(user, item), rec.seen(user)).rank


def reason(claim: Claim, ws: Workspace, outcome: str = "refuted") -> str:
    verdict = verify(claim, ws)
    assert verdict.outcome == outcome, verdict
    return verdict.reason


@pytest.mark.parametrize(("pair", "size"), [(PAIR, 2), (TRIPLE, 3)])
def test_a_necessary_set_holds_by_every_smaller_one(
    small_workspace: Workspace, pair: tuple[str, str], size: int
) -> None:
    ws, claim = small_workspace, necessary(small_workspace, pair)
    assert claim.kind == "necessary_set"
    assert len(claim.subject.items) == size
    assert claim.value.minimal == "proven"
    past = [ws.recommender.item_ids.ids[i] for i in ws.recommender.history(pair[0])]
    smaller = [s for n in range(1, size) for s in combinations(past, n)]
    after = [r.rank_after for r in effects.remove(ws.recommender, *pair, smaller)]
    assert max(after) <= claim.value.top < claim.value.rank_after
    assert verify(claim, ws).outcome == "verified"
    assert verify(altered(claim, value__minimal="found"), ws).outcome == "verified"


def test_a_larger_or_another_set_is_refuted(small_workspace: Workspace) -> None:
    ws, claim = small_workspace, necessary(small_workspace, PAIR)
    rec, items = ws.recommender, claim.subject.items
    past = [rec.item_ids.ids[i] for i in rec.history(PAIR[0])]
    for more in (i for i in past if i not in items):
        padded = (*items, more)
        rank = effects.remove(rec, *PAIR, [padded])[0].rank_after
        for minimal in ("found", "proven"):
            one = altered(
                claim, subject__items=padded, value__rank_after=rank, value__minimal=minimal
            )
            why = reason(one, ws)
            assert "it leaves the top 10 without" in why or "which does not leave" in why
    single = altered(
        claim,
        subject__items=items[:1],
        value__rank_after=effects.remove(rec, *PAIR, [items[:1]])[0].rank_after,
    )
    assert "does not leave the top 10" in reason(single, ws)
    for top in (claim.value.rank_before - 1, claim.value.rank_after, 0, -5):
        assert reason(altered(claim, value__top=top), ws)


def test_a_proof_beyond_what_can_be_tried_is_uncheckable(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = necessary(small_workspace, TRIPLE)
    monkeypatch.setattr(verify_history, "BUDGET", 5)
    told = reason(claim, small_workspace, "uncheckable")
    assert "smaller sets to be tried, more than the 5 that are allowed" in told
    assert verify(altered(claim, value__minimal="found"), small_workspace).outcome == "verified"


def test_a_sufficient_set_is_enough_and_nothing_less_is(small_workspace: Workspace) -> None:
    ws = small_workspace
    claim = next(c for c in offer(likes.enough(ws, *PAIR), *PAIR))
    assert claim.kind == "sufficient_set"
    assert claim.value.rank_alone == alone(ws, PAIR, *claim.subject.items)
    assert verify(claim, ws).outcome == "verified"
    rec, items = ws.recommender, claim.subject.items
    past = [rec.item_ids.ids[i] for i in rec.history(PAIR[0])]
    for more in (i for i in past if i not in items):
        for minimal in ("found", "proven"):
            padded = sufficient(ws, PAIR, *items, more, minimal=minimal)
            assert verify(padded, ws).outcome == "refuted"
    poor = [i for i in past if alone(ws, PAIR, i) > 10]
    for one in poor:
        assert reason(sufficient(ws, PAIR, one), ws) == "it is not kept in the top 10"


def test_what_is_in_the_top_for_anyone_has_no_sufficient_set(small_workspace: Workspace) -> None:
    pair = (ONCE, "i00")
    assert likes.enough(small_workspace, *pair) == ()
    claim = sufficient(small_workspace, pair, "i03", top=40)
    assert "in the top for anyone" in reason(claim, small_workspace)


def test_sets_are_claimed_of_a_list_as_far_as_it_shows(small_workspace: Workspace) -> None:
    for depth in (12, 16, 25):
        box = listed(small_workspace, depth)
        claims = [c for c in offer(probes.history(box, *PAIR), *PAIR) if c.kind == "necessary_set"]
        for claim in claims:
            assert verify(claim, box).outcome in ("verified", "uncheckable")
            phrase = slots(claim, titled(claim, box.recommender))["gone"]
            assert "out of your top 10" in phrase
    assert claims


def test_only_a_proof_is_said_as_one(small_workspace: Workspace) -> None:
    rec, claim = small_workspace.recommender, necessary(small_workspace, PAIR)
    proven = slots(claim, titled(claim, rec))["gone"]
    found = slots(altered(claim, value__minimal="found"), titled(claim, rec))["gone"]
    assert proven.endswith(", and no fewer of your past likes would do that")
    assert found.endswith(", and with any one of them back it would not")
    kept = sufficient(small_workspace, PAIR, *claim.subject.items, minimal="proven", rank_alone=2)
    assert slots(kept, titled(kept, rec))["enough"].endswith("likes would be enough")
