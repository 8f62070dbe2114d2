"""Say verified claims in plain English without any language model: choose, order, vary."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Literal

from whythis.checker import Draft, Ledger, check
from whythis.claims import PersonaEffect
from whythis.language import Language
from whythis.words import Cited

Style = Literal["short", "plain", "detailed"]

_ROLE = re.compile(r"\{([a-z]+)\.")


def realise(ledger: Ledger, language: Language, *, key: str, style: Style = "plain") -> list[Draft]:
    """Return drafts that tell the ledger's claims, the strongest cause first.

    `key` seeds the choice among phrasings (user and item): the same key says the same, and items
    of one list differ. `short` tells the cause and the counterfactual; `plain` adds what speaks
    against it and a voice from the reviews, else the ratings; `detailed` tells all.
    """
    drafts: list[Draft] = []
    for claims in _plan(ledger, style):
        draft = _say(claims, ledger, language, f"{key}/{len(drafts)}")
        if draft is not None:
            drafts.append(draft)
    return drafts


def canonical(claim: str, ledger: Ledger, language: Language, *, key: str) -> Draft | None:
    """Return the built-in sentence for one verified claim; None for what only goes with others."""
    for claims in _plan(ledger, "detailed"):
        if claim == next(iter(claims.values())):
            return _say(claims, ledger, language, key)
    return None


def _plan(ledger: Ledger, style: Style) -> list[dict[str, str]]:
    """Return groups of claims to be told together: role to claim id, the first role leads."""
    by_kind: dict[str, list[Cited]] = {}
    for cited in ledger.verified.values():
        by_kind.setdefault(cited.claim.kind, []).append(cited)

    def ids(kind: str) -> list[str]:
        return [c.claim.id for c in by_kind.get(kind, [])]

    effects = by_kind.get("persona_effect", [])
    pro = [c for c in effects if isinstance(c.claim, PersonaEffect) and c.claim.value.effect > 0]
    con = [c for c in effects if c not in pro]
    shares = {c.claim.subject.persona: c.claim.id for c in by_kind.get("persona_share", [])}

    def effect(cited: Cited) -> dict[str, str]:
        group = {"effect": cited.claim.id}
        for other in by_kind.get("persona_items", []):
            if other.claim.subject.persona == cited.claim.subject.persona:
                group["items"] = other.claim.id
        return group

    favourable = [c for c in by_kind.get("review_quote", []) if "tone:critical" not in c.traits]
    critical = [c for c in by_kind.get("review_quote", []) if "tone:critical" in c.traits]
    plan = [effect(c) for c in pro[:1]] + [{"history": i} for i in ids("history_effect")]
    if style == "short":
        return plan or [{"nobody": i} for i in ids("not_about_you")] or _facts(ids)
    plan += [{"nobody": i} for i in ids("not_about_you")]
    plan[1:1] = [effect(c) for c in pro[1:]] if style == "detailed" else []
    plan += [effect(c) for c in con]
    voices = favourable[: 2 if style == "detailed" else 1] + critical[:1]
    plan += [{"quote": c.claim.id} for c in (voices if style == "detailed" else voices[:1])]
    if style == "detailed":
        plan += [
            {"share": shares[c.claim.subject.persona]}
            for c in pro[:1]
            if c.claim.subject.persona in shares
        ]
    if style == "detailed" or not voices or len(plan) < 2:
        plan += _facts(ids)
    if style == "detailed":
        plan += [{"rank": i} for i in ids("rank")]
    return plan


def _facts(ids: Callable[[str], list[str]]) -> list[dict[str, str]]:
    return [{"rating": i} for i in ids("rating")] or [{"popularity": i} for i in ids("popularity")]


def _situations(claims: Mapping[str, str], ledger: Ledger) -> list[str]:
    """Return the names of the fitting phrasings, the most telling first."""
    role, id_ = next(iter(claims.items()))
    traits = ledger.verified[id_].traits
    if role == "effect":
        if "sign:-" in traits:
            return ["against", "effect"]
        largest = "size:largest" in traits
        if "items" not in claims:  # the taste is not made of past items
            return ["alone_main" if largest else "alone", "effect"]
        return (["lead_main"] if largest else []) + ["lead", "second", "effect"]
    if role == "history":
        moved = next(t.removeprefix("moves:") for t in traits if t.startswith("moves:"))
        return [{"down": "history_falls", "up": "history_rises", "none": "history_stays"}[moved]]
    if role == "quote":
        return ["criticism"] if "tone:critical" in traits else ["quote"]
    return [role]


def _say(claims: Mapping[str, str], ledger: Ledger, language: Language, key: str) -> Draft | None:
    for situation in _situations(claims, ledger):
        variants = language.say.get(situation, ())
        start = int.from_bytes(sha256(f"{key}/{situation}".encode("utf-8", "replace")).digest()[:4])
        for turn in range(len(variants)):
            text = variants[(start + turn) % len(variants)]
            roles = dict.fromkeys(_ROLE.findall(text))
            if not set(roles) <= set(claims):
                continue
            filled = _ROLE.sub(lambda m: f"{{{claims[m.group(1)]}.", text)
            draft = Draft(filled, tuple(claims[r] for r in roles))
            if check([draft], ledger, language)[0].reason is None:
                return draft
    return None
