"""Read the data sets that the benchmarks know by name, or any table by its path."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pandas as pd

from whythis.downloads import locate
from whythis.recsys.errors import DataError, MissingPartError
from whythis.recsys.interactions import Dataset, make_dataset, review_text, shown
from whythis.recsys.movielens import read_ml100k
from whythis.recsys.tables import read_table
from whythis.recsys.textfile import check_file, parse_json_lines, read_text

NAMES = ("ml-100k", "musical-instruments", "beauty", "video-games", "yelp")
"""What `read` knows by name."""

FOLDER = "WHYTHIS_DATA"
"""Environment variable that names the folder of all data sets but ml-100k."""

_BESIDE = Path("../shared/data")
_CORE = 5


def read(name: str) -> Dataset:
    """Return a data set of `NAMES`, or the table at a path (columns user, item, rating, time).

    ml-100k: liked from a rating of 4. All others but a table of one's own take every interaction as
    positive, as is usual for sets of reviews and visits: that someone chose the item is the signal.
    A table's own rule is that of `read_table`. ml-100k is fetched by `whythis data fetch`; the
    others lie in the folder that WHYTHIS_DATA names (unset: ../shared/data, where there is one).

    Raises:
        MissingPartError: the data set is not on this machine; says which folder is missing.
        DataError: a file that is not what it should be, or a name that is neither.
    """
    if name == "ml-100k":
        return read_ml100k(locate(name))
    if name == "musical-instruments":
        return _musical_instruments(folder_of(name, "amazon_mi5"))
    if name == "beauty":
        return _beauty(folder_of(name, "amazon_beauty23"))
    if name == "video-games":
        return _video_games(folder_of(name, "ampcf_videogames"))
    if name == "yelp":
        return _yelp(folder_of(name, "xrec_yelp"))
    if not Path(name).exists():
        raise DataError(
            f"no data set or file is called {shown(name)}; choose {', '.join(NAMES)} or give the "
            "path of a table"
        )
    return read_table(Path(name), user="user", item="item", rating="rating", time="time")


def folder_of(name: str, inside: str) -> Path:
    """Return the folder `inside` of the benchmarks' data, in which the data set `name` lies.

    Raises `MissingPartError` where it is not on this machine.
    """
    given = os.environ.get(FOLDER)
    root = Path(given).expanduser() if given else _BESIDE
    if (root / inside).is_dir():
        return root / inside
    wanted = f"{FOLDER} is {given}" if given else f"{FOLDER} is not set"
    raise MissingPartError(
        f"the data set {name} is not here: there is no folder {root / inside} ({wanted}); let "
        f"{FOLDER} name the folder that holds {inside}"
    )


def _musical_instruments(folder: Path) -> Dataset:
    """Read Amazon Musical Instruments 5-core of 2014: 1,429 users, 900 items, 10,261 reviews."""
    rated = read_table(
        folder / "reviews_Musical_Instruments_5.json.gz",
        user="reviewerID",
        item="asin",
        rating="overall",
        time="unixReviewTime",
        review="reviewText",
        helpful="helpful",
        name="musical-instruments",
    )
    return replace(rated, like=None)


def _beauty(folder: Path) -> Dataset:
    """Read the dense part of Amazon All Beauty of 2023: 253 users, 352 items, 2,282 reviews.

    It has no times. Items that nobody reviewed are left out.
    """
    path = folder / "history_reviews.json"
    rows = []
    for user, reviews in _records(path):
        for item, review in _members(path, reviews, user):
            text = review_text(_field(path, review, "text", user, item))
            rating = _rating(_field(path, review, "rating", user, item), path, _at(user, item))
            rows.append((user, item, rating, text))
    events = pd.DataFrame(rows, columns=["user", "item", "rating", "text"])
    events = events.drop_duplicates(["user", "item"], keep="last")
    path = folder / "meta_data.json"
    titles = {item: _field(path, facts, "title", item) for item, facts in _records(path)}
    items = sorted(set(events["item"]))
    reviews = events[events["text"] != ""]
    marks = zip(reviews["user"], reviews["item"], reviews["text"], strict=True)
    ids = ["r-" + sha256("\x1f".join(mark).encode()).hexdigest()[:12] for mark in marks]
    return make_dataset(
        "beauty",
        events,
        items=pd.DataFrame({"item": items, "title": [titles.get(item, "") for item in items]}),
        reviews=reviews.assign(id=ids, source="beauty"),
    )


def _video_games(folder: Path) -> Dataset:
    """Read the Amazon Video Games ratings of AMP-CF's authors, its 5-core: 7,030 x 5,369, 83,746.

    The file has no header and no times, and holds ratings of 4 and 5 only.
    """
    path = folder / "amazon_Video_Games_data.csv"
    check_file(path)
    rows = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        fields = line.split(",")
        if len(fields) == 3:
            rows.append((fields[0], fields[1], _rating(fields[2], path, f"line {number}")))
        elif line.strip():
            raise DataError(
                f"{path}, line {number}: {shown(line)} has {len(fields)} fields, not user, item "
                "and rating; mend it"
            )
    events = _core(pd.DataFrame(rows, columns=["user", "item", "rating"]))
    if events.empty:
        raise DataError(f"{path} has no {_CORE}-core; it is not the whole file, fetch it again")
    return make_dataset("video-games", events)


def _core(events: pd.DataFrame) -> pd.DataFrame:
    """Drop users and items with fewer than five rows until none is left that has."""
    while True:
        counts = [events.groupby(key)[key].transform("size") for key in ("user", "item")]
        kept = events[(counts[0] >= _CORE) & (counts[1] >= _CORE)]
        if len(kept) == len(events):
            return kept
        events = kept


def _yelp(folder: Path) -> Dataset:
    """Read XRec's Yelp visits, its three parts together: 15,962 users, 14,085 items, 393,680.

    There are neither ratings nor times.
    """
    parts = [
        read_table(folder / f"{part}.csv.gz", user="user", item="item").interactions
        for part in ("trn", "val", "tst")
    ]
    return make_dataset("yelp", pd.concat(parts, ignore_index=True))


def _records(path: Path) -> list[tuple[str, object]]:
    """Return the members of the JSON objects in a file, one or more a line."""
    check_file(path)
    return [pair for _, lines in parse_json_lines(path, read_text(path)) for pair in lines.items()]


def _members(path: Path, value: object, *keys: str) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise DataError(f"{path}, {_at(*keys)}: {shown(value)} is not a JSON object; mend it")
    return list(value.items())


def _field(path: Path, value: object, name: str, *keys: str) -> str:
    found = dict(_members(path, value, *keys)).get(name)
    if not isinstance(found, str):
        what = "is absent" if found is None else f"{shown(found)} is neither text nor a number"
        raise DataError(f"{path}, {_at(*keys)}: {name} {what}; mend it")
    return found


def _rating(cell: str, path: Path, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path}, {where}: rating {shown(cell)} is no finite number; mend it")
    return value


def _at(*keys: str) -> str:
    return " > ".join(shown(key) for key in keys)
