"""Hold interactions, items and reviews in one normalised, hashed form: the Dataset."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import pandas as pd

from whythis.recsys.errors import DataError
from whythis.recsys.markup import shown_text

INTERACTION_COLUMNS = ("user", "item", "rating", "time")
ITEM_COLUMNS = ("item", "title", "year", "genres", "text")
REVIEW_COLUMNS = ("id", "item", "user", "rating", "time", "text", "source", "helpful")

# C0 and C1 controls, and the bidirectional overrides that make text read otherwise than stored.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_IN_ID = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_HASH_ROWS = 100_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Keep normalised frames that every later part reads; build one with `make_dataset`.

    interactions: user (str), item (str), rating (float64, NaN = none given), time (float64 seconds
        since 1970 UTC, NaN = unknown); one row per (user, item), sorted by (user, time, item).
    items: item, title (str), year (float64 or NaN), genres (list of str), text (str); sorted by
        item; every item of the interactions and of the reviews is in it.
    reviews: id, item, user (str), rating, time (float64 or NaN), text (as `review_text` returns it)
        and source (str), helpful (votes that found it so, float64 or NaN); sorted by id.
    like: ratings >= like are positive; None: every interaction is positive.
    duplicates: how many repeated (user, item) rows gave way to a later one.
    """

    name: str
    interactions: pd.DataFrame
    items: pd.DataFrame
    reviews: pd.DataFrame
    like: float | None
    duplicates: int = 0

    @property
    def liked(self) -> pd.DataFrame:
        """Return the positive interactions, in the order of `interactions`."""
        if self.like is None:
            return self.interactions
        # NaN >= like is False: where others are rated, no rating says nothing of liking.
        return self.interactions[self.interactions["rating"] >= self.like].reset_index(drop=True)

    @cached_property
    def hash(self) -> str:
        """Return the sha256 of the content: equal for any row order, file format or name.

        Labels are not content: `name`, `duplicates` and the `source` of reviews are left out.
        """
        digest = sha256(json.dumps(["whythis dataset 1", self.like]).encode())
        voted = self.reviews["helpful"].notna().any()  # else hashed as data without that column
        reviews = self.reviews.drop(columns=["source"] if voted else ["source", "helpful"])
        for label, frame in (("i", self.interactions), ("m", self.items), ("r", reviews)):
            keys = ["user", "item"] if label == "i" else [frame.columns[0]]
            ordered = frame.sort_values(keys)
            for start in range(0, len(ordered), _HASH_ROWS):
                part = ordered.iloc[start : start + _HASH_ROWS]
                rows = list(zip(*(_plain(part[column]) for column in part.columns), strict=True))
                digest.update(json.dumps([label, rows]).encode())
        return digest.hexdigest()


def make_dataset(
    name: str,
    interactions: pd.DataFrame,
    *,
    items: pd.DataFrame | None = None,
    reviews: pd.DataFrame | None = None,
    like: float | None = None,
    duplicates: int = 0,
) -> Dataset:
    """Check and normalise frames into a Dataset.

    Only `user` and `item` are needed in interactions, `item` in items, and `id`, `item`, `user`,
    `text` in reviews; absent columns become NaN or empty. Items that only the interactions know
    are added with their id as title. Of repeated (user, item) rows the latest stays; among equal
    times, the last.

    Raises:
        DataError: an empty or unusable id, a number that is infinite, a review without text, of an
            unknown item or with a repeated id, an item listed twice, or no interaction at all.
    """
    events = pd.DataFrame(
        {
            "user": _ids(interactions, "user", "interactions"),
            "item": _ids(interactions, "item", "interactions"),
            "rating": _numbers(interactions, "rating", "interactions"),
            "time": _numbers(interactions, "time", "interactions"),
        }
    )
    if events.empty:
        raise DataError(f"dataset {shown(name)} has no interactions; give at least one row")
    kept = keep_latest(events)
    best = float(kept["rating"].max())
    if like is not None and not math.isfinite(like):
        raise DataError(f"like = {like} is not finite; give a rating, such as 4")
    if like is not None and math.isnan(best):
        raise DataError(f"like = {like:g} needs ratings and dataset {shown(name)} has none")
    if like is not None and not best >= like:
        raise DataError(
            f"like = {like:g} is above every rating of dataset {shown(name)} (highest: {best:g}); "
            "choose a lower one"
        )
    catalogue = _catalogue(items, kept["item"])
    return Dataset(
        name=name,
        interactions=kept.sort_values(["user", "time", "item"], na_position="first").reset_index(
            drop=True
        ),
        items=catalogue,
        reviews=_reviews(reviews, catalogue["item"]),
        like=None if like is None else float(like),
        duplicates=duplicates + len(events) - len(kept),
    )


def keep_latest(events: pd.DataFrame) -> pd.DataFrame:
    """Keep one row per (user, item): the latest, among equal or unknown times the last."""
    ordered = events.sort_values("time", kind="stable", na_position="first")
    return ordered.drop_duplicates(["user", "item"], keep="last").sort_index()


def default_like(ratings: pd.Series) -> float | None:
    """Return the rating three quarters up the observed scale (4 on 1..5); None without ratings."""
    given = ratings.dropna()
    if given.empty:
        return None
    low, high = float(given.min()), float(given.max())
    return low + 0.75 * (high - low)


