"""Verify a saved explanation again, from an artefact of today: what holds, what became false."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from whythis.auditing.integrity import UNREADABLE, alike, flaw, oversize, same_run
from whythis.claims.kinds import Claim
from whythis.claims.offer import offer
from whythis.code_hash import code_hash
from whythis.explanation import Explanation, Sentence, bars
from whythis.recsys.errors import DataError, MissingPartError, UnknownIdError
from whythis.text.checker import Draft, Ledger, check, examine
from whythis.text.language import load_language
from whythis.text.wording import clean, percent, signed
from whythis.tools import probes
from whythis.tools.workspace import Workspace

SCHEMA = "whythis/replay/1"
Outcome = Literal["holds", "false", "unchecked"]

_REASON = 400  # characters that a person reads


@dataclass(frozen=True)
class Replayed:
    """Hold one sentence of a saved explanation and what has become of it."""

    text: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Replay:
    """Hold what has become of a saved explanation.

    refused: why the record as a whole is not accepted (it is none of ours, or users, items, runs or
    evidence are mixed up in it), whatever is left of its sentences. same: it names this very model
    and these very data; what does not hold was then altered. same_code: likewise of the code.
    tastes: what has become of the bars it shows, None where it shows none.
    """

    user: str
    item: str
    refused: str | None
    same: bool
    same_code: bool
    sentences: tuple[Replayed, ...]
    tastes: Replayed | None = None

    @property
    def holds(self) -> bool:
        """Return whether something is said, and all of it, the bars included, holds."""
        shown = self.sentences if self.tastes is None else (*self.sentences, self.tastes)
        said = bool(self.sentences) and self.refused is None
        return said and all(one.outcome == "holds" for one in shown)

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form."""
        return {
            "schema": SCHEMA,
            "user": self.user,
            "item": self.item,
            "holds": self.holds,
            "refused": self.refused,
            "same": self.same,
            "same_code": self.same_code,
            "sentences": [asdict(sentence) for sentence in self.sentences],
            "tastes": None if self.tastes is None else asdict(self.tastes),
        }


def replay(saved: object, ws: Workspace) -> Replay:
    """Verify an explanation in its public JSON form; never raises for what it may hold.

    Every claim is executed again on `ws`, every sentence checked again with what is true now and
    its text compared. Nothing the record says of itself is believed: neither verdicts nor evidence
    nor hashes. Not checked, for nothing follows from them: the question, what was not said, the
    language model's name and error, the prompt, the seed, tokens, rounds, times, and the words by
    which a review was searched for.
    """
    try:
        record = Explanation.from_json(saved)
    except DataError as error:
        return refusal(str(error))
    same, same_code = same_run(record, ws), record.code_hash == code_hash()
    refused, sentences, tastes = oversize(record), tuple[Replayed, ...](), None
    if refused is None:
        blame = _blame(same, same_code)
        refused, tastes = flaw(record, ws), _tastes(record, ws, blame)
        sentences = _replayed(record, ws, blame)
    refused = None if refused is None else clean(refused)[:_REASON]
    return Replay(record.user, record.item, refused, same, same_code, sentences, tastes)


def refusal(reason: str) -> Replay:
    """Return what has become of a record that cannot be read: it is refused."""
    return Replay("", "", clean(reason)[:_REASON], same=False, same_code=False, sentences=())


def _blame(same: bool, same_code: bool) -> str:
    """Return what a difference means."""
    if not same:
        return ""
    altered = "it was altered" if same_code else "it was altered, or the code was"
    return f"; the record names this very model and data, so {altered}"


def _replayed(record: Explanation, ws: Workspace, blame: str) -> tuple[Replayed, ...]:
    try:
        ledger = examine(record.claims, record.item, ws)
    except UnknownIdError as error:
        return tuple(Replayed(s.text, "false", f"{error}{blame}") for s in record.sentences)
    strange = _strange(record, ledger)
    told: set[str] = set()
    found = []
    for sentence in record.sentences:
        outcome, why = _judged(sentence, ledger, strange, told)
        told.update(sentence.claims)
        mark = blame if outcome == "false" else ""
        found.append(Replayed(sentence.text, outcome, clean(why)[:_REASON] + mark))
    return tuple(found)


def _tastes(record: Explanation, ws: Workspace, blame: str) -> Replayed | None:
    """Return whether the bars are those of today: every taste, its name, share, effect, titles."""
    if not record.personas:
        return None
    text = "The bars of its tastes."
    try:
        now = bars(probes.personas(ws, record.user, record.item))
    except MissingPartError as error:
        return Replayed(text, "unchecked", str(error))
    except (UnknownIdError, DataError) as error:
        return Replayed(text, "false", f"{error}{blame}")
    if len(now) != len(record.personas):
        return Replayed(
            text, "false", f"there are {len(now)} tastes, not {len(record.personas)}{blame}"
        )
    for mine, told in zip(now, record.personas, strict=True):
        if not alike(mine.model_dump(mode="json"), told.model_dump(mode="json")):
            found = f"{mine.name!r} with {percent(mine.share)} of the weight, {signed(mine.effect)}"
            return Replayed(text, "false", f"one is {found}{blame}")
    return Replayed(text, "holds", "found again: every name, share, effect and title")


def _strange(record: Explanation, ledger: Ledger) -> dict[str, str]:
    """Return which claims are not what the evidence they cite supports, or how it was said."""
    try:
        offered = [_unnamed(c) for c in offer(record.evidence, record.user, record.item)]
    except UNREADABLE:
        offered = []
    found = {}
    for claim in record.claims:
        if _unnamed(claim) not in offered:
            found[claim.id] = "it says other than the evidence that it cites"
        elif record.verdicts[claim.id] != ledger.verdicts[claim.id]:
            found[claim.id] = "it was not verified in the way that is written there"
    return found


def _unnamed(claim: Claim) -> Claim:
    return claim.model_copy(update={"id": ""})


def _judged(
    sentence: Sentence, ledger: Ledger, strange: Mapping[str, str], told: Collection[str]
) -> tuple[Outcome, str]:
    """Return whether a sentence would be released today with just this text."""
    cited = [(id_, ledger.verdicts.get(id_)) for id_ in sentence.claims]
    for id_, verdict in cited:
        if verdict is None:
            return "false", f"it cites {id_!r}, which is no claim of the record"
        if verdict.outcome == "refuted":
            return "false", f"{id_}: {verdict.reason}"
    for id_, verdict in cited:
        if verdict is not None and verdict.outcome == "uncheckable":
            return "unchecked", f"{id_}: {verdict.reason}"
    for id_, _ in cited:
        if id_ in strange:
            return "false", f"{id_}: {strange[id_]}"
    (now,) = check([Draft(sentence.draft, sentence.claims)], ledger, load_language(), told)
    if now.reason is not None:
        return "false", f"its claims no longer support its words: {now.reason}"
    if now.text != sentence.text:
        return "false", f"it reads now: {now.text}"
    return "holds", "every claim was verified again, every word checked again"
