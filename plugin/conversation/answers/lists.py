"""Show lists: what is recommended, more like something, less of something."""

from __future__ import annotations

from collections.abc import Iterator

from whythis.conversation.answers.help import one_item
from whythis.conversation.reply import Event
from whythis.conversation.turn import Turn
from whythis.tools import probes

SHOWN = 10


def recommend(turn: Turn) -> Iterator[Event]:
    """List what ranks highest for the user."""
    yield turn.step("rank", "Ranking what you have not seen")
    yield from turn.state("listed", user=turn.user, n=SHOWN)
    turn.listed("listed")
    turn.focus = turn.other = None
    turn.suggest("why", "me", titles=[one.title for one in turn.items[:1]])


def more_like(turn: Turn) -> Iterator[Event]:
    """List the unseen items most like one, or what one taste alone would rank first."""
    if turn.route.personas and not turn.route.items:
        yield turn.step("rank", "Ranking by that taste alone")
        persona = turn.route.personas[0]
        yield from turn.state("by_taste", user=turn.user, persona=persona, n=SHOWN)
        turn.listed("by_taste")
        turn.focus = turn.other = None
    else:
        yield from one_item(turn)
        if turn.asks_back or turn.focus is None:
            return
        yield turn.step("compare", "Comparing it with what you have not seen")
        yield from turn.state("nearest", user=turn.user, item=turn.focus, n=SHOWN)
        turn.listed("nearest", "cosines")
    turn.suggest("why", titles=[one.title for one in turn.items[:1]])


def less_of(turn: Turn) -> Iterator[Event]:
    """Rank again without a taste, or without past items, and list what would come first."""
    personas = list(turn.route.personas)
    past: list[str] = []
    unseen: list[str] = []
    if not personas:
        yield from one_item(turn)
        if turn.asks_back or turn.focus is None:
            return
        items = turn.route.items or (turn.focus,)
        history = set(turn.rec.history(turn.user).tolist())
        past = [item for item in items if turn.rec.item_ids.index(item) in history]
        unseen = [item for item in items if not turn.has_seen(item)]
        if not past and not unseen:
            yield from turn.state("not_past", user=turn.user, item=items[0])
            return
        if not past:
            yield turn.step("tastes", "Looking for the taste behind it")
            found = probes.personas(turn.ws, turn.user, unseen[0])
            yield from turn.found(found)
            ledger = turn.about(found, unseen[0])
            yield from turn.tell(ledger, ("persona_effect", "persona_items"), named=True, most=1)
            effects = {int(str(e.value["persona"])): float(str(e.value["effect"])) for e in found}
            if not effects or max(effects.values()) <= 0:  # no taste speaks for it
                turn.suggest("never", titles=[turn.rec.title(unseen[0])])
                return
            personas = [max(effects, key=lambda p: effects[p])]
    yield turn.step("rank", "Ranking again without it")
    yield from turn.state("would_list", user=turn.user, forget=[*past], personas=[*personas])
    turn.listed_after("would_list")
    turn.changes = turn.changed("would_list")
    turn.suggest("never", titles=[turn.rec.title(one) for one in unseen])
    turn.suggest("keep", titles=[turn.rec.title(one) for one in past])
    turn.suggest("list")
