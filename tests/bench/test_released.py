"""The benchmark of released text finds nothing wrong with what is true, and what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from whythis.bench.released import main


@pytest.fixture(scope="module")
def texts(small_indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from whythis.recsys.artefact import read_reviews

    stored = read_reviews(small_indexed)
    assert isinstance(stored, pd.DataFrame)
    path = tmp_path_factory.mktemp("texts") / "reviews.jsonl"
    rows = stored[["id", "item", "user", "text"]].to_dict("records")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def run(folder: Path, texts: Path, *more: str, out: Path) -> tuple[int, dict[str, Any]]:
    given = ["--data", str(folder), "--reviews", str(texts), "--out", str(out), "--json", *more]
    return main(given), json.loads(out.read_text("utf-8"))


@pytest.mark.parametrize("writer", ["none", "liar"])
def test_released_text_is_true_whoever_writes(
    writer: str, small_indexed: Path, texts: Path, tmp_path: Path
) -> None:
    asked = ("--pairs", "8", "--writer", writer)
    code, found = run(small_indexed, texts, *asked, out=tmp_path / "out.json")
    figures = found["figures"]
    assert found["notes"] == []
    assert code == 0
    assert figures["answers"] == 8
    assert figures["claims"] >= 24
    assert figures["claim precision"] == figures["source accuracy"] == 1
    assert figures["answers that hold when replayed"] == 1
    assert figures["sentences by the writer"] == 0
    assert figures["draft claim precision, mean"] == (0 if writer == "liar" else None)


def test_it_goes_on_from_what_was_saved_and_believes_none_of_it(
    small_indexed: Path, texts: Path, tmp_path: Path
) -> None:
    save = tmp_path / "save.jsonl"
    asked = ("--pairs", "4", "--save", str(save))
    assert run(small_indexed, texts, *asked, out=tmp_path / "a.json")[0] == 0
    lines = save.read_text("utf-8").splitlines()
    assert len(lines) == 4
    lines[0] = re.sub(r'"rank_after": \d+', '"rank_after": 39', lines[0], count=1)
    save.write_text("\n".join(lines) + "\n", "utf-8")
    code, found = run(small_indexed, texts, *asked, out=tmp_path / "b.json")
    assert code == 1
    assert found["figures"]["claim precision"] < 1
    assert found["figures"]["source accuracy"] < 1
    assert found["figures"]["answers that hold when replayed"] == 0.75
    assert found["notes"]
