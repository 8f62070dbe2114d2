"""A form is read in every way it allows, the preferred one first, and broken forms are refused."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.auditing.matching import Chart, Part, compiled, split
from whythis.recsys.errors import DataError


def unknown(name: str) -> Part:
    raise DataError(f"<{name}> is unknown")


def ends(form: str, text: str) -> list[int]:
    return [end for end, _ in Chart(text.split()).matches(compiled(form, unknown), 0)]


def test_every_end_is_found_and_the_longer_choice_is_preferred() -> None:
    assert ends("it (falls)? (down)?", "it falls down") == [3, 2, 1]


def test_the_first_choice_names_the_parts() -> None:
    part = compiled("({before:ORD}|{after:ORD}) [falls]", unknown)
    [(end, caught)] = Chart(["ORD"]).matches(part, 0)
    assert end == 1
    assert split(caught) == ({"before": 0}, frozenset({"falls"}))


def test_what_must_follow_is_not_taken() -> None:
    assert ends("it &(falls)", "it falls") == [1]
    assert ends("it &(falls)", "it rises") == []


@pytest.mark.parametrize("form", ["(it", "it)", "? it", "<nowhere>", "it {x}"])
def test_a_broken_form_is_refused(form: str) -> None:
    with pytest.raises(DataError):
        compiled(form, unknown)


_FORMS = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda form: st.one_of(
        st.lists(form, min_size=1, max_size=3).map(" ".join),
        st.lists(form, min_size=2, max_size=3).map(lambda f: f"({'|'.join(f)})"),
        form.map(lambda f: f"({f})?"),
    ),
    max_leaves=8,
)


@given(_FORMS)
def test_it_accepts_what_the_same_regular_expression_accepts(form: str) -> None:
    pattern = re.compile(form.replace(" ", "").replace("(", "(?:"))
    part = compiled(form, unknown)
    for length in range(4):
        for text in product("abc", repeat=length):
            found = {end for end, _ in Chart(text).matches(part, 0)}
            wanted = {n for n in range(length + 1) if pattern.fullmatch("".join(text[:n]))}
            assert found == wanted
