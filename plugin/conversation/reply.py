"""Hold an answer of the conversation with everything needed to check it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from whythis.claims.kinds import Claim, Level
from whythis.conversation.intents import Intent
from whythis.conversation.session import Session
from whythis.explanation import Explanation, Verdict, strictly
from whythis.recsys.errors import DataError
from whythis.tools.evidence import Evidence

SCHEMA = "whythis/reply/1"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sentence(_Frozen):
    """Hold one sentence: its text, its place in the reply, what it rests on, its writer.

    claims: ids of the claims it cites; facts: ids of what it says of the user's data or of a list,
    found again before it is said. Both are empty where `writer` is "fixed": such a sentence
    is always the same, asks or says what can be asked, and claims nothing. draft: the text with its
    slots, as it was checked.
    """

    text: str
    draft: str
    start: int
    end: int
    claims: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    writer: Literal["model", "realiser", "fixed"]


class Fact(_Frozen):
    """Hold a whole sentence that code made from one finding, beside what claims can say.

    It is of the user's data or of a list (`whythis.conversation.facts`), or one of the memory
    (`whythis.tools.memory.summary`). evidence: the id of the finding.
    """

    id: str
    kind: str
    level: Level
    text: str
    evidence: tuple[str, ...]


class Change(_Frozen):
    """Hold what an edit did to the place of an item, executed; None: it is not ranked at all."""

    item: str
    title: str
    before: int | None
    after: int | None


class Recommended(_Frozen):
    """Hold one line of a list: rank 1 is best; the score is None where none is shown."""

    item: str
    title: str
    rank: int
    score: float | None = None


class Choice(_Frozen):
    """Name an item that a question could have meant."""

    item: str
    title: str


class Reply(_Frozen):
    """Answer one question; every sentence is checked, and `session` is the state after it.

    verdicts: of claims and facts, by id. explanation: where the answer says why one item
    stands where it does. items: a list shown. changes: what an edit did, or would do, executed;
    predicted: of an edit that was made, what was foreseen. asks_back: it asks instead of answering,
    and `choices` are what could have been meant. suggestions: what could be asked next. note: why a
    fallback routed or worded, where one did.
    """

    schema_: str = SCHEMA
    user: str
    intent: Intent
    text: str
    sentences: tuple[Sentence, ...]
    claims: tuple[Claim, ...] = ()
    facts: tuple[Fact, ...] = ()
    verdicts: dict[str, Verdict] = {}
    evidence: tuple[Evidence, ...] = ()
    explanation: Explanation | None = None
    items: tuple[Recommended, ...] = ()
    changes: tuple[Change, ...] = ()
    predicted: tuple[Change, ...] = ()
    asks_back: bool = False
    choices: tuple[Choice, ...] = ()
    suggestions: tuple[str, ...] = ()
    note: str | None = None
    session: Session

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form: claims and facts by id, each with its verdict."""
        plain = self.model_dump(mode="json", exclude={"explanation"})
        verdicts = plain.pop("verdicts")
        plain["schema"] = plain.pop("schema_")
        for name in ("claims", "facts"):
            plain[name] = {
                one.pop("id"): {
                    **one,
                    "verdict": verdicts[id_]["outcome"],
                    "reason": verdicts[id_]["reason"],
                }
                for one, id_ in [(c, c["id"]) for c in plain[name]]
            }
        plain["evidence"] = {e.pop("id"): e for e in plain["evidence"]}
        plain["explanation"] = None if self.explanation is None else self.explanation.as_json()
        return plain

    @classmethod
    def from_json(cls, saved: object) -> Reply:
        """Return the reply whose public JSON form is `saved`, to the last field.

        Its form is checked, not its truth. Raises `DataError` for anything else.
        """
        if not isinstance(saved, Mapping) or saved.get("schema") != SCHEMA:
            raise DataError(f"this is no reply: its schema must be {SCHEMA!r}")
        return strictly(saved, "reply", cls._read)

    @classmethod
    def _read(cls, saved: Mapping[str, Any]) -> Reply:
        plain = _records(saved)
        told = plain.pop("explanation")
        found = cls.model_validate_json(json.dumps(plain, allow_nan=False), strict=True)
        if told is None:
            return found
        return found.model_copy(update={"explanation": Explanation.from_json(told)})


class Step(_Frozen):
    """Tell what is being done now; `text` is for a person."""

    name: str
    text: str


class EvidenceFound(_Frozen):
    """Tell a piece of evidence as soon as it is found."""

    record: Evidence


class Said(_Frozen):
    """Tell a sentence; it was checked before."""

    sentence: Sentence


class Done(_Frozen):
    """End an answer with the whole of it."""

    reply: Reply


Event = Step | EvidenceFound | Said | Done


def _records(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public form with claims, facts, verdicts and evidence as fields have them."""
    plain = {key: value for key, value in saved.items() if key != "schema"}
    verdicts: dict[str, Any] = {}
    for name in ("claims", "facts"):
        records = []
        for id_, one in plain[name].items():
            told = {k: v for k, v in one.items() if k not in ("verdict", "reason")}
            records.append({**told, "id": id_})
            verdicts[id_] = {"outcome": one["verdict"], "reason": one["reason"]}
        plain[name] = records
    plain["evidence"] = [{**record, "id": id_} for id_, record in plain["evidence"].items()]
    return {**plain, "schema_": saved["schema"], "verdicts": verdicts}
