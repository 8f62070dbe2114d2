"""Every true claim is verified, and no changed one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.recsys.small import ONCE
from whythis.claims import CLAIM, Claim
from whythis.explain import gather
from whythis.offer import offer
from whythis.tools.workspace import Workspace
from whythis.verify import verify

from .fakes import best

KINDS = {
    "persona_share",
    "persona_effect",
    "persona_items",
    "history_effect",
    "review_quote",
    "rating",
    "popularity",
    "rank",
    "not_about_you",
}


@pytest.fixture(scope="module")
def truths(small_workspace: Workspace) -> Sequence[Claim]:
    ws = small_workspace
    pairs = [("u00", best(ws, "u00")), ("u00", "i38"), (ONCE, "i00")]
    return [claim for u, i in pairs for claim in offer(gather(ws, u, i), u, i)]


def altered(claim: Claim, **changes: Any) -> Claim:
    plain = claim.model_dump()
    for key, value in changes.items():
        part, _, name = key.partition("__")
        if name:
            plain[part] = {**plain[part], name: value}
        else:
            plain[part] = value
    return CLAIM.validate_python(plain)


def test_the_truth_is_verified_whatever_the_kind(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    assert {c.kind for c in truths} == KINDS
    for claim in truths:
        assert verify(claim, small_workspace).outcome == "verified", claim


def test_another_user_item_or_number_is_refuted(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    rec = small_workspace.recommender
    for claim in truths:
        seen = rec.item_ids.ids[rec.seen(claim.subject.user)[0]]
        wrong: list[Claim] = [
            altered(claim, subject__user="nobody at all"),
            altered(claim, subject__item="no such item"),
            altered(claim, subject__item=seen),
        ]
        if claim.kind in {"persona_share", "persona_effect", "persona_items"}:
            wrong += [
                altered(claim, subject__persona=p)
                for p in (None, -1, 99, 10**30, (claim.subject.persona or 0) + 1)
            ]
            wrong.append(altered(claim, value__name="taste of another"))
        for name, value in claim.value.model_dump().items():
            if name == "top":
                continue  # another top asks another, equally true, question
            if isinstance(value, bool):
                wrong.append(altered(claim, **{f"value__{name}": not value}))
            elif isinstance(value, int):
                changes = (value + 1, value - 1, -value, 10**30, 10**400)
                wrong += [altered(claim, **{f"value__{name}": v}) for v in changes if v != value]
            elif isinstance(value, float):
                changes_ = (value + 0.01, -value - 0.001, float("nan"), float("inf"), 1e308)
                wrong += [altered(claim, **{f"value__{name}": v}) for v in changes_]
            elif isinstance(value, str):
                changes__ = ("", f"{value} ", value.upper() + "!", "\ud800", "\x00")
                wrong += [altered(claim, **{f"value__{name}": v}) for v in changes__]
        for one in wrong:
            assert verify(one, small_workspace).outcome != "verified", one


def test_a_claim_cannot_excuse_itself_by_its_tolerance(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    share = next(c for c in truths if c.kind == "persona_share")
    wide = altered(share, value__share=0.001, tolerance=1e9)
    assert verify(wide, small_workspace).outcome == "refuted"


def test_past_items_are_the_ones_named(truths: Sequence[Claim], small_workspace: Workspace) -> None:
    for claim in truths:
        if claim.kind not in {"history_effect", "persona_items"} or claim.subject.user != "u00":
            continue
        items = claim.subject.items
        for other in ((), (*items, items[0]), ("i38",), ("zz",), (*items, "i38")):
            one = altered(claim, subject__items=other)
            assert verify(one, small_workspace).outcome == "refuted", one
    basis = next(c for c in truths if c.kind == "persona_items" and len(c.subject.items) == 2)
    swapped = altered(basis, subject__items=basis.subject.items[::-1])
    assert verify(swapped, small_workspace).outcome == "refuted"


def test_a_claim_is_of_its_own_user_and_item(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    for claim in truths:
        # a share may be the same for every item: attention need not look at the item
        if claim.kind in {"persona_effect", "history_effect"}:
            for change in ({"subject__user": "u02"}, {"subject__item": "i37"}):
                one = altered(claim, **change)
                assert verify(one, small_workspace).outcome == "refuted", one


def test_a_quotation_is_of_this_item_by_another_user_and_exact(
    small_workspace: Workspace,
) -> None:
    ws, user = small_workspace, "u01"
    assert ws.recommender.rank(user, "i00")
    stored = {s.review: s for s in reversed(ws.store().of_item("i00"))}
    other = ws.store().of_item("i02")[0]

    def quote(who: str, sentence: Any, text: str | None = None, **changes: Any) -> str:
        value = {
            "quote": sentence.text if text is None else text,
            "rating": sentence.rating,
            "source": sentence.source,
        }
        claim = {
            "kind": "review_quote",
            "id": "q1",
            "subject": {"user": who, "item": "i00", "review": changes.get("id", sentence.id)},
            "value": {**value, **{k: v for k, v in changes.items() if k in value}},
            "evidence": ("e-1",),
        }
        return verify(CLAIM.validate_python(claim), ws).outcome

    assert quote(user, stored["r1"]) == "verified"
    assert quote("u05", stored["r3"]) == "refuted"  # the user's own
    assert quote(user, stored["r3"]) == "verified"
    assert quote(user, other) == "refuted"
    for n, word in enumerate(stored["r1"].text.split()):
        text = stored["r1"].text.split()
        text[n] = f"not {word}"
        assert quote(user, stored["r1"], " ".join(text)) == "refuted"
    assert quote(user, stored["r1"], rating=1.0) == "refuted"
    assert quote(user, stored["r1"], rating=None) == "refuted"
    assert quote(user, stored["r1"], source="elsewhere") == "refuted"
    for unknown in ("", "r1", "r1#99", "#", "\ud800#1", "\x00", "x" * 100_000):
        assert quote(user, stored["r1"], id=unknown) != "verified"


def test_without_reviews_a_quotation_is_uncheckable(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    claim = next(c for c in truths if c.kind == "review_quote")
    bare = Workspace(small_workspace.recommender)
    assert verify(claim, bare).outcome == "uncheckable"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_change_of_a_value_is_found(
    truths: Sequence[Claim], small_workspace: Workspace, data: st.DataObject
) -> None:
    claim = data.draw(st.sampled_from(list(truths)))
    values = {k: v for k, v in claim.value.model_dump().items() if k != "top"}
    name = data.draw(st.sampled_from(sorted(values)))
    old = values[name]
    new: Any
    if isinstance(old, bool):
        new = not old
    elif isinstance(old, int):
        new = data.draw(st.integers().filter(lambda v: v != old))
    elif isinstance(old, float):
        new = data.draw(st.floats().filter(lambda v: not abs(v - old) <= 2e-5))
    else:
        new = data.draw(st.text().filter(lambda v: v != old))
    assert verify(altered(claim, **{f"value__{name}": new}), small_workspace).outcome != "verified"
