"""A review of any length costs the index no more than one that somebody reads."""

from __future__ import annotations

import pandas as pd
import pytest

from whythis.tools.reviews.index import LONGEST, MOST, _sentences


def texts_of(text: str) -> list[str]:
    frame = pd.DataFrame(
        {"id": ["r"], "item": ["i"], "user": ["u"], "rating": [5.0], "time": [0.0]}
    ).assign(text=text, source="sample")
    return [sentence.text for sentence in _sentences(frame)]


@pytest.mark.parametrize("unit", ["Buy it. ", "a", "zorblax ", ". ", "“", "<b>", "é\u0301"])
def test_a_megabyte_gives_a_bounded_number_of_whole_sentences(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    found = texts_of(text)
    assert len(found) <= MOST
    assert sum(map(len, found)) <= LONGEST
    assert all(one in text for one in found)


def test_a_review_that_somebody_reads_is_kept_whole() -> None:
    text = " ".join(f"This is sentence number {n} of a long review." for n in range(MOST))
    assert len(texts_of(text)) == MOST
    assert len(texts_of(f"{text} And one more.")) == MOST


def test_a_sentence_that_goes_beyond_the_limit_is_left_out_whole() -> None:
    long = ("word " * 100 + "end. ") * (LONGEST // 505)
    assert texts_of(f"{long} {'last ' * 200}.")[-1].endswith(("end.", "last"))
    assert all(len(one) <= 600 for one in texts_of(long))
