"""Say why an item is recommended, why it is not, and why it stands above another."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import nullcontext

from whythis.conversation.answers.help import one_item
from whythis.conversation.reply import Event
from whythis.conversation.turn import Turn
from whythis.explain import explain, gather
from whythis.text.checker import Draft, Ledger
from whythis.tools import probes
from whythis.tools.catalogue import compare
from whythis.tools.evidence import Evidence

_CAUSES = ("persona_effect", "persona_items")


def why(turn: Turn) -> Iterator[Event]:
    """Explain why an unseen item stands where it does."""
    if (item := (yield from _unseen(turn))) is None:
        return
    if turn.writer is not None:
        yield turn.step("evidence", "Gathering evidence")
        yield from turn.found(gather(turn.ws, turn.user, item))
        yield turn.step("write", "Wording the answer and checking every sentence")
    with turn.lock if turn.writer is not None else nullcontext():
        explanation = explain(turn.ws, turn.user, item, writer=turn.writer, seed=turn.session.seed)
    yield from turn.explain(explanation)
    past = [i for c in explanation.claims if c.kind == "history_effect" for i in c.subject.items]
    titles = [turn.rec.title(i) for i in past]
    turn.suggest("people", "without", "more", "not_why", titles=titles)


def why_not(turn: Turn) -> Iterator[Event]:
    """Say where an item stands, what holds it back, and what comes first and by what."""
    if (item := (yield from _unseen(turn))) is None:
        return
    yield turn.step("rank", "Ranking it for you")
    best = turn.rec.recommend(turn.user, 1)
    found = _evidence(turn, item)
    yield from turn.found(found)
    own = turn.about(found, item)
    yield from _placed(turn, own)
    top = probes.top_of(turn.rec)
    rank = turn.rec.place(turn.user, item).rank
    if rank <= top:
        yield from turn.tell(own, (*_CAUSES, "history_effect"), most=2)
        turn.suggest("why", titles=[turn.rec.title(item)])
        return
    yield from _held_back(turn, own)
    if best:
        yield turn.step("compare", "Comparing it with what comes first")
        first = best[0].item
        beside = compare(turn.ws, turn.user, first, item) + _evidence(turn, first)
        yield from turn.found(beside)
        other = turn.about(beside, first)
        yield from _above(turn, other)
        yield from turn.tell(other, _CAUSES, named=True, most=1)
        turn.other = first
    turn.suggest("people", "more", "me")


def why_over(turn: Turn) -> Iterator[Event]:
    """Say which of two items stands above the other, and what moves each."""
    items = list(turn.route.items)
    if len(items) == 1 and turn.session.focus not in (None, items[0]):
        items = [str(turn.session.focus), items[0]]
    if len(items) < 2:
        yield from turn.ask("which_other", turn.session.shown)
        return
    one, other = items[:2]
    if seen_ones := [item for item in (one, other) if turn.has_seen(item)]:
        for item in seen_ones:
            yield from turn.state("had", user=turn.user, item=item)
        yield turn.fixed("unseen_only")
        turn.focus, turn.other = one, other
        return
    yield turn.step("compare", "Comparing the two")
    places = [turn.rec.place(turn.user, item).rank for item in (one, other)]
    upper, lower = (one, other) if places[0] <= places[1] else (other, one)
    found = compare(turn.ws, turn.user, upper, lower) + _evidence(turn, upper)
    yield from turn.found(found)
    above = turn.about(found, upper)
    yield from _above(turn, above)
    yield from turn.tell(above, _CAUSES, named=True, most=1)
    beside = _evidence(turn, lower)
    yield from turn.found(beside)
    below = turn.about(beside, lower)
    yield from turn.tell(below, _CAUSES, named=True, most=1)
    yield from _held_back(turn, below)
    turn.focus, turn.other = one, other
    turn.suggest("why", titles=[turn.rec.title(upper)])
    turn.suggest("why_not", titles=[turn.rec.title(lower)])


def _unseen(turn: Turn) -> Generator[Event, None, str | None]:
    """Return the one unseen item that is asked about; None where something else was said."""
    yield from one_item(turn)
    item = turn.focus
    if turn.asks_back or item is None:
        return None
    if turn.has_seen(item):
        yield from seen(turn, item)
        return None
    return item


def seen(turn: Turn, item: str) -> Iterator[Event]:
    """Say of an item that was seen that it is not recommended again."""
    yield from turn.state("had", user=turn.user, item=item)
    if turn.rec.item_ids.index(item) in turn.rec.history(turn.user):
        turn.suggest("more", "without", titles=[turn.rec.title(item)])
    turn.suggest("list")


def _evidence(turn: Turn, item: str) -> tuple[Evidence, ...]:
    owned = turn.rec.access == "owned"
    found = probes.personas(turn.ws, turn.user, item) if owned else ()
    return found + probes.history(turn.ws, turn.user, item) + probes.facts(turn.ws, turn.user, item)


def _placed(turn: Turn, ledger: Ledger) -> Iterator[Event]:
    for id_, cited in ledger.verified.items():
        if cited.claim.kind == "rank":
            yield from turn.say(
                ledger,
                Draft(f"For you, {{item}} ranks {{{id_}.rank}}.", (id_,)),
                Draft(f"{{item}} stands {{{id_}.rank}}.", (id_,)),
            )


def _above(turn: Turn, ledger: Ledger) -> Iterator[Event]:
    for id_, cited in ledger.verified.items():
        if cited.claim.kind == "item_comparison":
            yield from turn.say(ledger, Draft(f"As for {{item}}, {{{id_}.above}}.", (id_,)))


def _held_back(turn: Turn, ledger: Ledger) -> Iterator[Event]:
    for id_, cited in ledger.verified.items():
        if cited.claim.kind == "persona_effect" and "sign:-" in cited.traits:
            taste, without = f"{{{id_}.persona}}", f"{{{id_}.without}}"
            yield from turn.say(
                ledger, Draft(f"Your {taste} speaks against {{item}}: {without}.", (id_,))
            )
