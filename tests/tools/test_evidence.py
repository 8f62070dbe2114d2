"""Evidence is named by its content."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whythis.tools.evidence import Evidence, evidence

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
values = st.dictionaries(st.text(max_size=6), json_values, max_size=4)

BASE: dict[str, Any] = {
    "kind": "rank",
    "value": {"rank": 3, "of": 40},
    "source": "model:abc",
    "probe": "facts",
    "user": "u1",
    "item": "i1",
}


@given(values)
def test_equal_content_has_an_equal_id_in_any_order(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    first = evidence("k", value, source="s", probe="p", a=1, b="x")
    second = evidence("k", turned, source="s", probe="p", b="x", a=1)
    assert first == second
    assert re.fullmatch(r"e-[0-9a-f]{10}", first.id)


@given(values)
def test_a_record_survives_json(value: dict[str, Any]) -> None:
    record = evidence("k", value, source="s", probe="p", about="ж", items=["a"])
    assert Evidence.model_validate_json(record.model_dump_json()) == record
    assert Evidence.model_validate(json.loads(json.dumps(record.model_dump()))) == record


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "ranks"},
        {"value": {"rank": 4, "of": 40}},
        {"value": {"rank": "3", "of": 40}},
        {"value": {"rank": 3, "of": 40, "top": None}},
        {"source": "model:abd"},
        {"probe": "fact"},
        {"user": "u2"},
        {"n": 1},
    ],
)
def test_any_other_content_has_another_id(change: dict[str, Any]) -> None:
    assert evidence(**BASE).id != evidence(**{**BASE, **change}).id


def test_the_call_that_found_it_is_kept() -> None:
    record = evidence(**BASE)
    assert record.probe.name == "facts"
    assert record.probe.args == {"user": "u1", "item": "i1"}
    assert record.source == "model:abc"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_hold_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        evidence("k", {"x": number}, source="s", probe="p")


def test_a_record_cannot_be_changed_or_extended() -> None:
    record = evidence(**BASE)
    with pytest.raises(ValidationError):
        record.kind = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Evidence.model_validate({**record.model_dump(), "verdict": "verified"})


def test_the_record_keeps_a_copy_of_the_value() -> None:
    value: dict[str, Any] = {"rank": 3}
    record = evidence("k", value, source="s", probe="p")
    value["rank"] = 4
    assert record.value == {"rank": 3}
