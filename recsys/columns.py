"""Read a CSV, TSV, JSON-lines or Parquet file as columns of text, with a place for every row."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown
from whythis.recsys.textfile import (
    cell_text,
    check_file,
    check_length,
    parse_json_lines,
    read_text,
    suggestion,
)

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
JSON_LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Columns:
    """Hold a file's cells as text, untouched; absent cells are "", nested ones JSON.

    frame: str columns; its index labels are record numbers that `place` understands.
    place: turn an index label into words such as "line 12" or "row 12".
    decimal: columns whose file type is a decimal number, so that ids in them are already spoilt.
    """

    path: Path
    frame: pd.DataFrame
    place: Callable[[int], str]
    decimal: frozenset[str] = frozenset()

    def error(self, label: int, what: str) -> DataError:
        """Return the error that says `what` about the row with this index label."""
        return DataError(f"{self.path}, {self.place(label)}: {what}")


def read_columns(
    path: Path, wanted: Collection[str], encoding: str = "utf-8", also: Collection[str] = ()
) -> Columns:
    """Read a table by its suffix (.csv .tsv .txt .jsonl .ndjson .json, also .gz; .parquet .pq).

    The `wanted` columns must be there, those in `also` are read if they are. The delimiter is the
    one under which the header holds most of those columns. Values stay exactly as written: "007"
    is "007", 1.0 is "1.0".

    Raises:
        DataError: the file is missing, empty, not what its suffix says, in another encoding,
            broken in some row, without a wanted column, or has a field over MAX_FIELD characters.
    """
    check_file(path)
    kind = suffix(path)
    if kind in PARQUET:
        table = _read_parquet(path, wanted, also)
    elif kind in JSON_LINES:
        table = _read_json_lines(path, read_text(path, encoding), wanted, also)
    elif kind in DELIMITERS:
        table = _read_delimited(path, read_text(path, encoding), wanted, also, DELIMITERS[kind])
    else:
        known = " ".join((*DELIMITERS, *JSON_LINES, *PARQUET))
        raise DataError(f"{path} has no suffix that names a table; rename it to one of {known}")
    if table.frame.empty:
        raise DataError(f"{path} has a header and no rows; give it at least one row")
    return table


def suffix(path: Path) -> str:
    """Return the lower-case suffix that names the format, without a final .gz."""
    suffixes = [part.lower() for part in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _read_delimited(
    path: Path, text: str, wanted: Collection[str], also: Collection[str], usual: str
) -> Columns:
    body = text.lstrip("\n")
    offset = len(text) - len(body)
    first_line = body.partition("\n")[0]
    candidates = [usual, *(mark for mark in ",\t;|" if mark != usual)]
    headers = {mark: _split(path, first_line, mark) for mark in candidates}
    best = max(
        candidates,
        key=lambda mark: (len({*wanted, *also} & {*headers[mark]}), len(headers[mark])),
    )

    def parse(rows: int | None = None) -> pd.DataFrame:
        return pd.read_csv(
            io.StringIO(body),
            sep=best,
            header=None,
            nrows=rows,
            dtype=str,
            keep_default_na=False,
            na_values=[],
            skip_blank_lines=False,
        )

    def line(record: int, before: pd.DataFrame) -> int:
        # A quoted field may span lines, so a record's line is more than its number.
        inside = sum(int(before[column].str.count("\n").sum()) for column in before.columns)
        return 1 + offset + record + inside

    try:
        raw = parse()
    except pd.errors.ParserError as error:
        wide = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        open_quote = re.search(r"EOF inside string starting at row (\d+)", str(error))
        if wide:
            record = int(wide[2]) - 1
            what = f"{wide[3]} fields, the header has {wide[1]}; quote fields that hold {best!r}"
        elif open_quote:
            record = int(open_quote[1])
            what = 'a quote (") is opened and never closed; close it'
        else:
            raise DataError(f"{path} is not a table: {shown(error, 120)}; mend the file") from None
        # pandas tokenises the first record even when asked for none
        at = line(record, parse(record)) if record else 1 + offset
        raise DataError(f"{path}, line {at}: {what}") from None

    header = [str(name).strip() for name in raw.iloc[0]]
    for name, column in zip(header, raw.columns, strict=True):
        lengths = raw[column].str.len()
        label = int(lengths.argmax())
        check_length(f"{path}, line {line(label, raw.iloc[:label])}", name, int(lengths[label]))
    names = _present(path, header, wanted, also)
    blank = (raw == "").all(axis=1)
    frame = raw[~blank].iloc[1:]
    if '"' not in body and body.count(best) != (len(header) - 1) * (len(frame) + 1):
        _refuse_short_row(path, body, best, len(header), offset)
    return Columns(
        path=path,
        frame=frame.set_axis(header, axis=1)[names],
        place=lambda label: f"line {line(label, raw.iloc[:label])}",
    )


def _split(path: Path, line: str, mark: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=mark))]
    except csv.Error as error:
        raise DataError(f"{path}, line 1: {shown(line, 40)} is no header ({error})") from None


def _refuse_short_row(path: Path, body: str, mark: str, width: int, offset: int) -> None:
    for number, line in enumerate(body.split("\n"), start=1 + offset):
        if line and line.count(mark) < width - 1:
            raise DataError(
                f"{path}, line {number}: {line.count(mark) + 1} fields, the header has {width}; "
                "fill the row or remove it"
            )


def _read_json_lines(
    path: Path, text: str, wanted: Collection[str], also: Collection[str]
) -> Columns:
    if text.lstrip().startswith("["):
        raise DataError(f"{path}, line 1: a JSON list, not JSON lines; write one object a line")
    records = parse_json_lines(path, text)
    keys = list(dict.fromkeys(key for _, record in records for key in record))
    names = _present(path, keys, wanted, also)
    columns = {name: [cell_text(record.get(name)) for _, record in records] for name in names}
    frame = pd.DataFrame(columns, index=[number for number, _ in records], dtype=str)
    return Columns(path=path, frame=frame, place=lambda label: f"line {label}")


def _read_parquet(path: Path, wanted: Collection[str], also: Collection[str]) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = _present(path, file.schema_arrow.names, wanted, also)
        table = file.read(columns=names)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not Parquet ({shown(error, 80)}); fetch it again") from None
    columns: dict[str, list[str]] = {}
    for name in names:
        values = table.column(name)
        try:
            if pa.types.is_nested(values.type):
                columns[name] = [cell_text(value) for value in values.to_pylist()]
            else:
                columns[name] = ["" if v is None else v for v in values.cast("string").to_pylist()]
        except (pa.ArrowException, TypeError) as error:
            raise DataError(
                f"{path}: column {name!r} ({values.type}) is no text ({shown(error, 60)}); "
                "store it as text"
            ) from None
    for name, cells in columns.items():
        longest = max(range(len(cells)), key=lambda row: len(cells[row]), default=None)
        if longest is not None:
            check_length(f"{path}, row {longest + 1}", name, len(cells[longest]))
    decimal = {name for name in names if pa.types.is_floating(table.schema.field(name).type)}
    return Columns(
        path=path,
        frame=pd.DataFrame(columns, dtype=str),
        place=lambda label: f"row {label + 1}",
        decimal=frozenset(decimal),
    )


def _present(
    path: Path, header: list[str], wanted: Collection[str], also: Collection[str]
) -> list[str]:
    """Return the wanted columns, which must be there, and those of `also` that are."""
    names = list(dict.fromkeys([*wanted, *(name for name in also if name in header)]))
    for name in names:
        if header.count(name) > 1:
            raise DataError(f"{path} has two columns named {shown(name)}; rename one")
        if name not in header:
            close = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
            columns = ", ".join(shown(column, 30) for column in header[:20])
            more = f" and {len(header) - 20} more" if len(header) > 20 else ""
            raise DataError(
                f"{path} has no column {shown(name)}{suggestion(close, 'nearest')}; "
                f"it has {columns}{more}"
            )
    return names
