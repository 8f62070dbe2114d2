"""Abstract a user into statements, each worded by code, with the evidence that it rests on.

A summary is nothing that must be kept up to date: it is made of what the workspace holds now, and
its hash changes when that does. One that was stored, or came from elsewhere, is believed after
`check` only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.interactions import clean_line, shown
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.memory.findings import CORRECTIONS, findings
from whythis.tools.workspace import Workspace

SCHEMA: Final = "whythis/summary/1"
TOLERANCE = 1e-5
"""How far a number may be from what is found again."""

Outcome = Literal["holds", "false"]

_KEYS: Mapping[str, str | None] = {
    "past": None,
    "taste": "persona",
    "typical": "persona",
    "rated_low": "item",
    "rejected": "item",
    "own_aspect": "aspect",
}
"""What tells the findings of one kind apart."""


class Statement(BaseModel):
    """Hold one sentence about a user and what it rests on.

    id: a hash of user, kind and text. contested: the user says that it is wrong; `reason` is theirs
    and may be empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    text: str
    evidence: Evidence
    contested: bool = False
    reason: str = ""


class Summary(BaseModel):
    """Hold what is said of one user; `hash` is of all evidence, whatever run found it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_: Literal["whythis/summary/1"] = Field(SCHEMA, alias="schema")
    user: str
    model_hash: str
    data_hash: str
    hash: str
    statements: tuple[Statement, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for one in self.statements:
            if one.id != _id(self.user, one.evidence.kind, one.text):
                raise ValueError(f"statement {shown(one.id)} has an id that is not its own")
            if one.evidence.id != _evidence_id(one.evidence):
                raise ValueError(f"evidence {shown(one.evidence.id)} was altered")
        if self.hash != _hash(self.user, self.statements):
            raise ValueError("the hash is not that of its evidence")
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form."""
        return self.model_dump(mode="json", by_alias=True)


class Checked(BaseModel):
    """Hold whether one statement is true of the user whom the summary names."""

    model_config = ConfigDict(frozen=True)

    statement: str
    outcome: Outcome
    reason: str


def summarise(ws: Workspace, user: str) -> Summary:
    """Return the summary of a user from what the workspace holds now.

    Raises `UnknownIdError` for a user who is not in the data.
    """
    hashes = ws.recommender.hashes
    doubts = {e.target: e.text for e in ws.memory.get(user, ()) if e.act == "contest"}
    return compose(user, findings(ws, user), hashes["model"], hashes["data"], doubts)


def compose(
    user: str,
    found: Iterable[Evidence],
    model_hash: str,
    data_hash: str,
    doubts: Mapping[str, str] | None = None,
) -> Summary:
    """Return a summary that says of a user what was found, every id and hash made.

    `doubts`: the ids of contested statements, with the user's reasons. Whether it is true, `check`
    finds out.
    """
    doubts, statements = doubts or {}, []
    for one in found:
        text = in_words(one)
        id_ = _id(user, one.kind, text)
        contested, reason = id_ in doubts, doubts.get(id_, "")
        statements.append(
            Statement(id=id_, text=text, evidence=one, contested=contested, reason=reason)
        )
    return Summary(
        schema=SCHEMA,
        user=user,
        model_hash=model_hash,
        data_hash=data_hash,
        hash=_hash(user, statements),
        statements=tuple(statements),
    )


def summary(ws: Workspace, user: str) -> tuple[Evidence, ...]:
    """Tell what is known of a user, but not what the user contests."""
    return tuple(one.evidence for one in summarise(ws, user).statements if not one.contested)


