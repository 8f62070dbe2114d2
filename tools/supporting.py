"""Find the taste that speaks most for an item."""

from __future__ import annotations

from whythis.recsys.effects import persona_effects
from whythis.recsys.naming import PersonaCard, persona_cards
from whythis.tools.workspace import Workspace


def supporting(ws: Workspace, user: str, item: str) -> PersonaCard | None:
    """Return the persona without which the item would lose most, by executed deletions.

    None where no persona lifts the item, the user has no history, or the model is not known.
    """
    if ws.recommender.access != "owned":
        return None
    rec = ws.owned()
    cards = persona_cards(rec, user)
    if not cards:
        return None
    effects = persona_effects(rec, user, item)
    best = max(cards, key=lambda card: effects[card.persona])
    return best if effects[best.persona] > 0 else None
