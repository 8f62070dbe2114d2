"""The built-in realiser says only what passes, the strongest first, and not always the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

import pytest

from tests.plugin.fakes import ledger_of
from tests.recsys.small import NOBODY, ONCE
from whythis.claims.kinds import PersonaEffect
from whythis.text.checker import Ledger, check
from whythis.text.language import load_language
from whythis.text.realiser import LONGEST, Style, canonical, realise
from whythis.tools.workspace import Workspace

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


def test_an_answer_keeps_within_the_length_of_its_style(
    ledgers: Mapping[tuple[str, str], Ledger],
) -> None:
    for ledger in ledgers.values():
        for style in STYLES:
            told = realise(ledger, ENGLISH, key="k", style=style)
            assert len(told) <= LONGEST[style]
            if "p1" in ledger.verified and style != "short":
                assert len(told) >= 2
                shown = {c for d in told for c in d.claims}
                clear = {i for i, c in ledger.verified.items() if "sign:+" in c.traits}
                # where the past as a whole lifts nothing, no taste is told as a cause
                assert clear <= shown or ("j1" in shown and not clear & shown)


def test_a_plain_answer_says_one_thing_once(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    for ledger in ledgers.values():
        text = " ".join(d.text for d in realise(ledger, ENGLISH, key="k"))
        if any(c.claim.kind == "history_effect" for c in ledger.verified.values()):
            told = len(re.findall(r"\{h\d\.(without|had)\}", text))
            assert told == int("{j1." not in text)  # a rung below the past tells no cause in it
            assert not re.findall(r"\{p\d\.without\}", text)
        assert len(re.findall(r"\.quote\}", text)) <= 1


def test_what_was_told_is_not_told_again(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    for ledger in ledgers.values():
        for style in STYLES:
            first = realise(ledger, ENGLISH, key="k", style=style)
            for draft in first:
                rest = realise(ledger, ENGLISH, key="k", style=style, told=draft.claims)
                assert not {c for d in rest for c in d.claims} & set(draft.claims)


def test_ten_places_open_in_ten_ways(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    ledger = next(v for v in ledgers.values() if "p1" in v.verified and "h1" in v.verified)
    for style in STYLES:
        told = [realise(ledger, ENGLISH, key="u", style=style, place=n) for n in range(10)]
        assert len({drafts[0].text for drafts in told}) >= 9
        assert len({drafts[1].text for drafts in told}) >= 8
    # another user's list begins elsewhere
    assert realise(ledger, ENGLISH, key="u") != realise(ledger, ENGLISH, key="v")


def test_items_of_a_list_are_not_all_told_alike(
    ledgers: Mapping[tuple[str, str], Ledger],
) -> None:
    mine = [(k, v) for k, v in ledgers.items() if k[0] == "u00" and "p1" in v.verified]
    first = [
        re.sub(r"\{[^}]*\}", "{}", realise(v, ENGLISH, key=f"0/{u}", place=n)[0].text)
        for n, ((u, _), v) in enumerate(mine)
    ]
    assert len(set(first)) >= min(len(mine), 9)


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
                assert id_[0] in "wtm", id_
    assert canonical("z9", next(iter(ledgers.values())), ENGLISH, key="k") is None


def test_a_key_may_hold_anything(ledgers: Mapping[tuple[str, str], Ledger]) -> None:
    ledger = next(iter(ledgers.values()))
    assert realise(ledger, ENGLISH, key="\ud800/\x00")
