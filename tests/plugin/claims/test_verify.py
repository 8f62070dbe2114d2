"""Every true claim is verified, and no changed one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.plugin.fakes import best
from tests.recsys.small import ONCE
from whythis.claims.execution import Execution
from whythis.claims.kinds import CLAIM, COMPARATORS, NEEDS, PARTS, Claim
from whythis.claims.offer import offer
from whythis.claims.verify import verify
from whythis.explain import gather
from whythis.tools import catalogue, likes, mentions, similarity
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace

# all can be known here; models fitted again are tested with the refits
KINDS = set(NEEDS) - {"cannot_know", "personal_effect"}
FREE = {"top", "minimal"}  # another one asks another question, which may have the same answer


def asked(ws: Workspace, user: str, item: str, other: str) -> tuple[Evidence, ...]:
    """Return all there is to find about a pair."""
    found = gather(ws, user, item) + likes.contributions(ws, user, item) + likes.recent(ws, user)
    if ws.recommender.rank(user, item) <= 10:
        found += likes.enough(ws, user, item)
    found += mentions.mentions(ws, user, item, "Drama")
    found += mentions.own_words(ws, user, item, "drama")
    found += similarity.similar(ws, user, item) + catalogue.details(ws, item)
    return found + catalogue.compare(ws, user, item, other)


@pytest.fixture(scope="module")
def truths(small_workspace: Workspace) -> Sequence[Claim]:
    ws, rec = small_workspace, small_workspace.recommender
    pairs = [("u00", best(ws, "u00")), ("u00", "i38"), ("u00", "i16"), (ONCE, "i00")]
    pairs.append(("u05", best(ws, "u05")))  # who wrote a review of another item
    claims: list[Claim] = []
    for user, item in pairs:
        other = rec.recommend(user, 40)[-2].item
        claims += offer(asked(ws, user, item, other), user, item)
    return claims


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
        if "persona" in PARTS.get(claim.kind, ()):
            wrong += [
                altered(claim, subject__persona=p)
                for p in (None, -1, 99, 10**30, (claim.subject.persona or 0) + 1)
            ]
            wrong.append(altered(claim, value__name="taste of another"))
        for name, value in claim.value.model_dump().items():
            if name in FREE or name in ("field", "rung"):
                continue
            if value is None:
                wrong.append(altered(claim, **{f"value__{name}": 0.5}))
            elif isinstance(value, tuple):
                wrong += [
                    altered(claim, **{f"value__{name}": v})
                    for v in ((), value[1:], (*value, "more"), ("Drama ",))
                ]
            elif isinstance(value, bool):
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
        if "items" not in PARTS.get(claim.kind, ()) or claim.subject.user != "u00":
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
    bare = Workspace(small_workspace.recommender)
    for kind in ("review_quote", "mentions", "own_words"):
        verdict = verify(next(c for c in truths if c.kind == kind), bare)
        assert verdict.outcome == "uncheckable"
        assert verdict.reason == "there is no review index: run `whythis index DIR`"


def test_a_claim_is_about_what_its_kind_is_about_and_no_more(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    parts: dict[str, Any] = {
        "persona": 0,
        "items": ("i00",),
        "review": "r1#1",
        "other_persona": 1,
        "other_item": "i07",
    }
    for claim in truths:
        wanted = PARTS.get(claim.kind, frozenset())
        for part, value in parts.items():
            added = value if part not in wanted else type(claim.subject)(user="", item="")
            one = altered(
                claim, **{f"subject__{part}": getattr(added, part) if part in wanted else added}
            )
            verdict = verify(one, small_workspace)
            assert verdict.outcome == "refuted", one
            assert "it names no" in verdict.reason or "is about no" in verdict.reason


def test_a_kind_has_its_level_and_its_comparator(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    for claim in truths:
        for level in ("exact", "executed", "refit", "observed", "illustrative"):
            verdict = verify(altered(claim, level=level), small_workspace)
            assert (verdict.outcome == "verified") == (level == claim.level), claim
            assert level == claim.level or f"not as {level}" in verdict.reason
        for comparator in "=<>":
            verdict = verify(altered(claim, comparator=comparator), small_workspace)
            known = comparator in COMPARATORS.get(claim.kind, "=")
            assert (verdict.outcome == "verified") == known, claim
            assert known or "does not compare by" in verdict.reason


def test_what_claims_share_is_executed_once_and_changes_no_verdict(
    truths: Sequence[Claim], small_workspace: Workspace
) -> None:
    ws, rec = small_workspace, small_workspace.recommender
    run = Execution(ws)
    false = [altered(c, subject__user="u07") for c in truths]
    for claim in [*truths, *false, *truths]:
        assert verify(claim, ws, run) == verify(claim, ws)
    user, item = truths[0].subject.user, truths[0].subject.item
    assert run.decomposition(user, item) is run.decomposition(user, item)
    assert run.place(user, item) is run.place(user, item)
    assert run.place(user, item) == rec.place(user, item)
    with pytest.raises(ValueError, match="another workspace"):
        verify(truths[0], Workspace(rec), run)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_change_of_a_value_is_found(
    truths: Sequence[Claim], small_workspace: Workspace, data: st.DataObject
) -> None:
    claim = data.draw(st.sampled_from(list(truths)))
    values = {k: v for k, v in claim.value.model_dump().items() if k not in FREE | {"field"}}
    name = data.draw(st.sampled_from(sorted(values)))
    old = values[name]
    new: Any
    if old is None:
        new = data.draw(st.floats())
    elif isinstance(old, tuple):
        new = data.draw(st.lists(st.text()).map(tuple).filter(lambda v: v != old))
    elif isinstance(old, bool):
        new = not old
    elif isinstance(old, int):
        new = data.draw(st.integers().filter(lambda v: v != old))
    elif isinstance(old, float):
        new = data.draw(st.floats().filter(lambda v: not abs(v - old) <= 2e-5))
    else:
        new = data.draw(st.text().filter(lambda v: v != old))
    try:
        one = altered(claim, **{f"value__{name}": new})
    except ValidationError:
        return  # not even a record
    assert verify(one, small_workspace).outcome != "verified"
