"""Read MovieLens 100K from GroupLens' own archive or from a recbole wheel that carries it.

Source of the data: F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context",
ACM TiiS 5(4), 2015; its licence allows research use and no redistribution.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import pandas as pd

from whythis.recsys.errors import DataError, MissingPartError
from whythis.recsys.interactions import Dataset, make_dataset, shown
from whythis.recsys.tables import read_reviews, with_reviews

# sha256 of the 100,000 lines "user\titem\trating\ttime\n", sorted by user and item as numbers.
RATINGS_SHA256 = "6cfffb52c89b05fbc3afb75f6912eeda04c81c2add0dc58e773a0ef6c8adb160"

GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)

_ARTICLES = "The|An|A|Il|La|Les|Le|L'|El|Las|Los|Lo|Das|Der|Die|Det|Den|De|Une|Una|Un|Gli|O"
_INVERTED = re.compile(rf"^(?P<rest>.+), (?P<article>{_ARTICLES})$")
_YEAR = re.compile(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)(?:\s*\(V\))?$")
_MAX_MEMBER = 64 * 2**20
_MEND = "run `whythis data fetch ml-100k`"


def read_ml100k(
    path: Path, reviews: Path | None = None, *, ratings_sha256: str | None = RATINGS_SHA256
) -> Dataset:
    """Read ML-100K: 943 users, 1,682 films, 100,000 ratings of 1..5; liked from 4 up.

    path: GroupLens' ml-100k.zip, or a recbole wheel; both give the same `Dataset.hash`.
    reviews: JSON lines for `read_reviews`; ML-100K itself has none.
    ratings_sha256: what the ratings must hash to; None accepts any, such as a slice in this layout.

    Raises:
        MissingPartError: no such file.
        DataError: not such an archive, a broken line, or other ratings than the pinned ones.
    """
    if not path.is_file():
        raise MissingPartError(f"no ML-100K archive at {path}; {_MEND}")
    try:
        with zipfile.ZipFile(path) as archive:
            if data := _member(archive, "u.data"):
                ratings = _ratings(path, data, "u.data", header=False)
                items = _grouplens_items(path, _member(archive, "u.item"))
            else:
                data = _member(archive, "ml-100k.inter")
                ratings = _ratings(path, data, "ml-100k.inter", header=True)
                items = _recbole_items(path, _member(archive, "ml-100k.item"))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is not a whole zip archive ({shown(error)}); {_MEND}") from None
    found = _ratings_hash(ratings)
    if ratings_sha256 is not None and found != ratings_sha256:
        raise DataError(
            f"{path} holds other ratings than ML-100K (sha256 {found[:12]}…, expected "
            f"{ratings_sha256[:12]}…); {_MEND}"
        )
    dataset = make_dataset("ml-100k", ratings, items=items, like=4.0)
    return dataset if reviews is None else with_reviews(dataset, read_reviews(reviews))


def plain_title(title: str) -> str:
    """Put a title's inverted article back in front, also inside brackets.

    "Rock, The" -> "The Rock"; "Hate (Haine, La)" -> "Hate (La Haine)"; "Paris, Texas" stays.
    """
    main, bracket, other = title.strip().partition(" (")
    if bracket and other.endswith(")"):
        return f"{plain_title(main)} ({plain_title(other[:-1])})"
    found = _INVERTED.match(title.strip())
    if not found:
        return title.strip()
    gap = "" if found["article"].endswith("'") else " "
    return found["article"] + gap + found["rest"]


def split_year(title: str) -> tuple[str, float]:
    """Split "The Rock (1996)" into title and year; NaN without a year. "(V)", video, goes too."""
    found = _YEAR.match(title.strip())
    return (found["title"], float(found["year"])) if found else (title.strip(), float("nan"))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the member with this file name, or nothing."""
    for info in archive.infolist():
        if info.filename.rpartition("/")[2] == name:
            # The size in the directory may lie, so the reading is bounded too.
            with archive.open(info) as stream:
                data = stream.read(_MAX_MEMBER + 1)
            if len(data) > _MAX_MEMBER:
                raise DataError(f"{name} is over {_MAX_MEMBER} bytes; this is not ML-100K")
            return data
    return b""


def _lines(path: Path, data: bytes, name: str, mark: str, encoding: str) -> list[list[str]]:
    if not data:
        raise DataError(f"{path} holds no {name}; {_MEND}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, {name}: byte {error.start} is not {encoding}; {_MEND}") from None
    return [line.rstrip("\r").split(mark) for line in text.split("\n") if line.strip()]


def _check_width(path: Path, name: str, rows: list[list[str]], width: int) -> None:
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(
                f"{path}, {name} line {number}: {len(row)} fields in place of {width}; {_MEND}"
            )


def _ratings(path: Path, data: bytes, name: str, *, header: bool) -> pd.DataFrame:
    rows = _lines(path, data, name, "\t", "utf-8")
    _check_width(path, name, rows, 4)
    frame = pd.DataFrame(rows[int(header) :], columns=["user", "item", "rating", "time"], dtype=str)
    whole = frame.apply(lambda column: column.str.fullmatch(r"[0-9]{1,15}(\.0)?")).all(axis=1)
    if not whole.all():
        row = int((~whole).argmax())
        raise DataError(
            f"{path}, {name} line {row + 1 + header}: {shown(rows[row + header])} is not four "
            f"whole numbers; {_MEND}"
        )
    return frame.astype({"rating": "float64", "time": "float64"})


def _ratings_hash(ratings: pd.DataFrame) -> str:
    numbers = ratings.astype("float64").astype("int64").sort_values(["user", "item"])
    lines = (f"{u}\t{i}\t{r}\t{t}\n" for u, i, r, t in numbers.itertuples(index=False))
    return sha256("".join(lines).encode()).hexdigest()


def _items(rows: list[tuple[str, str, list[str]]]) -> pd.DataFrame:
    parts = [split_year(title) for _, title, _ in rows]
    return pd.DataFrame(
        {
            "item": pd.Series([item for item, _, _ in rows], dtype=str),
            "title": [plain_title(title) for title, _ in parts],
            "year": [year for _, year in parts],
            # "unknown" is the absence of a genre.
            "genres": pd.Series([[g for g in names if g != "unknown"] for _, _, names in rows]),
        }
    )


def _grouplens_items(path: Path, data: bytes) -> pd.DataFrame:
    rows = _lines(path, data, "u.item", "|", "latin-1")
    _check_width(path, "u.item", rows, 5 + len(GENRES))
    return _items(
        [
            (row[0], row[1], [g for g, flag in zip(GENRES, row[5:], strict=True) if flag == "1"])
            for row in rows
        ]
    )


def _recbole_items(path: Path, data: bytes) -> pd.DataFrame:
    rows = _lines(path, data, "ml-100k.item", "\t", "utf-8")
    _check_width(path, "ml-100k.item", rows, 4)
    films: list[tuple[str, str, list[str]]] = []
    for item, title, year, genres in rows[1:]:
        # recbole misspells the one untitled film, and took "(V)" for the year of another.
        whole = "unknown" if title == year == "unkonwn" else f"{title} ({year})"
        films.append((item, whole, genres.split()))
    return _items(films)
