"""Test sentences on the user's tastes: what each weighs, rests on, and does beside another."""

from __future__ import annotations

from pydantic import JsonValue

from whythis.auditing.causes import (
    NO_CAUSE,
    Cause,
    Talk,
    Tested,
    cause_of,
    change_of,
    number,
    strange,
)
from whythis.auditing.grammar import Reading
from whythis.auditing.ground import Ground
from whythis.auditing.mentions import MEANT
from whythis.text.wording import clean, percent


def comparison(reading: Reading, talk: Talk) -> Tested:
    """Test that one taste does more for the item than another."""
    ground = talk.ground
    persona, wrong = _taste(reading, talk)
    if persona is None:
        return wrong, {}
    other = Cause(persona=int(reading.parts["than"].values[0]))
    if wrong := strange(other, ground):
        return wrong, {}
    more, less = (change_of(c, ground).effect for c in (Cause(persona=persona), other))
    for label, place in (("former", 1), ("latter", 2)):
        if label in reading.parts and number(reading.parts[label]) != place:
            return "two tastes are named, and it counts them otherwise", {}
    low = 0.0 if "both" in reading.flags else float("-inf")
    wrong = None if more > max(less, 0.0) and less > low else "it does not do more"
    return wrong, {"effect": more, "other": less}


def basis(reading: Reading, talk: Talk) -> Tested:
    """Test what a taste rests on."""
    ground = talk.ground
    persona, wrong = _taste(reading, talk)
    if persona is None:
        return wrong, {}
    card = ground.cards[persona]
    heaviest = [item for item, _ in card.items[:3]]
    if "part" in reading.parts:
        parts = [value.split(MEANT) for value in reading.parts["part"].values]
        alien = not all(any(_belongs(i, persona, ground) for i in one) for one in parts)
        wrong = "that title weighs more in another taste" if alien else None
    else:
        wrong = rests(reading, persona, ground)
    return wrong, {"persona": persona, "items": list[JsonValue](heaviest)}


def _belongs(item: str, persona: int, ground: Ground) -> bool:
    """Return whether an item weighs in no other taste more, or is one of the two heaviest there."""
    weights = {p: card.mass * dict(card.items).get(item, 0.0) for p, card in ground.cards.items()}
    heaviest = [i for i, _ in ground.cards[persona].items[:2]]
    return weights[persona] > 0 and (weights[persona] == max(weights.values()) or item in heaviest)


def rests(reading: Reading, persona: int, ground: Ground) -> str | None:
    """Return why a taste does not rest most on the titles named; None where none is named."""
    if "rests" not in reading.parts:
        return None
    told = [frozenset(value.split(MEANT)) for value in reading.parts["rests"].values]
    rec = ground.ws.recommender
    heaviest: dict[str, str] = {}  # one item a title, the heaviest first
    for item, _ in ground.cards[persona].items:
        heaviest.setdefault(rec.title(item), item)
    first = list(heaviest.items())[: len(told)]
    if not all(any(item in one for one in told) for _, item in first):
        return f"what weighs most in that taste is {', '.join(clean(title) for title, _ in first)}"
    return None


def likes(reading: Reading, talk: Talk) -> Tested:
    """Test that what is named is among the user's likes or tastes."""
    cause = cause_of(reading, talk)
    if cause is None:
        return NO_CAUSE, {}
    wrong = strange(cause, talk.ground)
    talk.cause = cause
    return wrong, {"persona": cause.persona, "items": list[JsonValue](cause.items)}


def share(reading: Reading, talk: Talk) -> Tested:
    """Test how much a taste weighs; a share is no effect."""
    ground = talk.ground
    persona, wrong = _taste(reading, talk)
    if persona is None:
        return wrong, {}
    shares = {p: ground.whole.personas[p].share for p in ground.cards}
    found, flags = shares[persona], reading.flags
    said = number(reading.parts.get("share"))
    wrong = None
    if _off(found, said, flags):
        wrong = f"it has {percent(found)} of the weight"
    elif "largest" in flags and found < max(shares.values()):
        wrong = "another taste has more of the weight"
    return wrong, {"persona": persona, "share": found}


def _off(share: float, said: float | None, flags: frozenset[str]) -> bool:
    """Return whether a share is another than the percentage said, or not on the side said."""
    if ("majority" in flags and share <= 0.5) or ("minority" in flags and share >= 0.5):
        return True
    if said is None:
        return False
    if flags & {"more", "less"}:
        return (100 * share > said) != ("more" in flags)
    return abs(100 * share - said) > 0.5 + 1e-9


def _taste(reading: Reading, talk: Talk) -> tuple[int | None, str | None]:
    """Return the taste of the user that is meant, or why there is none."""
    cause = cause_of(reading, talk)
    if cause is None or cause.persona is None:
        return None, NO_CAUSE
    if wrong := strange(cause, talk.ground):
        return None, wrong
    talk.cause = cause
    return cause.persona, None
