"""Read JSON that anybody may have written, strictly, and write JSON that is safe to be shown."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from whythis.recsys.errors import DataError

MAX_BYTES = 16 * 2**20
"""How long one JSON text may be; an explanation takes some ten thousand bytes."""

# Controls beyond those that JSON escapes, lone surrogates, what turns text round or is not seen.
_OBEYED = re.compile(
    "[\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


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


def shown_json(data: object, indent: int | None = None) -> str:
    """Return data as JSON fit to be shown: what a terminal would obey, what turns text round and
    what nobody sees are escapes. Without `indent` it is as short as can be.

    Raises `ValueError` for NaN and infinity.
    """
    close = (",", ":") if indent is None else None
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=close, allow_nan=False)
    return _OBEYED.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"the JSON has the key {twice[:40]!r} twice in one object")
    return found


def _no_number(name: str) -> NoReturn:
    raise DataError(f"the JSON has {name}, which is no number")
