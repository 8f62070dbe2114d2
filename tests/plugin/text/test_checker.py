"""A draft is released only when its claims hold and its words keep to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugin.fakes import best, ledger_of
from whythis.claims.kinds import PersonaEffect
from whythis.claims.offer import offer
from whythis.explain import gather
from whythis.text.checker import Draft, Ledger, check, examine
from whythis.text.language import load_language
from whythis.tools.workspace import Workspace

ENGLISH = load_language()
TRUE = "{item} is here because of your {p1.persona}."


@pytest.fixture(scope="module")
def ledger(small_workspace: Workspace) -> Ledger:
    return ledger_of(small_workspace, "u00", best(small_workspace, "u00"))


def reason(ledger: Ledger, *drafts: Draft) -> str | None:
    return check(drafts, ledger, ENGLISH)[-1].reason


def test_a_true_sentence_is_filled(ledger: Ledger) -> None:
    checked = check([Draft(TRUE, ("p1",))], ledger, ENGLISH)[0]
    assert checked.reason is None
    claim = ledger.verified["p1"].claim
    assert isinstance(claim, PersonaEffect)
    wanted = f"{ledger.title} is here because of your taste for {claim.value.name}."
    assert checked.text == wanted


def test_citations_are_known_told_once_and_hold(ledger: Ledger) -> None:
    assert "there is no claim" in str(reason(ledger, Draft(TRUE, ("p1", "z9"))))
    assert "there is no claim" in str(reason(ledger, Draft(TRUE, ("x" * 100_000,))))
    assert reason(ledger, Draft(TRUE, ())) == "it cites no claim"
    assert reason(ledger, Draft(TRUE, ("p1", "p1"))) == "it cites a claim twice"
    told = reason(ledger, Draft(TRUE, ("p1",)), Draft(TRUE, ("p1",)))
    assert told == "claim p1 was told already"


def test_a_refused_draft_does_not_use_up_its_claim(ledger: Ledger) -> None:
    bad = Draft("It is wonderful because of your {p1.persona}.", ("p1",))
    assert reason(ledger, bad, Draft(TRUE, ("p1",))) is None


def test_what_does_not_hold_cannot_be_cited(small_workspace: Workspace) -> None:
    ws = small_workspace
    item = best(ws, "u00")
    claims = offer(gather(ws, "u00", item), "u00", item)
    first = claims[0]
    assert isinstance(first, PersonaEffect)
    value = first.value.model_copy(update={"rank_after": first.value.rank_after + 1})
    ledger = examine([first.model_copy(update={"value": value}), *claims[1:]], item, ws)
    assert ledger.verdicts["p1"].outcome == "refuted"
    assert set(ledger.refused) == {"p1"}
    assert "p1 does not hold" in str(reason(ledger, Draft(TRUE, ("p1",))))


def test_titles_names_and_users_are_never_written_out(ledger: Ledger) -> None:
    p1 = ledger.verified["p1"].claim
    assert isinstance(p1, PersonaEffect)
    for words in (ledger.title, p1.value.name, "u00", "Film"):
        draft = Draft(f"{words} is here because of your {{p1.persona}}.", ("p1",))
        assert reason(ledger, draft) is not None


@pytest.mark.parametrize(
    "title", ["1900", "Seven", "{p1.persona}", "“Not” because", "\\g<0>", "a. b"]
)
def test_a_title_is_shown_as_it_is(ledger: Ledger, title: str) -> None:
    hostile = replace(ledger, title=title)
    text = check([Draft(TRUE, ("p1",))], hostile, ENGLISH)[0].text
    assert text is not None
    assert title.casefold() in text.casefold()
    named = TRUE.replace("{item}", title) if title != "{p1.persona}" else "{p1.persona} is here."
    assert reason(hostile, Draft(named, ("p1",))) is not None


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_nothing_raises_and_only_verified_claims_are_released(
    ledger: Ledger, data: st.DataObject
) -> None:
    slots = [f"{{{i}.{name}}}" for i, c in ledger.verified.items() for name in c.slots]
    pieces = st.one_of(
        st.sampled_from([*slots, "{item}", "your", "because of", "is", ",", ".", "it", "here"]),
        st.text(max_size=6),
    )
    text = data.draw(st.one_of(st.text(), st.lists(pieces, max_size=9).map(" ".join)))
    ids = data.draw(st.lists(st.sampled_from([*ledger.verified, "z1", ""]), max_size=3))
    one = check([Draft(text, tuple(ids))], ledger, ENGLISH)[0]
    assert (one.text is None) != (one.reason is None)
    if one.text is not None:
        assert all(ledger.verdicts[i].outcome == "verified" for i in ids)
        assert one.text.endswith((".", "!"))
