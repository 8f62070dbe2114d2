"""Let a user say that something is wrong: propose an edit, make it after a yes, take it back.

Who objects does not want to see it again: what is named, or what lies behind what is named, is left
out for good ("reject"). Only who says "forget X" makes X as if it had never been.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import Literal

from pydantic import JsonValue

from whythis.conversation.ground import Ground
from whythis.conversation.reply import Event
from whythis.conversation.session import MOST_EDITED, Proposal
from whythis.conversation.turn import Turn
from whythis.recsys.naming import persona_cards
from whythis.recsys.recommender import Recommender
from whythis.tools import probes
from whythis.tools.memory.events import Act, active, read

Correct = Callable[[str, Act, tuple[str, ...]], tuple[Ground, tuple[str, ...]]]
"""Keep corrections of a user; return what is true with them, and the ids of their events."""

_YES = re.compile(
    r"(yes|yep|yeah|sure|ok|okay|please do|do it|do that|go ahead|confirm|keep it|right)"
    r"([ ,]+(please|do it|do that|go ahead|keep it|forget (it|them)))?"
)
_NO = re.compile(
    r"(no|nope|nah|don'?t|do not|cancel|stop|never mind|leave it|keep everything)"
    r"([ ,]+(thanks|thank you|don'?t|leave it|cancel|please))?"
)
_ORDER = re.compile(
    r"\W*(please |then |now |just |ok |okay |so |and )*"
    r"(forget|remove|delete|drop|reject|leave out|take out|never recommend|stop recommending|"
    r"don'?t recommend|do not recommend)\b",
    re.IGNORECASE,
)
_FORGET = re.compile(r"\b(forget|remove|delete|drop|leave out|take out)\b", re.IGNORECASE)
_ONLY_THOUGHT = re.compile(
    r"\?|\b(for a (moment|second|while)|temporarily|would|what|if)\b", re.IGNORECASE
)
_HEAVIEST = 5
"""Of a taste that is contested, so many past items are left out, at most."""


def decision(text: str) -> Literal["yes", "no"] | None:
    """Return whether a text is a plain yes or no, and nothing more."""
    plain = " ".join(text.casefold().replace("’", "'").split()).strip(" .!,")
    if len(plain) > 60:
        return None
    if _YES.fullmatch(plain):
        return "yes"
    return "no" if _NO.fullmatch(plain) else None


def is_order(text: str) -> bool:
    """Return whether a text plainly orders a correction: not a question, not for a moment."""
    return bool(_ORDER.match(text)) and not _ONLY_THOUGHT.search(text)


def contest(turn: Turn, correct: Correct) -> Iterator[Event]:
    """Propose the edit that answers an objection; where it is ordered by name, make it."""
    proposal = yield from _proposal(turn)
    if proposal is None:
        return
    if turn.route.items and is_order(turn.text):
        yield from _made(turn, correct, proposal)
        return
    yield turn.step("run", "Trying the correction")
    focus = turn.focus
    also = [focus] if focus is not None and not turn.has_seen(focus) else []
    if also and not (turn.route.items or turn.route.personas):
        yield from turn.state(
            "would_place", user=turn.user, item=focus, **_named(proposal), again=True
        )
    yield from turn.state(
        "would_list", user=turn.user, **_named(proposal), also=[*also], again=True
    )
    turn.changes = turn.changed("would_list")
    if turn.ground.folder is None or not isinstance(turn.ground.fitted, Recommender):
        yield turn.fixed("no_place")
        return
    turn.proposal = proposal
    turn.asks_back = True
    if proposal.act == "forget":
        yield turn.fixed("again")
    yield turn.fixed("confirm")
    turn.suggest("yes", "no")


def decided(turn: Turn, correct: Correct, said: Literal["yes", "no"]) -> Iterator[Event]:
    """Make the correction that waits, or leave everything as it is."""
    turn.intent = "contest"
    proposal = turn.session.proposal
    if proposal is None:
        yield turn.fixed("nothing_open")
    elif said == "no":
        yield turn.fixed("left")
    elif not _applies(turn, proposal):
        yield turn.fixed("stale")
    else:
        yield from _made(turn, correct, proposal)


def undo(turn: Turn, correct: Correct) -> Iterator[Event]:
    """Take back the last correction, with all that was made at once."""
    folder = turn.ground.folder
    held = () if folder is None else active(read(folder, turn.user))
    if not held:
        yield turn.fixed("nothing_undone")
        return
    last = tuple(event.id for event in held if event.time == held[-1].time)
    yield turn.step("undo", "Taking it back")
    turn.ground, _ = correct(turn.user, "undo", last)
    yield from turn.state("edited", user=turn.user, events=[*last], undone=True)
    turn.changes = turn.changed("edited")
    turn.suggest("list")


def _made(turn: Turn, correct: Correct, proposal: Proposal) -> Iterator[Event]:
    if turn.ground.folder is None or not isinstance(turn.ground.fitted, Recommender):
        yield turn.fixed("no_place")
        return
    if not _applies(turn, proposal):
        yield turn.fixed("stale")
        return
    yield turn.step("edit", "Keeping the correction")
    turn.ground, made = correct(turn.user, proposal.act, proposal.items)
    yield from turn.state("edited", user=turn.user, events=[*made])
    turn.changes = turn.changed("edited")
    yield turn.step("compare", "Comparing it with what was predicted")
    yield from turn.state("foreseen", user=turn.user, events=[*made], **_named(proposal))
    turn.predicted = turn.changed("foreseen")
    if proposal.act == "forget":
        yield turn.fixed("again")
    yield turn.fixed("undo")
    turn.suggest("undo", "list")


def _named(proposal: Proposal) -> dict[str, JsonValue]:
    return {
        act: list[JsonValue](proposal.items if proposal.act == act else ())
        for act in ("forget", "reject")
    }


def _applies(turn: Turn, proposal: Proposal) -> bool:
    """Return whether the proposal is still one that can be made on these data."""
    rec = turn.rec
    withheld = rec.withheld.get(turn.user, ())
    if proposal.data_hash != rec.hashes["data"] or set(proposal.items) & set(withheld):
        return False
    return proposal.act == "reject" or all(map(turn.has_seen, proposal.items))


def _proposal(turn: Turn) -> Generator[Event, None, Proposal | None]:
    """Return the edit that answers the objection; say why there is none."""
    items = turn.route.items
    act: Literal["forget", "reject"] = "reject"
    if items:
        withheld = turn.rec.withheld.get(turn.user, ())
        if items[0] in withheld:
            yield from turn.state("had", user=turn.user, item=items[0])
            return None
        items = tuple(item for item in items if item not in withheld)
        if is_order(turn.text) and _FORGET.search(turn.text) and all(map(turn.has_seen, items)):
            act = "forget"
    elif turn.route.personas:
        items = _heaviest(turn, turn.route.personas)
    elif turn.focus is not None and not turn.has_seen(turn.focus):
        items = _behind(turn, turn.focus)
    if not items:
        yield from turn.ask("contest_what")
        return None
    return Proposal(act=act, items=items[:MOST_EDITED], data_hash=turn.rec.hashes["data"])


def _heaviest(turn: Turn, personas: tuple[int, ...]) -> tuple[str, ...]:
    """Return the past items that weigh most in the tastes, and more than in any other one."""
    cards = {c.persona: c for c in persona_cards(turn.ws.owned(), turn.user, shown=10_000)}
    weight = {
        p: {item: share * card.mass for item, share in card.items} for p, card in cards.items()
    }
    chosen: list[str] = []
    for p in personas:
        if p not in weight:
            continue
        own = [
            item
            for item, share in weight[p].items()
            if share > 0 and share >= max(other.get(item, 0.0) for other in weight.values())
        ]
        chosen += own[:_HEAVIEST] or [item for item, _ in cards[p].items[:1]]
    return tuple(dict.fromkeys(chosen))


def _behind(turn: Turn, item: str) -> tuple[str, ...]:
    """Return the past items that the item hangs on, as `history` finds them."""
    for record in probes.history(turn.ws, turn.user, item):
        found = record.value.get("items")
        if record.kind == "history_effect" and isinstance(found, list):
            return tuple(map(str, found))
    return ()
