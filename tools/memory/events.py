"""Keep a user's corrections as a log of events that cannot lose or change a line unnoticed.

One file a user, `memory/<sha256 of the user id>.jsonl`. Its first line tells the user, how many
events follow, and the id of the last; every other line is one event, whose id is a hash of what it
holds and of the id before it. The file is written anew under another name and then moved into its
place.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, Self

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from whythis.recsys.errors import ArtefactError, DataError
from whythis.recsys.interactions import clean_line, shown

FOLDER = "memory"
SCHEMA: Final = "whythis/memory/1"
MOST = 10_000
"""How many events one user's log may hold."""

Act = Literal["forget", "reject", "rename", "contest", "undo"]

_LINE = 4_000  # characters of one line; what people write fits into a few hundred
_TEXT = 200
_NAME = re.compile(r"[^\W\d_][\w '&,.-]{1,39}")
_WAIT = 30.0  # seconds for another process to finish writing


class Event(BaseModel):
    """Hold one correction of a user.

    act and target: forget (an item that is as if it had never been), reject (an item that never
    counts as liked and is never recommended), rename (a taste by its name, `text` is the new one),
    contest (a statement of the summary, `text` is a reason or empty), undo (an earlier event).
    persona, model: of a renamed taste, its number in the model of that hash. time: seconds since
    1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    user: str
    time: float = Field(ge=0, allow_inf_nan=False)
    act: Act
    target: str = Field(min_length=1, max_length=_TEXT)
    text: str = Field("", max_length=_TEXT)
    persona: int | None = None
    model: str | None = Field(None, max_length=_TEXT)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.act == "rename") != (self.persona is not None and self.model is not None):
            raise ValueError("a taste is named by its persona and model, nothing else is")
        if self.act == "rename" and not _NAME.fullmatch(self.text):
            raise ValueError(
                "a name is 2 to 40 letters, digits, spaces and plain marks, a letter first"
            )
        if self.act not in ("rename", "contest") and self.text:
            raise ValueError(f"{self.act} takes no text")
        if clean_line(self.text) != self.text:
            raise ValueError("the text is not one plain line")
        return self


class _Head(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_: Literal["whythis/memory/1"] = Field(SCHEMA, alias="schema")
    user: str
    events: int
    last: str


def path_of(folder: Path, user: str) -> Path:
    """Return where a user's corrections lie in an artefact folder."""
    return folder / FOLDER / f"{sha256(user.encode('utf-8', 'surrogatepass')).hexdigest()}.jsonl"


def append(
    folder: Path,
    user: str,
    act: Act,
    target: str,
    *,
    time: float,
    text: str = "",
    persona: int | None = None,
    model: str | None = None,
) -> Event:
    """Add one event to a user's log in an artefact folder and return it.

    Raises `DataError` for an event that cannot be one, such as an undo of nothing, and
    `ArtefactError` where the log is damaged, full or cannot be written.
    """
    place = path_of(folder, user)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.parent / ".lock", timeout=_WAIT):
        before = read(folder, user)
        if len(before) >= MOST:
            raise ArtefactError(
                f"{place} holds {MOST:,} events, the most there may be: delete the memory of user "
                f"{shown(user)} with `whythis memory --delete`"
            )
        if act == "undo" and target not in {event.id for event in active(before)}:
            raise DataError(
                f"event {shown(target)} is not among the {len(active(before))} corrections of user "
                f"{shown(user)} that hold: `whythis memory` lists them"
            )
        try:
            event = Event(
                id="m-",
                user=user,
                time=time,
                act=act,
                target=target,
                text=text,
                persona=persona,
                model=model,
            )
        except ValidationError as error:
            raise DataError(f"this correction cannot be kept: {_first(error)}") from None
        event = event.model_copy(update={"id": _id(event, before[-1].id if before else "")})
        _write(place, user, (*before, event))
    return event


def read(folder: Path, user: str) -> tuple[Event, ...]:
    """Return the events of a user, the oldest first; none where there is no log.

    Raises `ArtefactError` where the log is damaged or of somebody else.
    """
    place = path_of(folder, user)
    return _read(place) if place.is_file() else ()


def read_all(folder: Path) -> Mapping[str, tuple[Event, ...]]:
    """Return the events of every user who has a log in an artefact folder, by user."""
    logs = [_read(path) for path in sorted((folder / FOLDER).glob("*.jsonl"))]
    return {events[0].user: events for events in logs if events}


def delete(folder: Path, user: str) -> int:
    """Delete a user's log for good, damaged or not; return how many lines of events it held."""
    place = path_of(folder, user)
    if not place.is_file():
        return 0
    with FileLock(place.parent / ".lock", timeout=_WAIT):
        held = max(0, place.read_bytes().count(b"\n") - 1)
        place.unlink()
    return held


def active(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events that hold: neither undone nor an undo."""
    undone = {event.target for event in events if event.act == "undo"}
    return tuple(e for e in events if e.act != "undo" and e.id not in undone)


def _read(place: Path) -> tuple[Event, ...]:
    try:
        if place.stat().st_size > MOST * _LINE:
            raise ValueError("it is too long")
        text = place.read_bytes().decode()
        if not text.endswith("\n"):
            raise ValueError("its last line is cut")
        first, *lines = text[:-1].split("\n")
        head = _Head.model_validate_json(first)
        events = [Event.model_validate_json(line) for line in lines]
        if path_of(place.parent.parent, head.user).name != place.name:
            raise ValueError(f"it is of another user, {shown(head.user)}")
        if _text(head.user, events) != text:
            raise ValueError("its lines are not what was written")
        before = ""
        for number, event in enumerate(events, 2):
            if event.user != head.user:
                raise ValueError(f"line {number} is of another user, {shown(event.user)}")
            if event.id != _id(event, before):
                raise ValueError(f"line {number} was changed, or one before it is missing")
            before = event.id
    except ValidationError as error:
        raise _damaged(place, _first(error)) from None
    except (OSError, ValueError) as error:
        raise _damaged(place, str(error)) from None
    return tuple(events)


def _write(place: Path, user: str, events: Sequence[Event]) -> None:
    try:
        with tempfile.NamedTemporaryFile("wb", dir=place.parent, delete=False) as part:
            try:
                part.write(_text(user, events).encode())
                part.flush()
                os.fsync(part.fileno())
            except BaseException:
                Path(part.name).unlink()
                raise
        Path(part.name).replace(place)
    except OSError as error:
        raise ArtefactError(f"cannot write {place} ({error}): free some space") from error


def _text(user: str, events: Sequence[Event]) -> str:
    head = _Head(user=user, events=len(events), last=events[-1].id if events else "")
    lines = [head.model_dump(by_alias=True), *(e.model_dump(exclude_none=True) for e in events)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _id(event: Event, before: str) -> str:
    content = json.dumps([SCHEMA, before, event.model_dump(exclude={"id"})], sort_keys=True)
    return f"m-{sha256(content.encode()).hexdigest()[:12]}"


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    at = ".".join(map(str, first["loc"]))
    return shown(f"{at}: {first['msg']}" if at else first["msg"], 200)[1:-1]


def _damaged(place: Path, reason: str) -> ArtefactError:
    return ArtefactError(
        f"{place} is no memory that can be used ({shown(reason, 200)[1:-1]}): put back a copy of "
        "the file, or remove it"
    )
