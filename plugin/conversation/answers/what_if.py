"""Say what would happen without past items or tastes: executed, for one item and for the list."""

from __future__ import annotations

from collections.abc import Iterator

from whythis.conversation.reply import Event
from whythis.conversation.turn import Turn
from whythis.text.checker import Draft
from whythis.tools import probes


def what_if(turn: Turn) -> Iterator[Event]:
    """Score and rank again as if past items had never been liked, or without tastes."""
    items, personas = turn.route.items, list(turn.route.personas)
    history = set(turn.rec.history(turn.user).tolist())
    past = [item for item in items if turn.rec.item_ids.index(item) in history]
    strange = [item for item in items if turn.has_seen(item) and item not in past]
    targets = [item for item in items if not turn.has_seen(item)]
    if not past and not personas:
        if not items:
            yield from turn.ask("which_past")
            return
        for one in (*strange, *targets):
            yield from turn.state("not_past", user=turn.user, item=one)
        return
    yield turn.step("run", "Running the model again without it")
    item = _target(turn, targets)
    if item is not None:
        if past and not personas:
            yield from _without_past(turn, item, past)
        elif len(personas) == 1 and not past:
            yield from _without_taste(turn, item, personas[0])
        else:
            yield from turn.state(
                "would_place", user=turn.user, item=item, forget=[*past], personas=[*personas]
            )
    yield from turn.state(
        "would_list",
        user=turn.user,
        forget=[*past],
        personas=[*personas],
        also=[] if item is None else [item],
    )
    turn.changes = turn.changed("would_list")
    for one in strange:
        yield from turn.state("not_past", user=turn.user, item=one)
    if past and not personas:
        turn.suggest("keep", titles=[turn.rec.title(past[0])])


def _target(turn: Turn, named: list[str]) -> str | None:
    """Return the unseen item to speak of: named, in focus, else the first of the list."""
    if named:
        turn.focus = named[0]
        return named[0]
    focus = turn.session.focus
    if focus is not None and not turn.has_seen(focus):
        return focus
    best = turn.rec.recommend(turn.user, 1)
    return best[0].item if best else None


def _without_past(turn: Turn, item: str, past: list[str]) -> Iterator[Event]:
    found = probes.what_if(turn.ws, turn.user, item, past)
    yield from turn.found(found)
    ledger = turn.about(found, item)
    for id_, cited in ledger.verified.items():
        if cited.claim.kind == "history_effect":
            yield from turn.say(ledger, Draft(f"As for {{item}}, {{{id_}.without}}.", (id_,)))


def _without_taste(turn: Turn, item: str, persona: int) -> Iterator[Event]:
    found = [e for e in probes.personas(turn.ws, turn.user, item) if e.value["persona"] == persona]
    yield from turn.found(found)
    ledger = turn.about(found, item)
    before = len(turn.sentences)
    for id_, cited in ledger.verified.items():
        if cited.claim.kind == "persona_effect":
            yield from turn.say(
                ledger,
                Draft(f"As for {{item}} and your {{{id_}.persona}}, {{{id_}.without}}.", (id_,)),
                Draft(f"As to your {{{id_}.persona}}: {{{id_}.without}}.", (id_,)),
            )
    if len(turn.sentences) == before:  # an effect too small to be told of as one
        yield from turn.state("would_place", user=turn.user, item=item, personas=[persona])
