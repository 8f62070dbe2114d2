"""The labelled sentences are found again, and numbered users are found by what they wrote."""

from __future__ import annotations

import gzip
import json
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whythis.bench.aspects import on_sentences
from whythis.bench.datasets import read
from whythis.bench.sentires import read_sentires
from whythis.recsys.errors import DataError, MissingPartError

LABELLED = tomllib.loads(files("whythis.bench").joinpath("aspects.toml").read_text("utf-8"))


def test_two_hundred_sentences_are_labelled_half_of_them_held_back() -> None:
    told = LABELLED["sentence"]
    for data in ("musical-instruments", "beauty"):
        for part in ("dev", "held"):
            assert sum((s["data"], s["part"]) == (data, part) for s in told) == 50
    assert len({(s["user"], s["item"], *s["sentences"]) for s in told}) == 200
    assert {sign for s in told for sign in s["judged"].values()} == {1, -1}


@pytest.mark.integration
def test_the_labelled_sentences_are_found_again() -> None:
    try:
        reviews = {name: read(name).reviews for name in ("musical-instruments", "beauty")}
    except MissingPartError as error:
        pytest.skip(str(error))
    held = [s for s in LABELLED["sentence"] if s["part"] == "held"]
    score = on_sentences(held, reviews)
    assert score.right / score.found > 0.65
    assert score.agree / score.judged > 0.8
    with pytest.raises(DataError, match="not the one that was labelled"):
        on_sentences([{**held[0], "sha256": "0"}], reviews)


def test_users_are_found_by_the_order_of_what_they_wrote(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"part{n}" for n in range(40)]
    wrote = [rng.choice(40, 6, replace=False) for _ in range(60)]
    lines = [(f"u{n}", " ".join(names[f] for f in some)) for n, some in enumerate(wrote)]
    reviews = pd.DataFrame(lines, columns=["user", "text"])
    kept = [n for n in range(60) if n % 3]  # nothing was taken from the others
    held = {
        "features": {name: n for n, name in enumerate(names)},
        "user_feature_sentiment": {
            str(k): {str(f): 1.0 for f in wrote[n][:4]} for k, n in enumerate(kept)
        },
    }
    path = tmp_path / "features.json.gz"
    path.write_bytes(gzip.compress(json.dumps(held).encode()))
    found = read_sentires(path, reviews, 0)
    right = [user in lines_of(reviews, features) for user, features in found.features.items()]
    assert len(right) > 20
    assert all(right)
    assert found.present > 0.8 > 0.5 > found.chance
    path.write_bytes(b"{}")
    with pytest.raises(DataError, match="fetch it again"):
        read_sentires(path, reviews, 0)


def lines_of(reviews: pd.DataFrame, features: object) -> set[str]:
    assert isinstance(features, dict)
    holds = reviews["text"].map(lambda text: set(features) <= set(text.split()))
    return set(reviews["user"][holds])
