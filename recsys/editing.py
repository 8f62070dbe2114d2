"""Edit the interactions of users and keep the model: what it says of another past, without a refit.

Every source of personas reads the history anew (`whythis.recsys.sources`), and so does a black box;
an edited history is therefore scored as any other. What is counted over all users, such as an
item's likes, follows the edit too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

import numpy as np
import pandas as pd

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import bad_id, shown
from whythis.recsys.scorer import Scorer

S = TypeVar("S", bound=Scorer)

_OF_ITEMS = ("item_ids", "titles", "_short")
"""What a scorer works out from its items alone: an edit of interactions leaves it as it is."""


@dataclass(frozen=True)
class Edit:
    """Hold what changes in one user's interactions; all are item ids.

    drop: interactions that are as if they had never been: their items can be recommended again.
    add: likes and their times (seconds since 1970; None = unknown). withhold: items that are no
    likes and are never recommended, whether there is an interaction with them or not.
    """

    drop: Collection[str] = ()
    add: Sequence[tuple[str, float | None]] = ()
    withhold: Collection[str] = ()


def edited(
    rec: S,
    user: str,
    *,
    drop: Collection[str] = (),
    add: Sequence[tuple[str, float | None]] = (),
    withhold: Collection[str] = (),
) -> S:
    """Return the same model over changed interactions of one user; see `Edit`.

    The user stays known even without any event left; one that is not in the data is added. An
    event takes its place by (time, item), unknown times first. An added event has the lowest rating
    that counts as liked, or none where every interaction does.

    Raises `UnknownIdError` for an item the model does not know, and `DataError` for an event that
    is dropped but not there, added but there already, or named twice.
    """
    return edited_all(rec, {user: Edit(drop, add, withhold)})


def edited_all(rec: S, edits: Mapping[str, Edit]) -> S:
    """Return the same model over changed interactions of several users; see `edited`."""
    if not edits:
        return rec
    users = rec.interactions["user"]
    touched = users.isin(edits.keys()).to_numpy(dtype=bool)
    mine = {str(user): rows for user, rows in rec.interactions[touched].groupby("user")}
    empty = rec.interactions.iloc[:0]
    events, withheld, data = [], dict(rec.withheld), rec.hashes["data"]
    for user in sorted(edits):
        _check_user(user)
        edit, rows = edits[user], mine.get(user, empty)
        _check(rec, user, edit, set(rows["item"]))
        gone = rows["item"].isin({*edit.drop, *edit.withhold}).to_numpy(dtype=bool)
        events += [rows[~gone], _likes(rec, user, edit)]
        added = {item for item, _ in edit.add}
        withheld[user] = tuple(sorted({*withheld.get(user, ()), *edit.withhold} - added))
        data = _hash(data, user, edit)
    other = replace(
        rec,
        interactions=_merged(rec.interactions[~touched], [part for part in events if len(part)]),
        hashes={**rec.hashes, "data": data},
        withheld=withheld,
    )
    other.__dict__.update({name: getattr(rec, name) for name in _OF_ITEMS})
    return other


def _merged(others: pd.DataFrame, events: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return all rows in the order of a `Dataset`: the others' are in it already."""
    if not events:
        return others.reset_index(drop=True)
    changed = pd.concat(events).sort_values(["user", "time", "item"], na_position="first")
    before = np.searchsorted(np.asarray(others["user"].tolist(), dtype=object), changed["user"])
    places = np.concatenate([np.arange(len(others)), before - 0.5])
    whole = pd.concat([part for part in (others, changed) if len(part)], ignore_index=True)
    return whole.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)


def _likes(rec: Scorer, user: str, edit: Edit) -> pd.DataFrame:
    rating = np.nan if rec.like is None else rec.like
    return pd.DataFrame(
        [(user, item, rating, np.nan if time is None else float(time)) for item, time in edit.add],
        columns=["user", "item", "rating", "time"],
    )


def _check_user(user: str) -> None:
    if wrong := bad_id(pd.Series([user], dtype=str)):
        raise DataError(f"user {shown(user)} {wrong[1]}; give a plain id")


def _check(rec: Scorer, user: str, edit: Edit, there: set[str]) -> None:
    added = [item for item, _ in edit.add]
    for names in (edit.drop, added, edit.withhold):
        rec.item_ids.indices(names)
        if twice := [name for n, name in enumerate(names) if name in list(names)[:n]]:
            raise DataError(f"item {shown(twice[0])} is named twice for user {shown(user)}")
    if strange := [item for item in edit.drop if item not in there]:
        raise DataError(
            f"item {shown(strange[0])} ({rec.title(strange[0])}) is not among the {len(there)} "
            f"interactions of user {shown(user)}: it cannot be dropped"
        )
    for item in added:
        if item in there and item not in edit.drop:
            raise DataError(
                f"item {shown(item)} ({rec.title(item)}) is already there for user {shown(user)}: "
                "drop it to give it another time"
            )
        if item in edit.withhold:
            raise DataError(f"item {shown(item)} is both added to and withheld from {shown(user)}")
    for item, time in edit.add:
        if time is not None and not np.isfinite(time):
            raise DataError(f"item {shown(item)} is added at time {time}: give seconds, or None")


def _hash(data: str, user: str, edit: Edit) -> str:
    change = [user, sorted(edit.drop), sorted(edit.add, key=str), sorted(edit.withhold)]
    return sha256(json.dumps(["whythis edit 1", data, *change]).encode()).hexdigest()
