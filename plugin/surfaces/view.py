"""Lay an explanation out for a reader: the one view that terminal and page paint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue

from whythis.claims.kinds import Claim, ReviewQuote
from whythis.explanation import Explanation, Outcome, PersonaBar, Verdict
from whythis.recsys.errors import ModelError
from whythis.text.wording import (
    KINDS,
    LEVELS,
    MARKS,
    Quote,
    Theirs,
    Words,
    clean,
    count,
    direction,
    in_words,
    percent,
    sign,
    signed,
)
from whythis.tools.evidence import Evidence

_Record = TypeVar("_Record")
_TITLES = 3  # of a persona; more are a list, not a picture
_WRITERS = {
    "model": "worded by the language model",
    "realiser": "worded by the built-in realiser",
    "fixed": "always said in these words",
}


@dataclass(frozen=True, slots=True)
class Told:
    """Hold a sentence of any record: its place in the text, what it rests on by id, its writer."""

    text: str
    start: int
    end: int
    rests: tuple[str, ...]
    writer: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Show one piece of evidence: where it is from, the probe that found it, its values."""

    id: Theirs
    source: Words
    probe: Theirs
    facts: tuple[tuple[Theirs, Theirs], ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """Show one claim: what it says, how it is known, how it fared when executed again."""

    kind: str
    level: str
    how: str
    words: Words
    outcome: Outcome
    mark: str
    reason: Theirs
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Show one sentence; `paragraph`: a paragraph begins with it; `sample`: it quotes a
    sample review and does not say so."""

    number: int
    words: Words
    paragraph: bool
    sample: bool
    writer: str
    proofs: tuple[Proof, ...]

    @property
    def outcome(self) -> Outcome:
        """Return the weakest outcome among the sentence's claims."""
        found = {proof.outcome for proof in self.proofs}
        if "refuted" in found:
            return "refuted"
        return "verified" if found == {"verified"} else "uncheckable"

    @property
    def mark(self) -> str:
        """Return the mark of the outcome."""
        return MARKS[self.outcome]


@dataclass(frozen=True, slots=True)
class Bar:
    """Show one persona: share 0..1 and signed effect, both also in words."""

    name: Theirs
    titles: tuple[Theirs, ...]
    share: float
    percent: str
    effect: float
    sign: int
    signed: str
    direction: str


@dataclass(frozen=True, slots=True)
class View:
    """Show one explanation. `asked` is None where the headline says the same; `answer` is set
    only where there are no sentences; `stamp` says which model, data and language model."""

    user: Theirs
    title: Theirs
    asked: Theirs | None
    answer: Theirs | None
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    dropped: tuple[tuple[Theirs, Theirs], ...]
    stamp: tuple[Words, ...]
    error: Theirs | None

    @property
    def headline(self) -> Words:
        """Return the question: which item, for whom."""
        return ("Why “", self.title, "” for user ", self.user, "?")


def view(explanation: Explanation) -> View:
    """Lay an explanation out; raise `ModelError` where a sentence cites what the record lacks."""
    asked, short_form = clean(explanation.question), f"Why {explanation.title}"
    known = ("", f"{short_form}?", f"{short_form} for user {explanation.user}?")
    same = _plain(asked) in [_plain(clean(form)) for form in known]
    return View(
        user=clean(explanation.user),
        title=clean(explanation.title),
        asked=None if same else asked,
        answer=None if explanation.sentences else clean(explanation.answer) or None,
        lines=_lines(explanation),
        bars=tuple(map(_bar, explanation.personas)),
        dropped=tuple((clean(d.text), clean(d.reason)) for d in explanation.dropped),
        stamp=_stamp(explanation),
        error=clean(explanation.llm_error) if explanation.llm_error else None,
    )


def short(digest: str) -> Theirs:
    """Return the first 8 characters of a hash, without the name of its function."""
    return clean(digest.rpartition(":")[2][:8])


def lines(
    text: str,
    told: Iterable[Told],
    prove: Callable[[str, int], Proof],
    quotes: Mapping[str, ReviewQuote],
) -> tuple[Line, ...]:
    """Lay the sentences of `text` out.

    prove: shows what a sentence rests on, from its id and the number of the sentence. quotes: the
    claims that quote a review, by id.
    """
    found, end = [], 0
    for number, sentence in enumerate(told, 1):
        cited = [quotes[id_].value for id_ in sentence.rests if id_ in quotes]
        found.append(
            Line(
                number=number,
                words=_quoted(clean(sentence.text), [clean(q.quote) for q in cited]),
                paragraph=number > 1 and "\n" in text[end : sentence.start],
                sample=any(q.source == "sample" for q in cited)
                and "sample review" not in sentence.text.casefold(),
                writer=_WRITERS[sentence.writer],
                proofs=tuple(prove(id_, number) for id_ in sentence.rests),
            )
        )
        end = sentence.end
    return tuple(found)


def prover(
    claims: Iterable[Claim], verdicts: Mapping[str, Verdict], evidence: Iterable[Evidence]
) -> Callable[[str, int], Proof]:
    """Return what shows a claim by its id; it raises `ModelError` for what the record lacks."""
    by_id, records = {claim.id: claim for claim in claims}, {e.id: e for e in evidence}
    titles = _titles(records.values())

    def prove(id_: str, number: int) -> Proof:
        claim = found(by_id, id_, "claim", number)
        verdict = found(verdicts, id_, "verdict of claim", number)
        backing = [found(records, e, "evidence", number) for e in claim.evidence]
        return _proof(claim, verdict, backing, titles)

    return prove


def _lines(explanation: Explanation) -> tuple[Line, ...]:
    return lines(
        explanation.answer,
        [Told(s.text, s.start, s.end, s.claims, s.writer) for s in explanation.sentences],
        prover(explanation.claims, explanation.verdicts, explanation.evidence),
        {claim.id: claim for claim in explanation.claims if isinstance(claim, ReviewQuote)},
    )


def _proof(
    claim: Claim, verdict: Verdict, backing: Iterable[Evidence], titles: Mapping[str, str]
) -> Proof:
    return Proof(
        kind=KINDS[claim.kind],
        level=claim.level,
        how=LEVELS[claim.level],
        words=in_words(claim, titles),
        outcome=verdict.outcome,
        mark=MARKS[verdict.outcome],
        reason=clean(verdict.reason),
        findings=tuple(map(finding, backing)),
    )


def found(records: Mapping[str, _Record], id_: str, what: str, number: int) -> _Record:
    """Return the record that sentence `number` rests on; raise `ModelError` where there is none."""
    if id_ not in records:
        raise ModelError(
            f"sentence {number} rests on {what} {id_!r}, which the explanation does not hold; "
            "make the explanation again"
        )
    return records[id_]


def _quoted(text: Theirs, quotes: Iterable[Theirs]) -> Words:
    longest_first = sorted(filter(None, quotes), key=len, reverse=True)
    if not longest_first:
        return (text,)
    # Between our marks only: a review may be one word, which the sentence holds elsewhere too.
    pieces = re.split(f"(?<=“)({'|'.join(map(re.escape, longest_first))})(?=”)", text)
    return tuple(Quote(p) if n % 2 else Theirs(p) for n, p in enumerate(pieces) if p)


def finding(record: Evidence) -> Finding:
    """Show a piece of evidence."""
    origin, _, name = record.source.partition(":")
    source: Words = (clean(origin), " ", short(name))
    if origin == "reviews":
        source = ("sample reviews",) if name == "sample" else ("reviews ", clean(name))
    args = ", ".join(f"{key}={_json(value)}" for key, value in record.probe.args.items())
    facts = ((clean(key.replace("_", " ")), clean(_json(v))) for key, v in record.value.items())
    return Finding(clean(record.id), source, clean(f"{record.probe.name}({args})"), tuple(facts))


def _titles(evidence: Iterable[Evidence]) -> dict[str, str]:
    """Return the titles that stand beside item ids in evidence."""
    found: dict[str, str] = {}
    for record in evidence:
        items, titles = record.value.get("items"), record.value.get("titles")
        if isinstance(items, list) and isinstance(titles, list) and len(items) == len(titles):
            found |= {str(id_): str(title) for id_, title in zip(items, titles, strict=True)}
    return found


def _bar(bar: PersonaBar) -> Bar:
    return Bar(
        name=clean(bar.name),
        titles=tuple(map(clean, bar.titles[:_TITLES])),
        share=bar.share,
        percent=percent(bar.share),
        effect=bar.effect,
        sign=sign(bar.effect),
        signed=signed(bar.effect),
        direction=direction(bar.effect),
    )


def _stamp(explanation: Explanation) -> tuple[Words, ...]:
    prompt, metrics = explanation.prompt, explanation.metrics
    took = metrics.ms.get("total", sum(metrics.ms.values()))
    return (
        ("model ", short(explanation.model_hash)),
        ("data ", short(explanation.data_hash)),
        *((("prompt ", clean(prompt.name), " ", short(prompt.hash)),) if prompt else ()),
        ("language model ", clean(explanation.llm)),
        (f"seed {explanation.seed}",),
        (count(metrics.rounds, "round"),),
        (count(metrics.tokens, "token"),),
        (f"{took:,.0f} ms",),
        (f"{percent(metrics.coverage)} of the effects told",),
    )


def _json(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(text: str) -> str:
    return re.sub("[\"“”'‘’]", "", text).casefold()
