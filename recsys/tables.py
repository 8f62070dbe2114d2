"""Read a user's own table of interactions, and JSON-lines files of reviews, into a Dataset."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from whythis.recsys.columns import Columns, read_columns
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import (
    Dataset,
    bad_id,
    default_like,
    keep_latest,
    make_dataset,
    review_text,
    shown,
)
from whythis.recsys.textfile import cell_text, check_file, parse_json_lines, read_text

# Epoch numbers outside 1900..2200 are another unit or another thing.
_EARLIEST, _LATEST = -2_208_988_800, 7_258_118_400
_DATE_FORMATS = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y")
_REVIEW_KEYS = frozenset({"id", "item", "user", "rating", "source", "text"})
_MORE_KEYS = frozenset({"time", "helpful"})
_VOTES = re.compile(r"""\[\s*"?(\d+)"?\s*,\s*"?\d+"?\s*\]""")


def read_table(
    path: Path,
    *,
    user: str,
    item: str,
    rating: str | None = None,
    time: str | None = None,
    review: str | None = None,
    helpful: str | None = None,
    title: str | None = None,
    year: str | None = None,
    genres: str | None = None,
    text: str | None = None,
    encoding: str = "utf-8",
    items: Path | None = None,
    like: float | None = None,
    name: str | None = None,
) -> Dataset:
    """Read a table of interactions, one a row; the arguments name its columns.

    path: CSV, TSV, JSON lines or Parquet by suffix; text also gzipped.
    time: epoch seconds or milliseconds (or finer), or dates such as 2020-12-31, 2020-12-31T23:59
        or "December 31, 2020"; a column holds one kind. Dates without a zone are UTC.
    review: text of the user's review, plain or HTML; each that shows any text becomes a review with
        the id "r-" + sha256(user, item, text)[:12].
    helpful: how many readers found the review helpful: a number, or "[7, 9]" for 7 of 9.
    title, year, genres, text: of the item, looked up first in `items`, then in the table itself,
        where each item takes its most frequent value. Genres are split at "|" or ",", or JSON.
    items: a second table with one row an item and the same item column.
    like: least positive rating; None: three quarters up the observed scale, without ratings all.
    name: of the dataset; None: the file's name without suffixes.

    Raises:
        DataError: one line with the value, its line or row, and the mend.
    """
    facts = {"title": title, "year": year, "genres": genres, "text": text}
    given = {fact: column for fact, column in facts.items() if column is not None}
    catalogue = None if items is None else _read_items(items, item, given, encoding)
    here = {f: c for f, c in given.items() if catalogue is None or f not in catalogue.columns}
    roles = (user, item, rating, time, review, helpful, *here.values())
    table = read_columns(path, [column for column in roles if column is not None], encoding)
    rows = len(table.frame)
    label = name or path.name.split(".")[0] or path.name
    events = pd.DataFrame(
        {
            "user": _ids(table, user),
            "item": _ids(table, item),
            "rating": _ratings(table, rating) if rating else np.full(rows, np.nan),
            "time": _times(table, time) if time else np.full(rows, np.nan),
            "text": [review_text(cell) for cell in table.frame[review].tolist()]
            if review
            else [""] * rows,
            "helpful": _votes(table, helpful) if helpful else np.full(rows, np.nan),
        }
    )
    found = _item_facts(table, events["item"], here)
    if catalogue is not None:
        found = catalogue.merge(found, on="item", how="outer")
    kept = keep_latest(events)
    return make_dataset(
        label,
        kept,
        items=found,
        reviews=_reviews(kept[kept["text"] != ""], label),
        like=default_like(kept["rating"]) if like is None else like,
        duplicates=len(events) - len(kept),
    )


def read_reviews(path: Path) -> pd.DataFrame:
    """Read reviews from JSON lines with the keys id, item, user, rating, source, text.

    rating: a number or null; also time and helpful, as in `read_table`, may be there or null. Of a
    text that is HTML, what a browser shows is kept.

    Raises:
        DataError: a line that is not such an object, an absent or unknown key, an empty or repeated
            id, an empty text; with the line's number.
    """
    check_file(path)
    records = parse_json_lines(path, read_text(path))
    for number, record in records:
        absent, unknown = _REVIEW_KEYS - record.keys(), record.keys() - _REVIEW_KEYS - _MORE_KEYS
        if absent or unknown:
            problem = "lacks " if absent else "has the unknown key "
            raise DataError(
                f"{path}, line {number}: the review {problem}{shown(min(absent or unknown))}; "
                f"its keys are {', '.join(sorted(_REVIEW_KEYS))} and, if known, time and helpful"
            )
        if isinstance(votes := record.get("helpful"), list):
            record["helpful"] = cell_text(votes)
        for key, value in record.items():
            optional = key in ("rating", *_MORE_KEYS)
            if not (isinstance(value, str) or (optional and value is None)):
                raise DataError(f"{path}, line {number}: {key} {shown(value)} is not text; mend it")
    frame = pd.DataFrame(
        [{key: value or "" for key, value in record.items()} for _, record in records],
        index=[number for number, _ in records],
        columns=[*sorted(_REVIEW_KEYS), *sorted(_MORE_KEYS)],
        dtype=str,
    ).fillna("")
    table = Columns(path=path, frame=frame, place=lambda label: f"line {label}")
    reviews = pd.DataFrame(
        {
            **{key: _ids(table, key) for key in ("id", "item", "user")},
            "rating": _ratings(table, "rating"),
            "time": _times(table, "time"),
            "text": [review_text(cell) for cell in frame["text"]],
            "source": frame["source"],
            "helpful": _votes(table, "helpful"),
        }
    )
    _refuse(table, reviews["text"] == "", reviews["id"], "the review {} has no text; leave it out")
    _refuse(
        table, reviews["id"].duplicated(), reviews["id"], "the id {} was used before; change it"
    )
    return reviews.reset_index(drop=True)


def with_reviews(dataset: Dataset, reviews: pd.DataFrame) -> Dataset:
    """Return the dataset with more reviews; all must be of its items and have ids of their own.

    Raises:
        DataError: an unknown item or a repeated id.
    """
    both = [frame for frame in (dataset.reviews, reviews) if len(frame)]
    return make_dataset(
        dataset.name,
        dataset.interactions,
        items=dataset.items,
        reviews=pd.concat(both, ignore_index=True) if both else None,
        like=dataset.like,
        duplicates=dataset.duplicates,
    )


def split_genres(cell: str) -> list[str]:
    """Split genres at "|", else at ","; read a JSON list as such."""
    cell = cell.strip()
    if cell.startswith("["):
        try:
            return [str(name) for name in json.loads(cell)]
        except (ValueError, RecursionError):
            cell = cell.strip("[]")
    return [part.strip(" '\"") for part in cell.split("|" if "|" in cell else ",")]


def _read_items(path: Path, item: str, facts: dict[str, str], encoding: str) -> pd.DataFrame:
    """Read the facts that the table of items has; each item may stand there once."""
    table = read_columns(path, [item], encoding, also=facts.values())
    ids = _ids(table, item)
    _refuse(table, ids.duplicated(), ids, f"{item} {{}} is listed twice; keep one row")
    here = {fact: column for fact, column in facts.items() if column in table.frame.columns}
    return _item_facts(table, ids, here)


def _item_facts(table: Columns, ids: pd.Series, facts: dict[str, str]) -> pd.DataFrame:
    """Return item and its facts, one row an item: the most frequent value that is not empty."""
    frame = pd.DataFrame({"item": ids.drop_duplicates()}).reset_index(drop=True)
    for fact, column in facts.items():
        pairs = pd.DataFrame({"item": ids, "value": table.frame[column]})
        counts = pairs[pairs["value"] != ""].groupby(["item", "value"]).size().reset_index(name="n")
        # Ties go to the smallest value, so that the order of rows does not matter.
        counts = counts.sort_values(["n", "value"], ascending=[False, True])
        best = counts.drop_duplicates("item").set_index("item")["value"]
        frame[fact] = frame["item"].map(best).fillna("").astype(str)
    if "year" in facts:
        _years(table, facts["year"])
        frame["year"] = pd.to_numeric(frame["year"], errors="coerce").astype("float64")
    if "genres" in facts:
        frame["genres"] = pd.Series([split_genres(c) for c in frame["genres"]], dtype=object)
    return frame


def _ids(table: Columns, column: str) -> pd.Series:
    if column in table.decimal:
        raise DataError(
            f"{table.path}: column {column!r} holds decimal numbers, so that an id 7 reads 7.0; "
            "store ids as text or whole numbers"
        )
    values = table.frame[column]
    if wrong := bad_id(values):
        row, what = wrong
        raise table.error(
            int(values.index[row]), f"{column} {shown(values.iloc[row])} {what}; give it a plain id"
        )
    return values


def _ratings(table: Columns, column: str) -> pd.Series:
    cells = table.frame[column].str.strip()
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    wrong = (cells != "") & ~np.isfinite(values)
    _refuse(table, wrong, cells, f"{column} {{}} is no finite number; write 3.5, or leave it empty")
    return values


def _votes(table: Columns, column: str) -> pd.Series:
    cells = table.frame[column].str.strip().str.replace(_VOTES, r"\1", regex=True)
    values = pd.to_numeric(cells.str.replace(",", ""), errors="coerce").astype("float64")
    _refuse(
        table,
        (cells != "") & ~(values.between(0, np.inf, inclusive="left") & (values % 1 == 0)),
        cells,
        f"{column} {{}} is no number of votes; write 7, or leave it empty",
    )
    return values


def _years(table: Columns, column: str) -> pd.Series:
    cells = table.frame[column].str.strip()
    values = pd.to_numeric(cells, errors="coerce").astype("float64")
    wrong = (cells != "") & ~(values.between(1, 9999) & (values % 1 == 0))
    _refuse(table, wrong, cells, f"{column} {{}} is no year; write 1999, or leave it empty")
    return values


def _times(table: Columns, column: str) -> pd.Series:
    """Return epoch seconds; NaN where the cell is empty."""
    cells = table.frame[column].str.strip()
    given = cells != ""
    seconds = pd.to_numeric(cells, errors="coerce").astype("float64")
    # Most cells tell which kind the column holds, so that the odd one out is the one named.
    if given.any() and seconds[given].notna().mean() >= 0.5:
        # 1e11 s is the year 5138, and 1e11 ms is 1973: the size tells the unit.
        size = float(seconds[given].abs().median())
        seconds = seconds / (1000.0 ** sum(size >= limit for limit in (1e11, 1e14, 1e17)))
    else:
        seconds = _dates(cells)
    wrong = given & ~seconds.between(_EARLIEST, _LATEST)
    _refuse(
        table,
        wrong,
        cells,
        f"{column} {{}} is no time; write 2020-12-31, 2020-12-31T23:59:00 or epoch seconds",
    )
    return seconds


def _dates(cells: pd.Series) -> pd.Series:
    moments = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    for form in _DATE_FORMATS:
        left = moments.isna() & (cells != "")
        if left.any():
            more = pd.to_datetime(cells[left], format=form, utc=True, errors="coerce")
            moments = moments.where(~left, more.reindex(cells.index))
    return (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def _refuse(table: Columns, wrong: pd.Series, cells: pd.Series, what: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy(dtype=bool)))
        # Not str.format: the column's name in `what` may itself hold braces.
        raise table.error(int(cells.index[row]), what.replace("{}", shown(cells.iloc[row])))


def _reviews(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    marks = zip(rows["user"], rows["item"], rows["text"], strict=True)
    ids = ["r-" + sha256("\x1f".join(mark).encode()).hexdigest()[:12] for mark in marks]
    return rows.assign(id=ids, source=source)
