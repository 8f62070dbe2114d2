"""Indexing is measured stage by stage, and one more review costs its own sentences alone."""

import pandas as pd
import pytest

from whythis.bench.indexing import measure
from whythis.recsys.errors import DataError


def reviews(texts: list[str]) -> pd.DataFrame:
    ids = [f"r{n}" for n in range(len(texts))]
    return pd.DataFrame(
        {
            "id": ids,
            "item": "i1",
            "user": [f"u{n}" for n in range(len(texts))],
            "rating": 5.0,
            "time": 1.0,
            "text": texts,
            "source": "test",
        }
    )


def test_every_stage_is_measured() -> None:
    texts = ["The sound is great. I like it.", "Bad strap.", "Good strings. They last. Buy them."]
    result = measure(reviews(texts), "made up")
    figures = result.figures
    assert (figures["reviews"], figures["sentences"]) == (2, 3)
    assert figures["total s"] == figures["sentences s"] + figures["aspects s"] > 0
    assert figures["one more review, sentences encoded"] == 3
    assert figures["processor s"] > 0
    assert {t.figure for t in result.targets} <= set(figures)


def test_one_review_is_too_few() -> None:
    with pytest.raises(DataError, match="at least 2"):
        measure(reviews(["Fine."]), "made up")
