"""Read what a batch is asked: rows of user and item, or of users alone, a few held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown

LINE = 100_000
"""Bytes that a line of JSON may have."""

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_NO_ID = "is no id: give a text or a whole number"
_ROWS = 1024  # of a Parquet file, read at a time


class Asked(NamedTuple):
    """Hold one row of the input; `error`: why it cannot be answered.

    row: its number, from 0, blank lines not counted. item: an id or a title; None: the user's best.
    """

    row: int
    user: str
    item: str | None
    error: str | None = None


class Input(NamedTuple):
    """Hold what a whole input is: its rows and the sha256 of the file."""

    rows: int
    hash: str


def read_asked(path: Path, start: int = 0) -> Iterator[Asked]:
    """Yield the rows of a Parquet or JSON-lines file from number `start` on.

    Columns: `user`, and `item` where items are named; others are passed over. A row that cannot be
    read is yielded with its error. Raises `DataError` for a file that cannot be read at all.
    """
    rows = _parquet(path) if path.suffix.lower() in _PARQUET else _json_lines(path)
    for number, found in islice(enumerate(rows), start, None):
        yield _asked(number, found)


def survey(path: Path) -> Input:
    """Return how many rows a file has, and its hash; nothing but its first row is understood.

    Raises `DataError` for a file that is not there, is of another kind, or has no users.
    """
    kind = path.suffix.lower()
    if kind not in _JSON_LINES + _PARQUET:
        raise DataError(
            f"{path} is not named as Parquet or JSON lines: rename it to .parquet or .jsonl"
        )
    if not path.is_file():
        raise DataError(f"no file {path}: give rows with user and item, or with user and --top")
    first = next(read_asked(path), None)
    if first is None:
        raise DataError(f"{path} has no rows: give at least one")
    if first.error is not None:
        raise DataError(f"{path}, row 1: {first.error}")
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if kind in _PARQUET:
        import pyarrow.parquet as pq

        return Input(int(pq.read_metadata(path).num_rows), digest.hexdigest())
    return Input(sum(1 for _ in _lines(path)), digest.hexdigest())


def _asked(number: int, found: object) -> Asked:
    if isinstance(found, DataError):
        return Asked(number, "", None, str(found))
    if not isinstance(found, dict):
        return Asked(number, "", None, "it is no object: give user and item")
    user, item = found.get("user"), found.get("item")
    if not _is_id(user):
        return Asked(number, "", None, f"user {shown(user)} {_NO_ID}")
    if item is not None and not _is_id(item):
        return Asked(number, str(user), None, f"item {shown(item)} {_NO_ID}")
    return Asked(number, str(user), None if item is None else str(item))


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _parquet(path: Path) -> Iterator[object]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            named = [n for n in file.schema_arrow.names if n in ("user", "item")]
            for batch in file.iter_batches(batch_size=_ROWS, columns=named):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {shown(error, 120)}") from error


def _json_lines(path: Path) -> Iterator[object]:
    from whythis.strict_json import strict_json

    for line in _lines(path):
        if len(line) > LINE:
            yield DataError(f"a line of over {LINE:,} bytes: an id is shorter")
            continue
        try:
            yield strict_json(line)
        except DataError as error:
            yield error


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines that are not blank, at most one byte more than `LINE` of each."""
    with path.open("rb") as file:
        while line := file.readline(LINE + 1):
            rest = line
            while len(rest) > LINE and not rest.endswith(b"\n"):
                rest = file.readline(LINE + 1)
            if line.strip():
                yield line
