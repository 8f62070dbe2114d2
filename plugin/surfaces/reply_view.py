"""Lay a reply of the conversation out for a reader, as `whythis.surfaces.view` does an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whythis.claims.kinds import ReviewQuote
from whythis.conversation.reply import Change, Fact, Reply
from whythis.explanation import Verdict
from whythis.surfaces.view import Line, Proof, Told, View, finding, found, lines, prover, view
from whythis.text.wording import LEVELS, MARKS, Theirs, Words, clean, ordinal
from whythis.tools.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Listed:
    """Show an item of a list: its id, title, and where it stands, or how an edit moved it."""

    item: str
    title: Theirs
    place: str


@dataclass(frozen=True, slots=True)
class ReplyView:
    """Show one reply; `why` is the whole answer where it is about one item."""

    asks_back: bool
    lines: tuple[Line, ...]
    why: View | None
    items: tuple[Listed, ...]
    changes: tuple[Listed, ...]
    choices: tuple[tuple[str, Theirs], ...]
    suggestions: tuple[Theirs, ...]
    note: Theirs | None


def reply_view(reply: Reply) -> ReplyView:
    """Lay a reply out; raise `ModelError` where a sentence rests on what the record lacks."""
    facts = {fact.id: fact for fact in reply.facts}
    records = {record.id: record for record in reply.evidence}
    claimed = prover(reply.claims, reply.verdicts, reply.evidence)

    def prove(id_: str, number: int) -> Proof:
        if id_ in facts:
            return _of_fact(facts[id_], reply.verdicts, records, number)
        return claimed(id_, number)

    told = [Told(s.text, s.start, s.end, (*s.claims, *s.facts), s.writer) for s in reply.sentences]
    quotes = {claim.id: claim for claim in reply.claims if isinstance(claim, ReviewQuote)}
    return ReplyView(
        asks_back=reply.asks_back,
        lines=lines(reply.text, told, prove, quotes),
        why=None if reply.explanation is None else view(reply.explanation),
        items=tuple(Listed(o.item, clean(o.title), ordinal(o.rank)) for o in reply.items),
        changes=tuple(Listed(c.item, clean(c.title), moved(c)) for c in reply.changes),
        choices=tuple((choice.item, clean(choice.title)) for choice in reply.choices),
        suggestions=tuple(map(clean, reply.suggestions)),
        note=None if reply.note is None else clean(reply.note),
    )


def moved(change: Change) -> str:
    """Return how an edit moved an item: "4th → 19th", "not ranked → 2nd"."""
    before, after = (
        "not ranked" if rank is None else ordinal(rank) for rank in (change.before, change.after)
    )
    return f"{before} → {after}"


def _of_fact(
    fact: Fact, verdicts: Mapping[str, Verdict], records: Mapping[str, Evidence], number: int
) -> Proof:
    verdict = found(verdicts, fact.id, "verdict of fact", number)
    words: Words = (clean(fact.text),)
    return Proof(
        kind=fact.kind.replace("_", " "),
        level=fact.level,
        how=LEVELS[fact.level],
        words=words,
        outcome=verdict.outcome,
        mark=MARKS[verdict.outcome],
        reason=clean(verdict.reason),
        findings=tuple(finding(found(records, e, "evidence", number)) for e in fact.evidence),
    )
