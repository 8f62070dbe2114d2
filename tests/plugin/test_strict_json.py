"""JSON that could be read in two ways, or not at all, is refused in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.errors import DataError
from whythis.strict_json import MAX_BYTES, strict_json

BAD = {
    "a key twice": ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' twice"),
    "NaN": ('{"a": NaN}', "NaN, which is no number"),
    "infinity": ("[-Infinity]", "-Infinity, which is no number"),
    "beyond floats": ("[1e999]", "not JSON"),
    "many digits": ("9" * 10_000, "not JSON"),
    "deep": ("[" * 200_000 + "]" * 200_000, "too deep"),
    "half a character": ('"\\ud800"', "half a character"),
    "bytes": (b'"\xff"', "half a character"),
    "cut off": ('{"a": ', "not JSON"),
    "two": ("{}{}", "not JSON"),
    "empty": ("", "not JSON"),
    "large": ('"' + "x" * MAX_BYTES + '"', "the limit is"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_one_clear_text_is_refused(name: str) -> None:
    text, words = BAD[name]
    with pytest.raises(DataError) as raised:
        strict_json(text)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(max_size=5), inside),
)


@given(value=VALUES, ascii_only=st.booleans())
def test_what_was_written_is_read(value: object, ascii_only: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only)
        text.encode()
    except UnicodeError:
        return
    if "\\ud" in text.lower():
        return
    assert strict_json(text) == strict_json(text.encode()) == value
