"""Execute again what is claimed of the user's tastes: their shares, effects and past items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from whythis.claims.comparing import differs
from whythis.claims.execution import Execution
from whythis.claims.kinds import PersonaComparison, PersonaEffect, PersonaItems, PersonaShare
from whythis.recsys.effects import PersonaPart
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.naming import PersonaCard


def _card(user: str, persona: int | None, name: str, run: Execution) -> PersonaCard:
    for card in run.cards(user):
        if card.persona == persona:
            if card.name != name:
                raise DataError(
                    f"persona {persona} of user {user!r} is called {card.name!r}, not {name!r}"
                )
            return card
    raise DataError(f"user {user!r} has no persona {persona} with enough history to be told of")


def _part(
    claim: PersonaShare | PersonaEffect | PersonaComparison, card: PersonaCard, run: Execution
) -> PersonaPart:
    return run.decomposition(claim.subject.user, claim.subject.item).personas[card.persona]


def _persona_share(claim: PersonaShare, run: Execution) -> str | None:
    card = _card(claim.subject.user, claim.subject.persona, claim.value.name, run)
    return differs("its share", claim.value.share, _part(claim, card, run).share, claim.tolerance)


def _persona_effect(claim: PersonaEffect, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    part = _part(claim, _card(subject.user, subject.persona, value.name, run), run)
    rank = run.decomposition(subject.user, subject.item).rank
    return (
        differs("its effect", value.effect, part.effect, claim.tolerance)
        or differs("the rank", value.rank_before, rank)
        or differs("the rank without it", value.rank_after, part.rank_without)
    )


def _persona_comparison(claim: PersonaComparison, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    one = _part(claim, _card(subject.user, subject.persona, value.name, run), run)
    other = _part(claim, _card(subject.user, subject.other_persona, value.other_name, run), run)
    if not one.effect > other.effect:
        return f"its effect is {one.effect:g} and the other's {other.effect:g}, which is no less"
    return differs("its effect", value.effect, one.effect, claim.tolerance) or differs(
        "the other's effect", value.other_effect, other.effect, claim.tolerance
    )


def _persona_items(claim: PersonaItems, run: Execution) -> str | None:
    if not run.ws.owned().model.composed:
        raise ModelError("this model's tastes are not made of past items")
    told = claim.subject.items
    card = _card(claim.subject.user, claim.subject.persona, claim.value.name, run)
    heaviest = tuple(item for item, _ in card.items[: len(told)])
    if heaviest != told:
        return f"the heaviest items of that taste are {', '.join(heaviest)}"
    return None


VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {
        "persona_share": _persona_share,
        "persona_effect": _persona_effect,
        "persona_comparison": _persona_comparison,
        "persona_items": _persona_items,
    }
)
