"""Judge an explanation that anyone wrote, sentence by sentence, by executing what it asserts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from whythis.auditing import grammar as grammars
from whythis.auditing.assertions import assess
from whythis.auditing.causes import Talk
from whythis.auditing.ground import Ground
from whythis.auditing.mentions import Mention, Titles, mentions
from whythis.auditing.phrases import recognise
from whythis.auditing.records import Audit, Finding, Judged, Supported, summarised
from whythis.auditing.sentences import LONGEST, sentences
from whythis.recsys.errors import LanguageModelError, MissingPartError, ModelError
from whythis.text.wording import clean
from whythis.tools.workspace import Workspace

LONGEST_TEXT = 50_000
"""Characters of a text that is audited; an explanation is never so long."""

_KEPT = 16  # recommendations whose executed facts are kept


class Reader(Protocol):
    """Restate a sentence in words that can be read; a language model is one."""

    @property
    def name(self) -> str:
        """Return what the audit calls this reader."""

    def restate(self, sentence: str) -> str | None:
        """Return the sentence in plainer words, its names and numbers kept; None if it cannot."""


@dataclass(frozen=True, eq=False)
class Auditor:
    """Audit texts about one recommender; what can be shared between them is."""

    ws: Workspace
    reader: Reader | None = None
    grammar: grammars.Grammar | None = None

    @cached_property
    def _grammar(self) -> grammars.Grammar:
        return self.grammar or grammars.load_grammar()

    @cached_property
    def _titles(self) -> Titles:
        rec = self.ws.recommender
        bare = [rec.short_title(i) for i in rec.item_ids.ids]
        return Titles(rec.item_ids.ids, rec.titles, bare)

    @cached_property
    def _ground(self) -> Callable[[str, str], Ground]:
        # texts about one recommendation often come together; what is true of it stays true
        return lru_cache(maxsize=_KEPT)(lambda user, item: Ground(self.ws, user, item))

    def audit(self, text: str, *, user: str, item: str) -> Audit:
        """Return the verdict on every sentence of a text about an unseen item.

        Raises `UnknownIdError` for unknown ids and `DataError` for an item already seen.
        """
        rec = self.ws.recommender
        rec.candidate(user, item)
        talk = Talk(self._ground(user, item))
        judged = tuple(self._judged(text[:LONGEST_TEXT], talk))
        if len(text) > LONGEST_TEXT:
            rest = f"the text is longer than {LONGEST_TEXT:,} characters: the rest was not read"
            judged += (
                Judged(
                    text="…", start=LONGEST_TEXT, end=len(text), verdict="uncheckable", reason=rest
                ),
            )
        return Audit(
            user=user,
            item=item,
            title=rec.title(item),
            model_hash=rec.hashes["model"],
            data_hash=rec.hashes["data"],
            reader=self.reader.name if self.reader else "none",
            sentences=judged,
            summary=summarised(judged),
        )

    def _judged(self, text: str, talk: Talk) -> list[Judged]:
        found = self._mentions(text, talk.ground)
        spans = sentences(text, found, self._grammar.questions)
        return [self._sentence(text, start, end, found, talk) for start, end in spans]

    def _mentions(self, text: str, ground: Ground) -> tuple[Mention, ...]:
        tastes: Mapping[str, int] = {}
        if self.ws.recommender.access == "owned":
            tastes = {card.name: persona for persona, card in ground.cards.items()}
        known: Sequence[str] = ()
        if self.ws.reviews is not None:
            known = tuple(str(clean(s.text)) for s in ground.sentences)
        return mentions(
            text,
            titles=self._titles,
            item=ground.item,
            near=ground.history,
            known=known,
            tastes=tastes,
            heads=self._grammar.taste_heads,
            verbs=self._grammar.liking_verbs,
        )

    def _sentence(
        self, text: str, start: int, end: int, found: Sequence[Mention], talk: Talk
    ) -> Judged:
        words = text[start:end]

        def judged(
            verdict: Supported,
            reason: str,
            findings: Sequence[Finding] = (),
            reading: str | None = None,
        ) -> Judged:
            return Judged(
                text=words,
                start=start,
                end=end,
                verdict=verdict,
                reason=reason,
                findings=tuple(findings),
                reading=reading,
            )

        if (own := recognise(words, talk.ground)) is not None:
            return judged(own.outcome, own.reason, [own])
        inside = [
            Mention(m.start - start, m.end - start, m.symbol, m.value, m.exact)
            for m in found
            if start <= m.start and m.end <= end
        ]
        line = grammars.line(words, inside, self._grammar)
        if sum(map(len, line.words)) > LONGEST:
            return judged("uncheckable", f"it is longer than {LONGEST} characters")
        readings = grammars.read(line, self._grammar)
        whole = readings is not None
        if readings is None:
            readings = grammars.pieces(line, self._grammar)
        findings = [_tested(r, readings[n + 1 :], talk) for n, r in enumerate(readings)]
        wrong = next((f for f in findings if f.outcome == "refuted"), None)
        if wrong is not None and (whole or self._apart(line, readings)):
            return judged("refuted", wrong.reason, findings)
        open_ = next((f for f in findings if f.outcome == "uncheckable"), None)
        if whole and findings and open_ is None:
            return judged(
                "supported", "; ".join(dict.fromkeys(f.reason for f in findings)), findings
            )
        if whole and open_ is not None:
            return judged("uncheckable", open_.reason, findings)
        return self._restated(words, talk, judged, line, findings)

    def _restated(
        self,
        words: str,
        talk: Talk,
        judged: Callable[..., Judged],
        line: grammars.Line,
        findings: Sequence[Finding],
    ) -> Judged:
        """Let a reader restate what could not be read; what it finds can refute, never support."""
        reason = self._unread(line, findings)
        if self.reader is None:
            return judged("uncheckable", reason, findings)
        try:
            said = self.reader.restate(words)
        except LanguageModelError as error:
            return judged("uncheckable", f"{reason} ({error})", findings)
        if said is None:
            return judged("uncheckable", reason, findings)
        before = self._mentions(words, talk.ground)
        named = self._mentions(said, talk.ground)
        if _named(before) != _named(named):
            return judged(
                "uncheckable", f"{reason}; it was not restated faithfully", findings, said
            )
        again = grammars.line(said, named, self._grammar)
        readings = grammars.read(again, self._grammar)
        if not readings or self._negated(line) != self._negated(again):
            return judged("uncheckable", reason, findings, said)
        tested = [_tested(r, readings[n + 1 :], talk) for n, r in enumerate(readings)]
        wrong = next((f for f in tested if f.outcome == "refuted"), None)
        if wrong is not None:
            return judged("refuted", f"as a language model reads it: {wrong.reason}", tested, said)
        return judged(
            "uncheckable", f"{reason}; as a language model reads it, it is so", tested, said
        )

    def _unread(self, line: grammars.Line, findings: Sequence[Finding]) -> str:
        unknown = [w for w in line.words if w.isalpha() and w not in self._grammar.vocabulary]
        if unknown:
            listed = ", ".join(f"“{w}”" for w in dict.fromkeys(unknown[:5]))
            return f"it says more than can be executed or looked up: {listed}"
        if findings:
            return "only a part of it can be executed or looked up"
        return "it makes no statement that can be executed or looked up"

    def _apart(self, line: grammars.Line, readings: Sequence[grammars.Reading]) -> bool:
        """Return whether what was read keeps its sense without the rest of the sentence."""
        read = {word for reading in readings for word in reading.words.split()}
        return not self._negated(line) and line.named.keys() & set(line.words) <= read

    def _negated(self, line: grammars.Line) -> bool:
        return any(word in self._grammar.negations for word in line.words)


def audit(text: str, *, user: str, item: str, ws: Workspace, reader: Reader | None = None) -> Audit:
    """Judge a text about one recommendation; `Auditor` shares the titles between many texts.

    Raises `UnknownIdError` for unknown ids and `DataError` for an item already seen.
    """
    return Auditor(ws, reader).audit(text, user=user, item=item)


def _tested(
    reading: grammars.Reading, following: Sequence[grammars.Reading], talk: Talk
) -> Finding:
    try:
        return assess(reading, following, talk)
    except (MissingPartError, ModelError) as error:
        return Finding(
            said=reading.words,
            kind=reading.reads,
            outcome="uncheckable",
            reason=str(error),
            found={},
            source=talk.ground.ws.model_source,
        )


def _named(found: Sequence[Mention]) -> list[tuple[str, str]]:
    return sorted((m.symbol, m.value) for m in found)