def from_json(data: object) -> Summary:
    """Read a summary that `as_json` wrote; raise `DataError` for anything else.

    That it is well formed says nothing of whether it is true: see `check`.
    """
    try:
        return Summary.model_validate_json(json.dumps(data, allow_nan=False))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise DataError(f"this is no summary: {shown(what, 200)[1:-1]}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"this is no summary: {shown(error, 120)[1:-1]}") from None


def check(told: Summary, ws: Workspace) -> tuple[Checked, ...]:
    """Find each statement again for the user whom the summary names; one verdict a statement.

    What a record says of itself, its ids and sources, is not believed: the value is found anew, and
    the sentence is made anew from it. A statement about somebody else is therefore false, whoever
    is named.
    """
    try:
        now = {_key(found): found for found in findings(ws, told.user)}
    except UnknownIdError as error:
        return tuple(
            Checked(statement=one.id, outcome="false", reason=str(error)) for one in told.statements
        )
    return tuple(_checked(one, now.get(_key(one.evidence))) for one in told.statements)


def flagged(told: Summary, ws: Workspace) -> bool:
    """Return whether any statement is false, or the summary says nothing at all."""
    return not told.statements or any(one.outcome == "false" for one in check(told, ws))


def in_words(found: Evidence) -> str:
    """Return the sentence that a finding of `findings` is told by."""
    value: Any = found.value
    match found.kind:
        case "past":
            return f"{value['liked']:,} of your {value['of']:,} choices count as liked."
        case "taste":
            return f"Your {value['name']} taste weighs {100 * value['mass']:.0f} %."
        case "typical":
            return f"Typical of your {value['name']} taste: {_listed(value['titles'])}."
        case "rated_low":
            best = "" if value["best"] is None else f" of {value['best']:g}"
            return f"You rated {clean_line(value['title'])} low: {value['rating']:g}{best}."
        case "rejected":
            return f"You rejected {clean_line(value['title'])}."
        case "own_aspect":
            times = f"{_times(value['well'])} well, {_times(value['badly'])} badly"
            return f"Your reviews judge {clean_line(value['aspect'])}: {times}."
    raise DataError(f"a finding of kind {shown(found.kind)} has no words")


def _checked(one: Statement, found: Evidence | None) -> Checked:
    reason = ""
    if found is None:
        reason = "nothing of the kind is found of this user"
    elif wrong := _otherwise(one.evidence.value, found.value):
        reason = f"it is otherwise for this user: {shown(', '.join(wrong), 120)[1:-1]}"
    elif one.text != in_words(found):
        reason = f"it must read: {in_words(found)}"
    return Checked(statement=one.id, outcome="false" if reason else "holds", reason=reason)


def _otherwise(told: Mapping[str, JsonValue], found: Mapping[str, JsonValue]) -> list[str]:
    """Return the names of values that differ; which corrections lie behind them is no value."""
    names = sorted((told.keys() | found.keys()) - {CORRECTIONS})
    return [n for n in names if n not in told or n not in found or not _alike(told[n], found[n])]


def _key(found: Evidence) -> tuple[str, str]:
    field = _KEYS.get(found.kind)
    return found.kind, "" if field is None else str(found.value.get(field))


def _id(user: str, kind: str, text: str) -> str:
    return f"s-{sha256(json.dumps([SCHEMA, user, kind, text]).encode()).hexdigest()[:10]}"


def _evidence_id(one: Evidence) -> str | None:
    try:
        args = one.probe.args
        return evidence(one.kind, one.value, source=one.source, probe=one.probe.name, **args).id
    except (TypeError, ValueError):  # an argument with a name of the record's own
        return None


def _hash(user: str, statements: Sequence[Statement]) -> str:
    told = [
        [one.evidence.kind, one.evidence.value, one.text, one.contested, one.reason]
        for one in statements
    ]
    return sha256(json.dumps([SCHEMA, user, told], sort_keys=True).encode()).hexdigest()


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _listed(titles: Sequence[str]) -> str:
    *first, last = [clean_line(title) for title in titles]
    return f"{', '.join(first)} and {last}" if first else last


def _alike(a: JsonValue, b: JsonValue) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=0.0, abs_tol=TOLERANCE)
    return type(a) is type(b) and a == b
