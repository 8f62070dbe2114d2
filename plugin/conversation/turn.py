"""Collect one answer: what is found, what passes the checks, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import JsonValue

from whythis.claims.kinds import Claim
from whythis.claims.offer import offer
from whythis.conversation import facts, fixed
from whythis.conversation.ground import Ground
from whythis.conversation.intents import Intent, Route
from whythis.conversation.reply import (
    Change,
    Choice,
    Event,
    EvidenceFound,
    Fact,
    Recommended,
    Reply,
    Said,
    Sentence,
    Step,
)
from whythis.conversation.session import MOST_SHOWN, Asked, Proposal, Session
from whythis.explanation import Explanation, Verdict
from whythis.recsys.errors import WhyThisError
from whythis.recsys.scorer import Scorer
from whythis.recsys.titles import cut
from whythis.text.checker import Draft, Ledger, check, examine
from whythis.text.language import load_language
from whythis.text.realiser import realise
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace
from whythis.writers.writer import Writer

_CHOICES = 5


@dataclass
class Turn:
    """Build the reply to one question; every way to add a sentence checks it first.

    `lock` is held while the writer is at work.
    """

    ground: Ground
    user: str
    text: str
    session: Session
    route: Route
    writer: Writer | None
    lock: AbstractContextManager[object]
    intent: Intent = "help"
    sentences: list[Sentence] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    explanation: Explanation | None = None
    items: tuple[Recommended, ...] = ()
    changes: tuple[Change, ...] = ()
    predicted: tuple[Change, ...] = ()
    asks_back: bool = False
    choices: tuple[Choice, ...] = ()
    suggestions: tuple[str, ...] = ()
    note: str | None = None
    focus: str | None = None
    other: str | None = None
    proposal: Proposal | None = None
    asked: Asked | None = None
    _ledgers: int = 0

    @property
    def ws(self) -> Workspace:
        """Return the workspace of this turn; edits make another one."""
        return self.ground.ws

    @property
    def rec(self) -> Scorer:
        """Return the recommender over corrected data."""
        return self.ws.recommender

    @property
    def key(self) -> str:
        """Return what seeds the phrasings: equal keys word alike."""
        return f"{self.session.seed}/{self.user}"

    def has_seen(self, item: str) -> bool:
        """Return whether the user has seen an item, or rejected it."""
        return self.rec.item_ids.index(item) in self.rec.seen(self.user)

    def step(self, name: str, text: str) -> Step:
        """Tell what is being done."""
        return Step(name=name, text=text)

    def found(self, records: Iterable[Evidence]) -> Iterator[Event]:
        """Tell evidence that was not told before."""
        for record in records:
            if record.id not in self.evidence:
                self.evidence[record.id] = record
                yield EvidenceFound(record=record)

    def ledger(self, claims: Iterable[Claim], item: str) -> Ledger:
        """Execute claims about one item again; ids that are taken get a letter more."""
        letter = "" if not self._ledgers else chr(ord("a") + min(self._ledgers, 25))
        self._ledgers += 1
        named = [c.model_copy(update={"id": f"{c.id}{letter}"}) for c in claims]
        return examine(named, item, self.ws)

    def about(self, found: Sequence[Evidence], item: str) -> Ledger:
        """Execute again what evidence supports about one item."""
        return self.ledger(offer(found, self.user, item), item)

    def say(self, ledger: Ledger, *drafts: Draft) -> Iterator[Event]:
        """Say the first of the drafts that passes the checks."""
        told = {id_ for s in self.sentences for id_ in s.claims}
        for draft in drafts:
            (one,) = check([draft], ledger, load_language(), told)
            if one.text is not None:
                yield self._released(ledger, one.text, draft, "realiser")
                return

    def tell(
        self, ledger: Ledger, kinds: Collection[str], *, named: bool = False, most: int = 9
    ) -> Iterator[Event]:
        """Say verified claims of these kinds, each in a sentence that code words.

        named: only sentences that name the item. most: how many sentences at most.
        """
        chosen = {i: c for i, c in ledger.verified.items() if c.claim.kind in kinds}
        part = replace(ledger, verdicts={i: ledger.verdicts[i] for i in chosen}, verified=chosen)
        told = {id_ for s in self.sentences for id_ in s.claims}
        said = len(self.sentences)  # what is told later is worded otherwise
        for place in range(said, said + (10 if named else 1)):
            drafts = realise(
                part, load_language(), key=self.key, style="detailed", place=place, told=told
            )
            if not named or any("{item}" in d.text for d in drafts[:1]):
                break
        else:
            return
        for one in check(drafts[:most], part, load_language(), told):
            if one.text is not None:
                yield self._released(part, one.text, one.draft, "realiser")

    def _released(
        self, ledger: Ledger, text: str, draft: Draft, writer: Literal["model", "realiser"]
    ) -> Said:
        for id_ in draft.claims:
            if id_ not in self.verdicts:
                self.claims.append(ledger.verified[id_].claim)
                self.verdicts[id_] = ledger.verdicts[id_]
        return self._add(text, draft.text, draft.claims, (), writer)

    def explain(self, explanation: Explanation) -> Iterator[Event]:
        """Take over an explanation, its sentences, claims and evidence."""
        self.explanation = explanation
        self.note = self.note or explanation.llm_error
        yield from self.found(explanation.evidence)
        self.claims += explanation.claims
        self.verdicts |= explanation.verdicts
        self._ledgers += 1
        for one in explanation.sentences:
            yield self._add(one.text, one.draft, one.claims, (), one.writer)

    def state(self, kind: str, **args: JsonValue) -> Iterator[Event]:
        """Find a fact, find it again, and say it; nothing is said of what does not hold."""
        try:
            record, told = facts.find(self.ground, kind, **args)
        except WhyThisError as error:
            self.note = self.note or str(error)
            return
        verdict = facts.verify(record, told, self.ground)
        if verdict.outcome != "verified":
            self.note = self.note or verdict.reason
            return
        yield from self.found([record])
        yield self.hold(told, verdict)

    def hold(self, told: Fact, verdict: Verdict) -> Said:
        """Say a fact that was found again."""
        self.facts.append(told)
        self.verdicts[told.id] = verdict
        return self._add(told.text, told.text, (), (told.id,), "realiser")

    def fixed(self, name: str, echo: str | None = None) -> Said:
        """Say one of the sentences that claim nothing."""
        text = fixed.FIXED[name]
        if echo is not None:
            text = text.replace("{echo}", fixed.echoed(echo))
        return self._add(text, text, (), (), "fixed")

    def _add(
        self,
        text: str,
        draft: str,
        claims: tuple[str, ...],
        found: tuple[str, ...],
        writer: Literal["model", "realiser", "fixed"],
    ) -> Said:
        start = self.sentences[-1].end + 1 if self.sentences else 0
        sentence = Sentence(
            text=text,
            draft=draft,
            start=start,
            end=start + len(text),
            claims=claims,
            facts=found,
            writer=writer,
        )
        self.sentences.append(sentence)
        return Said(sentence=sentence)

    def value(self, kind: str) -> dict[str, JsonValue]:
        """Return the values of the last evidence of a kind; empty where there is none."""
        return next((e.value for e in reversed(self.evidence.values()) if e.kind == kind), {})

    def listed(self, kind: str, scores: str | None = None) -> None:
        """Show the items of a fact as a list."""
        value = self.value(kind)
        found, numbers = value.get("items", []), value.get(scores or "", [])
        assert isinstance(found, list)
        assert isinstance(numbers, list)
        self.items = tuple(
            Recommended(
                item=str(item),
                title=self.rec.title(str(item)),
                rank=n,
                score=float(str(numbers[n - 1])) if len(numbers) >= n else None,
            )
            for n, item in enumerate(found, 1)
        )

    def listed_after(self, kind: str) -> None:
        """Show the list that a fact foresees."""
        after = self.value(kind).get("after", [])
        assert isinstance(after, list)
        self.items = tuple(
            Recommended(item=str(item), title=self.rec.title(str(item)), rank=n)
            for n, item in enumerate(after, 1)
        )

    def changed(self, kind: str) -> tuple[Change, ...]:
        """Return the changes that a fact holds, those that changed nothing left out."""
        rows = self.value(kind).get("changes", [])
        assert isinstance(rows, list)
        changes = (Change.model_validate(row) for row in rows)
        return tuple(c for c in changes if c.before != c.after)

    def ask(
        self, name: str, choices: Sequence[str] = (), echo: str | None = None
    ) -> Iterator[Event]:
        """Ask back; `choices`: items that could be meant. A bare name is then taken as answer."""
        self.asks_back = True
        self.asked = Asked(intent=self.intent, items=self.route.items[:1])
        if echo and fixed.echoed(echo):
            yield self.fixed("unclear", echo)
        yield self.fixed(name)
        self.choices = tuple(
            Choice(item=item, title=self.rec.title(item)) for item in choices[:_CHOICES]
        )

    def suggest(self, *names: str, titles: Sequence[str] = ()) -> None:
        """Add questions that could be asked next, about the first of the titles."""
        self.suggestions += fixed.suggestions(names, [cut(title) for title in titles])

    def reply(self) -> Reply:
        """Return what was collected."""
        before = self.session
        shown = tuple(one.item for one in (self.items or self.choices)) or before.shown
        session = Session(
            user=self.user,
            turns=before.turns + 1,
            shown=shown[:MOST_SHOWN],
            focus=self.focus,
            other=self.other,
            seed=before.seed,
            proposal=self.proposal,
            asked=self.asked,
        )
        cited = {id_ for one in (*self.claims, *self.facts) for id_ in one.evidence}
        if self.explanation is not None:
            cited |= {e.id for e in self.explanation.evidence}
        return Reply(
            user=self.user,
            intent=self.intent,
            text=" ".join(sentence.text for sentence in self.sentences),
            sentences=tuple(self.sentences),
            claims=tuple(self.claims),
            facts=tuple(self.facts),
            verdicts=self.verdicts,
            evidence=tuple(e for e in self.evidence.values() if e.id in cited),
            explanation=self.explanation,
            items=self.items,
            changes=self.changes,
            predicted=self.predicted,
            asks_back=self.asks_back,
            choices=self.choices,
            suggestions=self.suggestions,
            note=self.note,
            session=session,
        )
