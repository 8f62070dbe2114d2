"""Tell what a correction did to a list, and whether that was foreseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue

from whythis.conversation import lists
from whythis.conversation.ground import (
    Ground,
    Kind,
    Value,
    shift,
    shifts,
    titles_of,
)
from whythis.conversation.lists import TOP, Edit
from whythis.recsys.errors import DataError
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Scorer
from whythis.text.wording import listing
from whythis.tools.memory.corrected import corrected
from whythis.tools.memory.events import Event, read
from whythis.tools.workspace import Workspace

_DID = ("lost", "gained", "stayed as they were", "are")


def _edited(ground: Ground, user: str, events: Sequence[str], undone: bool = False) -> Value:
    """Compare the lists with and without some of the user's corrections, all others as they are."""
    if ground.folder is None:
        raise DataError("there is no folder in which corrections are kept")
    every = read(ground.folder, user)
    these = [e for e in every if e.id in events]
    active = [e.id for e in ground.ws.memory.get(user, ())]
    if len(these) != len(events) or any((e.id in active) == undone for e in these):
        raise DataError("the corrections are not as it is said")
    kept = [e for e in every if e.id in active or (undone and e.id in events)]
    kept = [e for e in kept if undone or e.id not in events]
    earlier = _corrected(ground, user, kept)
    before, after = lists.now(earlier, user), lists.now(ground.rec, user)
    items = [e.target for e in these if e.act in ("forget", "reject")]
    changes = lists.compared(before, after, TOP, items)
    return {
        "act": these[0].act if len({e.act for e in these}) == 1 else "several",
        "items": list[JsonValue](items),
        "titles": titles_of(ground.rec, items),
        "undone": undone,
        "top": TOP,
        "after": list[JsonValue](after.top(TOP)),
        "changes": list[JsonValue](changes),
        **shifts(ground.rec, changes),
    }


def _say_edited(value: Mapping[str, Any]) -> str:
    named = "".join(listing(value["titles"]))
    match value["act"], value["undone"]:
        case "forget", False:
            done = f"with {named} forgotten"
        case "reject", False:
            done = f"with {named} left out"
        case "forget", True:
            done = f"with {named} back in your past"
        case "reject", True:
            done = f"with {named} let in again"
        case _:
            done = "with the correction taken back"
    return f"{done}, your first {value['top']} {shift(value, _DID)}."


def _foreseen(
    ground: Ground, user: str, events: Sequence[str], forget: Sequence[str], reject: Sequence[str]
) -> Value:
    """Compare what masked passes foresaw of a correction with what the corrected data give."""
    done = _edited(ground, user, events)
    active = [e for e in ground.ws.memory.get(user, ()) if e.id not in events]
    earlier = Workspace(_corrected(ground, user, active))
    after = lists.without(earlier, user, Edit(tuple(forget), tuple(reject), again=True))
    before = lists.now(earlier.recommender, user)
    items = [str(item) for item in (*forget, *reject)]
    changes = lists.compared(before, after, TOP, items)
    return {
        "top": TOP,
        "predicted": list[JsonValue](after.top(TOP)),
        "after": done["after"],
        "changes": list[JsonValue](changes),
        "titles": titles_of(ground.rec, after.top(TOP)),
    }


def _say_foreseen(value: Mapping[str, Any]) -> str:
    if value["predicted"] == value["after"]:
        return f"that is what was predicted: the same first {value['top']}, in the same order."
    return f"predicted was another list: {''.join(listing(value['titles']))}."


def _corrected(ground: Ground, user: str, events: Sequence[Event]) -> Scorer:
    if not isinstance(ground.fitted, Recommender):
        raise DataError("corrections are kept of recommenders whose model is known")
    memory = {**ground.ws.memory, user: tuple(events)}
    return corrected(ground.fitted, {u: held for u, held in memory.items() if held})


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "edited": Kind("executed", _edited, _say_edited),
        "foreseen": Kind("executed", _foreseen, _say_foreseen),
    }
)
