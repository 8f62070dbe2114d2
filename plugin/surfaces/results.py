"""Hold what a tool tells an assistant: small records, the same through every adapter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from whythis.auditing.records import Audit, Summary, Supported
from whythis.claims.kinds import Claim, Level
from whythis.conversation.reply import Change, Choice, Recommended, Reply
from whythis.explanation import Explanation, Outcome, PersonaBar
from whythis.strict_json import shown_json
from whythis.surfaces.view import Bar, Proof, view
from whythis.tools.evidence import Evidence

_BAR = 24  # columns


class Told(BaseModel):
    """Be the answer of a tool. `left_out` counts what was cut off to keep the answer small, and
    `note` says how to get it; both are absent from most answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    listed: ClassVar[str]
    """The field whose last entries are cut off where the whole is too long."""

    left_out: int = 0
    note: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form."""
        usual = None if self.left_out else {"left_out", "note"}
        return self.model_dump(mode="json", exclude=usual)

    def as_text(self) -> str:
        """Return the JSON form as one line of text.

        Whatever a review or a title says stays inside its string: quotation marks, line breaks,
        and what would turn text round or hide it are escapes.
        """
        return shown_json(self.as_json())


class Finding(BaseModel):
    """Show one piece of evidence; `source` is the model, data or reviews asked, its hash cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    source: str
    value: dict[str, JsonValue]


class Findings(Told):
    """Answer with evidence, in the probe's order."""

    listed: ClassVar[str] = "findings"

    findings: tuple[Finding, ...]


class Ranking(Told):
    """Answer with the user's best unseen items."""

    listed: ClassVar[str] = "items"

    user: str
    items: tuple[Recommended, ...]


class Proven(BaseModel):
    """Show a claim: what it says, how it is known, and how it fared when executed again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    level: Level
    outcome: Outcome
    says: str
    evidence: tuple[str, ...]


class Stated(BaseModel):
    """Show one released sentence with the claims that it rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    claims: tuple[Proven, ...]


class Taste(PersonaBar):
    """Show one taste: share 0..1, signed effect on the item's score, and both as a line of text."""

    bar: str


class Explained(Told):
    """Answer why an item stands where it does; `answer` is checked, your own words are not."""

    listed: ClassVar[str] = "sentences"

    user: str
    item: str
    title: str
    question: str
    answer: str
    sentences: tuple[Stated, ...]
    tastes: tuple[Taste, ...]
    refused: int
    worded_by: str
    model_hash: str
    data_hash: str


class Checked(BaseModel):
    """Show the verdict on one sentence of a text that was audited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    verdict: Supported
    reason: str


class Audited(Told):
    """Answer which sentences of a text hold."""

    listed: ClassVar[str] = "sentences"

    user: str
    item: str
    title: str
    sentences: tuple[Checked, ...]
    summary: Summary


class Replied(Told):
    """Answer a question; `answer` is checked, your own words are not. `session` is what a
    follow-up question hands back."""

    listed: ClassVar[str] = "items"

    user: str
    answer: str
    items: tuple[Recommended, ...]
    changes: tuple[Change, ...]
    asks_back: bool
    choices: tuple[Choice, ...]
    suggestions: tuple[str, ...]
    session: str


def findings(found: Iterable[Evidence]) -> Findings:
    """Return evidence as an answer."""
    return Findings(
        findings=tuple(
            Finding(id=e.id, kind=e.kind, source=_short(e.source), value=e.value) for e in found
        )
    )


def ranking(user: str, found: Iterable[Recommended]) -> Ranking:
    """Return a list of recommendations as an answer."""
    return Ranking(
        user=user,
        items=tuple(found),
    )


def explained(found: Explanation) -> Explained:
    """Return an explanation as an answer."""
    shown = view(found)
    claims = {claim.id: claim for claim in found.claims}
    return Explained(
        user=found.user,
        item=found.item,
        title=found.title,
        question=found.question,
        answer=found.answer,
        sentences=tuple(
            Stated(
                text=sentence.text,
                claims=tuple(
                    _proven(claims[id_], found, proof)
                    for id_, proof in zip(sentence.claims, line.proofs, strict=True)
                ),
            )
            for sentence, line in zip(found.sentences, shown.lines, strict=True)
        ),
        tastes=tuple(
            Taste(**bar.model_dump(), bar=_bar(drawn))
            for bar, drawn in zip(found.personas, shown.bars, strict=True)
        ),
        refused=len(found.dropped),
        worded_by=found.llm,
        model_hash=found.model_hash,
        data_hash=found.data_hash,
    )


def audited(found: Audit) -> Audited:
    """Return an audit as an answer."""
    return Audited(
        user=found.user,
        item=found.item,
        title=found.title,
        sentences=tuple(
            Checked(text=s.text, verdict=s.verdict, reason=s.reason) for s in found.sentences
        ),
        summary=found.summary,
    )


def replied(found: Reply) -> Replied:
    """Return a reply as an answer."""
    return Replied(
        user=found.user,
        answer=found.text,
        items=found.items,
        changes=found.changes,
        asks_back=found.asks_back,
        choices=found.choices,
        suggestions=found.suggestions,
        session=found.session.model_dump_json(exclude_defaults=True),
    )


def _proven(claim: Claim, found: Explanation, proof: Proof) -> Proven:
    return Proven(
        kind=claim.kind,
        level=claim.level,
        outcome=found.verdicts[claim.id].outcome,
        says="".join(proof.words),
        evidence=claim.evidence,
    )


def _bar(bar: Bar) -> str:
    filled = max(round(bar.share * _BAR), 1 if bar.share > 0 else 0)
    drawn = "━" * filled + "┄" * (_BAR - filled)
    return f"{drawn} {bar.percent} · {bar.signed} {bar.direction}"


def _short(source: str) -> str:
    origin, _, name = source.partition(":")
    return source if origin == "reviews" else f"{origin}:{name[:8]}"
