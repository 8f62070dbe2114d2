"""Long titles are said shortly, and never two alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.recsys.titles import LONGEST, cut, short_titles


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Heat", "Heat"),
        ("x" * LONGEST, "x" * LONGEST),
        (
            "Easydew 2-Step Face Contour Sheet Mask - Tightening & Anti-Aging & Hydrating",
            "Easydew 2-Step Face Contour Sheet Mask…",
        ),
        (
            "Face and Body Paint Kit By Color Technik 24 Professional Oil Based Flash Colors",
            "Face and Body Paint Kit By Color Technik 24 Professional…",
        ),
        ("y" * 200, "y" * (LONGEST - 1) + "…"),
    ],
)
def test_a_title_is_cut_at_a_break_or_a_word(title: str, said: str) -> None:
    assert cut(title) == said


@given(st.lists(st.text(max_size=120), max_size=8, unique_by=str.casefold))
def test_titles_that_differ_are_said_differently(titles: list[str]) -> None:
    said = short_titles(titles, titles)
    folded = [one.casefold() for one in said]
    assert len(set(folded)) == len(folded)
    assert all(len(s) <= max(LONGEST, len(t)) for s, t in zip(said, titles, strict=True))


def test_a_shared_title_is_said_with_its_year() -> None:
    assert short_titles(
        ["Heat", "heat", "Ronin"], ["Heat (1995)", "heat (1986)", "Ronin (1998)"]
    ) == [
        "Heat (1995)",
        "heat (1986)",
        "Ronin",
    ]
