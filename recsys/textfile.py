"""Read text and JSON lines from files that may hold anything, and name the line that is wrong."""

from __future__ import annotations

import difflib
import gzip
import json
import zlib
from pathlib import Path

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown

MAX_FIELD = 1_000_000  # characters in one field
MAX_FILE = 2**30  # bytes of a text file once decompressed; guards against a gzip bomb

_MAGIC = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip or Excel",
    b"\xd0\xcf\x11\xe0": "old Excel",
}


def check_file(path: Path) -> None:
    """Raise a DataError naming the nearest files unless the path is a file."""
    if path.is_dir():
        inside = sorted(child.name for child in path.iterdir() if child.is_file())
        raise DataError(f"{path} is a folder; name a file{suggestion(inside[:5], 'in it')}")
    if not path.exists():
        siblings = [child.name for child in path.parent.glob("*")] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, siblings, n=3, cutoff=0.5)
        raise DataError(f"no file {path}; check the name{suggestion(close, 'nearest')}")


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Read a text file, gzipped if its name ends in .gz, with newlines as line ends.

    Raises:
        DataError: too large, not gzip, not in this encoding, or not text at all.
    """
    data = _read_bytes(path)
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(
                f"{path} holds {kind} data, not text; give it the suffix of its format "
                "or export it as CSV"
            )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and not encoding.lower().startswith("utf-16"):
        raise DataError(f"{path} is UTF-16, not {encoding}; use --encoding utf-16")
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, at) + 1
        raise DataError(
            f"{path}, line {line}: byte {data[at]:#04x} at offset {at} is not {encoding}; "
            f"save the file as UTF-8 or use --encoding {_other_encoding(data, encoding)}"
        ) from None
    except (LookupError, ValueError):
        raise DataError(
            f"encoding {shown(encoding)} does not exist; use one such as utf-8, cp1252 or latin-1"
        ) from None
    if "\0" in text:
        at = text.index("\0")
        raise DataError(
            f"{path}, line {text.count(chr(10), 0, at) + 1}: a NUL character, so this is not plain "
            "text; save it again as text"
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{path} is empty; give it a header and rows")
    return text


def parse_json_lines(path: Path, text: str) -> list[tuple[int, dict[str, object]]]:
    """Return (line number, object) for every non-blank line; numbers stay text as written."""
    records: list[tuple[int, dict[str, object]]] = []
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            if "\\u" in line:
                # A lone surrogate (\ud800) parses, yet no text that holds one can be stored.
                json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{path}, line {number}: half of a surrogate pair; write the whole character"
            ) from None
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}, line {number}: {shown(line, 40)} is not JSON ({shown(error, 60)}); "
                "write one object a line"
            ) from None
        if not isinstance(record, dict):
            raise DataError(
                f"{path}, line {number}: {shown(line, 40)} is not a JSON object; "
                "write one object a line"
            )
        if len(line) > MAX_FIELD:
            for name, value in record.items():
                check_length(f"{path}, line {number}", name, len(cell_text(value)))
        records.append((number, record))
    return records


def cell_text(value: object) -> str:
    """Return a parsed JSON value as text: a string as it is, null as "", the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def check_length(where: str, name: str, length: int) -> None:
    """Raise a DataError when a field has more than MAX_FIELD characters."""
    if length > MAX_FIELD:
        raise DataError(
            f"{where}: {shown(name)} has {length} characters, the limit is {MAX_FIELD}; "
            "shorten it or close an open quote"
        )


def suggestion(names: list[str], label: str) -> str:
    """Return " (label: names)" for an error message, or nothing without names."""
    return f" ({label}: {', '.join(shown(name) for name in names)})" if names else ""


def _read_bytes(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a whole gzip file ({error}); fetch it again or drop the .gz"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_FILE:
        raise DataError(f"{path} holds more than {MAX_FILE} bytes of text; store it as Parquet")
    return bytes(data)


def _other_encoding(data: bytes, tried: str) -> str:
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "latin-1" if tried.lower() == "cp1252" else "cp1252 (or latin-1)"