def clean_text(text: str) -> str:
    """Remove control characters and outer blanks; keep line breaks as a newline."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    return _CONTROL.sub("", text).strip()


def review_text(text: str) -> str:
    """Return a review as a reader of the web page saw it; this is what is stored and quoted."""
    return clean_text(shown_text(clean_text(text)))


def clean_line(text: str) -> str:
    """Remove control characters and make every run of blanks, line breaks included, one space."""
    return " ".join(clean_text(text).split())


def shown(value: object, limit: int = 60) -> str:
    """Return a value quoted on one line, cut to `limit` characters, for an error message."""
    text = str(value)
    # Cut before quoting: the value may be megabytes of somebody else's data.
    return repr(text if len(text) <= limit else text[:limit] + "…")


def bad_id(values: pd.Series) -> tuple[int, str] | None:
    """Return the position of the first unusable id and what is wrong with it, or None."""
    for value in values.unique():
        what = "is empty" if not value.strip() else ""
        what = "holds a control character" if _IN_ID.search(value) else what
        if what:
            return int((values == value).to_numpy(dtype=bool).argmax()), what
    return None


def _ids(frame: pd.DataFrame, column: str, where: str) -> pd.Series:
    if column not in frame.columns:
        raise DataError(f"{where} lack the column {column!r}; there are {list(frame.columns)}")
    raw = frame[column].reset_index(drop=True)
    if len(raw) and pd.api.types.is_float_dtype(raw.dtype):
        raise DataError(
            f"{column} in {where} holds decimal numbers such as {raw.iloc[:1].tolist()}; "
            "read ids as text"
        )
    values = raw.fillna("").astype(str)
    if wrong := bad_id(values):
        row, what = wrong
        raise DataError(
            f"{column} {shown(values[row])} in row {row + 1} of {where} {what}; give it a plain id"
        )
    return values


def _numbers(frame: pd.DataFrame, column: str, where: str) -> pd.Series:
    if column not in frame.columns:
        return pd.Series(np.nan, index=range(len(frame)), dtype="float64")
    raw = frame[column].reset_index(drop=True)
    try:
        # Adding zero turns -0.0 into 0.0, which would hash differently.
        values = raw.astype("float64") + 0.0
    except (TypeError, ValueError) as error:
        raise DataError(f"{column} in {where} is not all numbers: {shown(error, 120)}") from None
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"{column} {values[row]} in row {row + 1} of {where} is infinite; "
            "give a finite number or leave it empty"
        )
    return values


def _texts(frame: pd.DataFrame, column: str) -> Sequence[str]:
    if column not in frame.columns:
        return [""] * len(frame)
    return frame[column].fillna("").astype(str).tolist()


def _catalogue(items: pd.DataFrame | None, used: pd.Series) -> pd.DataFrame:
    given = pd.DataFrame({"item": []}, dtype=str) if items is None else items
    ids = _ids(given, "item", "items")
    if (twice := ids.duplicated()).any():
        raise DataError(f"item {shown(ids[twice].iloc[0])} is listed twice in items; keep one row")
    genres = given["genres"].tolist() if "genres" in given.columns else [[]] * len(given)
    known = pd.DataFrame(
        {
            "item": ids,
            "title": [clean_line(title) for title in _texts(given, "title")],
            "year": _numbers(given, "year", "items"),
            "genres": pd.Series([_genres(names) for names in genres], dtype=object),
            "text": [clean_text(text) for text in _texts(given, "text")],
        }
    )
    absent = used[~used.isin(ids)].drop_duplicates()
    added = pd.DataFrame(
        {
            "item": absent.tolist(),
            "title": "",
            "year": np.nan,
            "genres": pd.Series([[] for _ in range(len(absent))], dtype=object),
            "text": "",
        }
    )
    parts = [part for part in (known, added) if len(part)]
    frame = pd.concat(parts, ignore_index=True).sort_values("item").reset_index(drop=True)
    frame["title"] = frame["title"].where(frame["title"] != "", frame["item"])
    return frame.astype({"item": str, "title": str, "year": "float64", "text": str})


def _genres(names: object) -> list[str]:
    if not isinstance(names, Iterable):  # NaN: the item is absent from the table of genres
        return []
    clean = (clean_line(str(name)) for name in names)
    return list(dict.fromkeys(name for name in clean if name))


def _reviews(reviews: pd.DataFrame | None, known: pd.Series) -> pd.DataFrame:
    given = pd.DataFrame(columns=list(REVIEW_COLUMNS), dtype=str) if reviews is None else reviews
    frame = pd.DataFrame(
        {
            "id": _ids(given, "id", "reviews"),
            "item": _ids(given, "item", "reviews"),
            "user": _ids(given, "user", "reviews"),
            "rating": _numbers(given, "rating", "reviews"),
            "time": _numbers(given, "time", "reviews"),
            "text": pd.Series([review_text(text) for text in _texts(given, "text")], dtype=str),
            "source": pd.Series([clean_line(text) for text in _texts(given, "source")], dtype=str),
            "helpful": _numbers(given, "helpful", "reviews"),
        }
    )
    for wrong, what in (
        (frame["text"] == "", "has no text; leave it out"),
        (frame["id"].duplicated(), "has the id of another review; ids must differ"),
        (~frame["item"].isin(known), "is of an item that the data do not know; mend its item id"),
    ):
        if wrong.any():
            first = frame[wrong].iloc[0]
            raise DataError(f"review {shown(first['id'])} of item {shown(first['item'])} {what}")
    return frame.sort_values("id").reset_index(drop=True)


def _plain(column: pd.Series) -> list[object]:
    values: list[object] = column.tolist()
    # The order of genres is the source's habit, not content.
    return [sorted(value) if isinstance(value, list) else value for value in values]
