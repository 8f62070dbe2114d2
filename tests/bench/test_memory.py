"""The comparison of memories: what each may know, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.recsys.small import small_dataset
from whythis.bench import memory
from whythis.bench.memory import BOTH, FULL, SIMILAR, TASTES, main, measure
from whythis.bench.problem import held_out
from whythis.bench.result import Result
from whythis.recsys.interactions import Dataset


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_dataset()


@pytest.fixture(scope="module")
def result(data: Dataset) -> Result:
    return measure(replace(data, reviews=data.reviews.iloc[:0]))


def test_every_memory_is_ranked_for_every_user(data: Dataset, result: Result) -> None:
    assert result.figures["users"] == len(held_out(data, 0).targets)
    assert [row[0] for row in result.rows[1:]] == [
        "popularity",
        "semantic",
        "episodic, recent",
        "episodic, similar",
        BOTH,
        FULL,
    ]
    for name, *_ in result.rows[1:]:
        assert 0 <= result.figures[f"{name} ndcg@10"] <= result.figures[f"{name} hr@10"] <= 1
    # tastes were planted: a memory of them beats chance, 10 of some 30 items
    assert result.figures["semantic hr@10"] > 0.4
    name = f"{FULL} - {SIMILAR} ndcg@10"
    low, mean, high = (result.figures[f"{name}{end}"] for end in (" low", "", " high"))
    assert low <= mean <= high
    told = result.figures[f"{FULL} ndcg@10"] - result.figures[f"{SIMILAR} ndcg@10"]
    assert mean == pytest.approx(told)


def test_swaps_are_judged(result: Result) -> None:
    judged = {t.figure: t.met(result.figures[t.figure]) for t in result.targets}
    assert judged == {"swap trials": False, "swap flagged": True, "swap own_flagged": True}
    assert result.figures["swap trials"] == 61


def test_with_reviews_the_summary_without_aspects_is_shown_too(data: Dataset) -> None:
    found = measure(data)
    assert TASTES in [row[0] for row in found.rows]


def test_no_held_out_review_is_read(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_out(data, 0)
    users = memory.leave_last_out(data, 0).test["user"].tolist()
    ids = data.items["item"].tolist()
    secret = data.reviews.iloc[:1].assign(
        user=users[3], item=ids[held.targets[3]], id="secret", text="Horses are wonderful."
    )
    import pandas as pd

    read: list[Any] = []
    build = memory.OpinionTable.build

    def watched(folder: Any, store: Any) -> Any:
        read.extend(store.sentences())
        return build(folder, store)

    monkeypatch.setattr(memory.OpinionTable, "build", watched)
    memory._opinions(replace(data, reviews=pd.concat([data.reviews, secret])), users, held)
    assert read
    assert "secret" not in {sentence.review for sentence in read}


def test_quick_takes_a_sample_and_reads_no_reviews(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "_QUICK", 20)
    monkeypatch.setattr(memory, "read", lambda _: data)
    assert main(["--quick", "--json"]) == 1  # too few trials for the target
    told = json.loads(capsys.readouterr().out)
    assert told["figures"]["users"] == told["figures"]["swap trials"] == 20
    assert f"{TASTES} ndcg@10" not in told["figures"]


def test_the_same_seed_measures_the_same(data: Dataset, result: Result) -> None:
    again = measure(replace(data, reviews=data.reviews.iloc[:0]))
    assert again.figures == pytest.approx(dict(result.figures), nan_ok=True)
    assert np.isfinite(list(again.figures.values())).all()
