"""Forget a user: take what they wrote and did out of an artefact, down to its files' bytes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from whythis.recsys import artefact
from whythis.recsys.errors import DataError, UnknownIdError
from whythis.recsys.interactions import shown
from whythis.tools.memory import events
from whythis.tools.reviews.opinions import MARK, OpinionTable
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import REVIEWS_FOLDER

_SCRATCH = ".forget"
_REFITS = "refits"

Progress = Callable[[int, int], None]


class Forgotten(BaseModel):
    """Count what was taken out, and say what could not be.

    refits: models fitted again on resampled users, which go as a whole. left: one line each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    item: str | None
    interactions: int
    reviews: int
    sentences: int
    corrections: int
    refits: int
    left: tuple[str, ...]


def forget(
    folder: Path,
    user: str,
    item: str | None = None,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Forgotten:
    """Delete a user's interactions, reviews and corrections, or only what is of one item.

    The files are written anew without them, so that no byte of theirs stays in the folder. The
    corrections are deleted as a whole, also when one item is forgotten: they are a chained log. A
    process that is killed leaves the earlier artefact or the new one; run it again to finish.
    Close every store of the folder first.

    dry_run: only count.

    Raises:
        UnknownIdError: nothing of this user, or of this user and item, is there.
        DataError: no interaction of anybody would be left.
        ArtefactError: the artefact is damaged or cannot be written.
    """
    unfinished = _tidied(folder) if not dry_run else False
    recommender = artefact.load(folder)
    interactions, reviews = recommender.interactions, artefact.read_reviews(folder)
    kept = interactions[~_mine(interactions, user, item)]
    own = None if reviews is None else reviews[~_mine(reviews, user, item)]
    log = events.path_of(folder, user)
    index = artefact.place_of(folder, REVIEWS_FOLDER)
    store = ReviewStore.open(index) if index.is_dir() else None
    try:
        mine = () if store is None else store.of_user(user)
        gone = tuple(s for s in mine if item is None or s.item == item)
        found = Forgotten(
            user=user,
            item=item,
            interactions=len(interactions) - len(kept),
            reviews=len({s.review for s in gone} | _ids(reviews, user, item)),
            sentences=len(gone),
            corrections=len(events.read(folder, user)),
            refits=len(list((folder / _REFITS).glob("*.safetensors"))),
            left=_left(recommender.config.source, store),
        )
        if not (found.interactions or found.reviews or log.is_file() or unfinished):
            what = "" if item is None else f" and item {shown(item)}"
            raise UnknownIdError(f"nothing of user {shown(user)}{what} in {folder}: check the id")
        if kept.empty:
            raise DataError(f"no interaction would be left in {folder}: delete the folder instead")
        if dry_run:
            return found
        shutil.rmtree(folder / _REFITS, ignore_errors=True)
        fresh = None
        if store is not None and gone:
            fresh = folder / _SCRATCH / REVIEWS_FOLDER
            with store.without(fresh, [s.id for s in gone], progress) as smaller:
                _forget_opinions(index, fresh, smaller)
    finally:
        if store is not None:
            store.close()
    if found.interactions or found.reviews:
        artefact.replace_data(folder, kept, own, fresh)
    events.delete(folder, user)
    _tidied(folder)
    return found


def _mine(frame: pd.DataFrame, user: str, item: str | None) -> pd.Series:
    mine = frame["user"] == user
    return mine if item is None else mine & (frame["item"] == item)


def _ids(reviews: pd.DataFrame | None, user: str, item: str | None) -> set[str]:
    return set() if reviews is None else set(reviews[_mine(reviews, user, item)]["id"])


def _tidied(folder: Path) -> bool:
    """Finish what an earlier call began; tell whether there was something."""
    begun = [path for path in (folder / ".new", folder / _SCRATCH) if path.is_dir()]
    artefact.settle(folder)
    shutil.rmtree(folder / _SCRATCH, ignore_errors=True)
    for path in folder.glob(".fit-*"):
        shutil.rmtree(path, ignore_errors=True)
    return bool(begun)


def _forget_opinions(old: Path, new: Path, store: ReviewStore) -> None:
    """Take the opinions over without those of sentences that are gone; nothing is read again."""
    if (old / MARK).is_file():
        for name in ("opinions.parquet", MARK):
            shutil.copyfile(old / name, new / name)
        OpinionTable.build(new, store)


def _left(source: str, store: ReviewStore | None) -> tuple[str, ...]:
    weights = (
        f"the model's weights ({source} personas) were learned with what is forgotten: `whythis "
        "fit` on data without it removes that influence"
    )
    outside = (
        "files outside the folder, such as the table that was fitted, reports and backups, are as "
        "they were; indexing a file of reviews again would bring its texts back"
    )
    left = [weights, outside]
    if store is not None and store.place.server:
        left.append(
            "the Chroma server's own files may hold deleted text until they are vacuumed: `chroma "
            "vacuum --path FOLDER` there"
        )
    return tuple(left)
