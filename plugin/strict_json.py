"""Read JSON that anybody may have written: no key twice, no NaN, no half characters, no end."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from whythis.recsys.errors import DataError

MAX_BYTES = 16 * 2**20
"""How long one JSON text may be; an explanation takes some ten thousand bytes."""


def strict_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises `DataError`, in one line, for what is no JSON, for a key that stands twice in an object
    (readers would see either), for NaN and infinity, for half of a surrogate pair, for nesting too
    deep to read, and for more than `MAX_BYTES`.
    """
    if len(text) > MAX_BYTES:
        raise DataError(f"{len(text):,} bytes of JSON: the limit is {MAX_BYTES:,}")
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise DataError("the JSON is nested too deep") from None
    except UnicodeError:
        raise DataError("the JSON holds half a character: write it as UTF-8") from None
    except ValueError as error:  # also a number of more digits than Python reads
        raise DataError(f"this is not JSON: {str(error)[:80]}") from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"the JSON has the key {twice[:40]!r} twice in one object")
    return found


def _no_number(name: str) -> NoReturn:
    raise DataError(f"the JSON has {name}, which is no number")
