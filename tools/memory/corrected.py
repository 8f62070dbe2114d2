"""Let users' corrections hold: a correction is data, so the recommender reads other data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from whythis.recsys import artefact
from whythis.recsys.editing import Edit, edited_all
from whythis.recsys.naming import persona_cards
from whythis.recsys.recommender import Recommender
from whythis.tools.memory.events import Event, active, read_all

Memory = Mapping[str, tuple[Event, ...]]
"""The corrections of each user that hold, the oldest first."""


def memory_of(folder: Path) -> Memory:
    """Return the corrections that hold in an artefact folder; `ArtefactError` for a damaged log."""
    held = {user: active(events) for user, events in read_all(folder).items()}
    return {user: events for user, events in held.items() if events}


def load_corrected(folder: Path) -> Recommender:
    """Load an artefact with the corrections of its users; raises as `artefact.load`."""
    return corrected(artefact.load(folder), memory_of(folder))


def corrected(rec: Recommender, memory: Memory) -> Recommender:
    """Return the same model over what users corrected, under another hash of the data.

    A forgotten item is as if it had never been, and may be recommended again; a rejected one is no
    like and is never recommended. A taste has the name that its user gave it: the taste of that
    number in that model, in another model the one that would have the old name. What does not
    apply to these data, such as an item they do not hold, does nothing.
    """
    edits = {user: _edit(rec, user, events) for user, events in memory.items()}
    changed = edited_all(rec, {user: edit for user, edit in edits.items() if edit is not None})
    names = {user: _names(changed, user, events) for user, events in memory.items()}
    names = {user: given for user, given in names.items() if given}
    if not names:
        return changed
    told = json.dumps(["whythis names 1", changed.hashes["data"], names], sort_keys=True)
    data = sha256(told.encode()).hexdigest()
    return replace(changed, names=names, hashes={**changed.hashes, "data": data})


def _edit(rec: Recommender, user: str, events: Sequence[Event]) -> Edit | None:
    if user not in rec.user_ids:
        return None
    acts = [(e.act, e.target) for e in events if e.target in rec.item_ids]
    had = {rec.item_ids.ids[i] for i in rec.seen(user)}
    rejected = {item for act, item in acts if act == "reject"}
    forgotten = {item for act, item in acts if act == "forget" and item in had} - rejected
    if not rejected and not forgotten:
        return None
    return Edit(drop=sorted(forgotten), withhold=sorted(rejected))


def _names(rec: Recommender, user: str, events: Sequence[Event]) -> dict[int, str]:
    if user not in rec.user_ids:
        return {}
    given: dict[int, str] = {}
    for event in events:
        if event.act != "rename":
            continue
        if event.model == rec.hashes["model"]:
            taste = event.persona
        else:
            cards = persona_cards(rec, user)
            taste = next((c.persona for c in cards if c.name == event.target), None)
        if taste is not None:  # of two tastes with one name, the one named last has it
            given = {p: n for p, n in given.items() if n.casefold() != event.text.casefold()}
            given[taste] = event.text
    return given
