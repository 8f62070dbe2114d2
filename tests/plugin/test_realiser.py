"""The built-in realiser says only what passes, the strongest first, and not always the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

import pytest

from tests.recsys.small import NOBODY, ONCE
from whythis.checker import Ledger, check
from whythis.claims import PersonaEffect
from whythis.language import load_language
from whythis.realiser import Style, canonical, realise
from whythis.tools.workspace import Workspace

from .fakes import ledger_of

ENGLISH = load_language()
STYLES: tuple[Style, ...] = get_args(Style)


@pytest.fixture(scope="module")
def ledgers(small_workspace: Workspace) -> Mapping[tuple[str, str], Ledger]:
    ws = small_workspace
    pairs = [("u00", r.item) for r in ws.recommender.recommend("u00", 10)]
    pairs += [("u00", "i38"), (ONCE, "i00"), (NOBODY, "i00"), (NOBODY, "i38")]
    return {(u, i): ledger_of(ws, u, i) for u, i in pairs}


@pytest.mark.parametrize("style", STYLES)
def test_every_sentence_passes_the_check(
    ledgers: Mapping[tuple[str, str], Ledger], style: Style
) -> None:
    for (user, item), ledger in ledgers.items():
        drafts = realise(ledger, ENGLISH, key=f"0/{user}/{item}", style=style)
        assert drafts
        assert not [c.reason for c in check(drafts, ledger, ENGLISH) if c.reason]
        assert drafts == realise(ledger, ENGLISH, key=f"0/{user}/{item}", style=style)


def test_the_strongest_cause_comes_first_then_what_if_then_against(
    ledgers: Mapping[tuple[str, str], Ledger],
) -> None:
    for (user, _), ledger in ledgers.items():
        told = [d.claims[0][0] for d in realise(ledger, ENGLISH, key="k", style="detailed")]
        if user == "u00" and "p1" in ledger.verified:
            assert told[0] == "p"
            claim = ledger.verified["p1"].claim
            assert isinstance(claim, PersonaEffect)
            assert claim.value.effect > 0
        order = [told.index(letter) for letter in "phaq" if letter in told]
        assert order == sorted(order)


def test_styles_go_from_short_to_detailed(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    for ledger in ledgers.values():
        short, plain, detailed = (realise(ledger, ENGLISH, key="k", style=s) for s in STYLES)
        assert len(short) <= len(plain) <= len(detailed)
        told = {c for d in detailed for c in d.claims}
        assert {c for d in [*short, *plain] for c in d.claims} <= told


def test_items_of_a_list_are_not_all_told_alike(
    ledgers: Mapping[tuple[str, str], Ledger],
) -> None:
    mine = [(k, v) for k, v in ledgers.items() if k[0] == "u00" and "p1" in v.verified]
    first = [
        re.sub(r"\{[^}]*\}", "{}", realise(v, ENGLISH, key=f"0/{u}/{i}")[0].text)
        for (u, i), v in mine
    ]
    assert len(set(first)) >= 3


def test_each_leading_claim_has_a_canonical_sentence(
    ledgers: Mapping[tuple[str, str], Ledger],
) -> None:
    for ledger in ledgers.values():
        for id_ in ledger.verified:
            draft = canonical(id_, ledger, ENGLISH, key="k")
            if draft is not None:
                assert id_ in draft.claims
                assert check([draft], ledger, ENGLISH)[0].reason is None
            else:
                assert id_[0] in "wlrot", id_
    assert canonical("z9", next(iter(ledgers.values())), ENGLISH, key="k") is None


def test_a_key_may_hold_anything(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    ledger = next(iter(ledgers.values()))
    assert realise(ledger, ENGLISH, key="\ud800/\x00")
