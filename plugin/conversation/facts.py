"""Say what claims cannot say: what the user did with an item, and what a list is or becomes.

A claim is about one unseen item. What is said here is found, worded by code from the finding alone,
and found again before it is said, as the statements of the memory are
(`whythis.tools.memory.summary`). No word of a question is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from pydantic import JsonValue

from whythis.auditing.integrity import alike
from whythis.claims.kinds import Level
from whythis.conversation import edit_facts, list_facts, past_facts
from whythis.conversation.ground import Ground, Kind
from whythis.conversation.reply import Fact
from whythis.explanation import Verdict
from whythis.recsys.errors import WhyThisError
from whythis.tools.evidence import Evidence, evidence

KINDS: Mapping[str, Kind] = MappingProxyType(
    {**past_facts.KINDS, **list_facts.KINDS, **edit_facts.KINDS}
)
"""The kinds of facts by name, which is also that of their probe."""

_HOW: Mapping[Level, str] = MappingProxyType(
    {
        "observed": "found again in the data",
        "executed": "ranked again by the model",
        "illustrative": "compared again; an example, not a cause",
    }
)


def find(ground: Ground, kind: str, **args: JsonValue) -> tuple[Evidence, Fact]:
    """Find a fact and word it; raise `WhyThisError` where it cannot be found."""
    found = KINDS[kind].find(ground, **args)
    ws = ground.ws
    source = ws.data_source if KINDS[kind].level == "observed" else ws.model_source
    record = evidence(kind, found, source=source, probe=kind, **args)
    return record, fact(record)


def fact(record: Evidence) -> Fact:
    """Return the sentence that a finding is told by."""
    told = KINDS[record.kind]
    text = told.words(record.value)
    text = text[:1].upper() + text[1:]
    digest = sha256(f"{record.id} {text}".encode("utf-8", "replace")).hexdigest()[:10]
    return Fact(
        id=f"f-{digest}",
        kind=record.kind,
        level=told.level,
        text=text,
        evidence=(record.id,),
    )


def verify(record: Evidence, told: Fact, ground: Ground) -> Verdict:
    """Find the fact again and return whether it is the same, in the same words."""
    if record.probe.name != record.kind or record.kind not in KINDS:
        return Verdict(outcome="refuted", reason="there is no finding of this kind")
    try:
        again = KINDS[record.kind].find(ground, **record.probe.args)
    except WhyThisError as error:
        return Verdict(outcome="refuted", reason=str(error))
    except TypeError:
        return Verdict(outcome="refuted", reason="it was found by other arguments")
    if not alike(again, record.value):
        return Verdict(outcome="refuted", reason="it is found otherwise now")
    if fact(record) != told:
        return Verdict(outcome="refuted", reason=f"it must read: {fact(record).text}")
    return Verdict(outcome="verified", reason=_HOW[told.level])
