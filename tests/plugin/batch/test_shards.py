"""Shards are whole or not there; a run goes on after them, or is refused where it is another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.batch.rows import FIELDS, Row
from whythis.batch.shards import LOG, MANIFEST, shards
from whythis.recsys.errors import ArtefactError, DataError

RUN = {"model": "m" * 64, "seed": 0}


def row(number: int, **known: Any) -> Row:
    return {**dict.fromkeys(FIELDS), "row": number, "user": "u", **known}


def numbers(folder: Path) -> list[int]:
    found = []
    for path in sorted(folder.glob("part-*")):
        if path.suffix == ".parquet":
            found += pq.read_table(path)["row"].to_pylist()
        else:
            found += [json.loads(line)["row"] for line in path.read_text("utf-8").splitlines()]
    return found


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_rows_come_back_as_they_went(name: str, tmp_path: Path) -> None:
    rows = [
        row(n, explanation={"answer": "“é”\n"}, error="no" if n == 1 else None) for n in range(7)
    ]
    rows.insert(3, row(2, item="second"))
    with shards(tmp_path / name, RUN, 3) as kept:
        kept.keep(rows)
        counts = kept.finish(RUN)
    assert counts == {"asked": 7, "rows": 8, "errors": 1, "by_realiser": 0}
    assert numbers(tmp_path / name) == [0, 1, 2, 2, 3, 4, 5, 6]
    assert len(list((tmp_path / name).glob("part-*"))) == 3
    assert json.loads((tmp_path / name / MANIFEST).read_bytes())["complete"] is True
    assert not list((tmp_path / name).glob(".*.tmp"))
    if name.endswith("parquet"):
        table = pq.read_table(tmp_path / name)  # the folder as a whole, as other tools read it
        assert table.num_rows == 8
        assert json.loads(table["explanation"][0].as_py()) == {"answer": "“é”\n"}


@given(
    total=st.integers(1, 25), size=st.integers(1, 6), stops=st.lists(st.integers(0, 25), max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_wherever_it_stops_nothing_is_lost_or_twice(
    total: int, size: int, stops: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    class StoppedError(Exception):
        pass

    folder = tmp_path_factory.mktemp("stops") / "out.jsonl"

    def rows(first: int, stop: int | None) -> Any:
        for n in range(first, total):
            if n == stop:
                raise StoppedError
            yield row(n)

    for stop in [*stops, None]:
        try:
            with shards(folder, RUN, size) as kept:
                kept.keep(rows(kept.first, stop))
                kept.finish(RUN)
        except StoppedError:
            continue
    assert numbers(folder) == list(range(total))


@pytest.mark.parametrize("harm", ["cut log", "no log", "changed shard", "no shard", "torn shard"])
def test_what_is_not_as_the_log_says_is_done_again(harm: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with shards(out, RUN, 2) as kept:
        kept.keep(row(n) for n in range(6))
    log, second = out / LOG, out / "part-000001.jsonl"
    match harm:
        case "cut log":
            log.write_bytes(log.read_bytes()[:-9])
        case "no log":
            log.unlink()
        case "changed shard":
            second.write_text(second.read_text().replace('"row": 2', '"row": 9'))
        case "no shard":
            second.unlink()
        case _:
            (out / ".part-000003.jsonl.tmp").write_text('{"row')
    first = {"cut log": 4, "no log": 0, "torn shard": 6}.get(harm, 2)
    with shards(out, RUN, 2) as kept:
        assert kept.first == first
        kept.keep(row(n) for n in range(first, 7))
        kept.finish(RUN)
    assert numbers(out) == list(range(7))


def test_another_run_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with shards(out, RUN, 2) as kept:
        kept.keep([row(0), row(1)])
    before = {path: path.read_bytes() for path in out.iterdir()}
    with (
        pytest.raises(DataError, match=r'another model, "mmm.* and not "nnn'),
        shards(out, {**RUN, "model": "n" * 64}, 2),
    ):
        pass
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_places_that_are_no_batch_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text("mine")
    (tmp_path / "mine.jsonl").mkdir()
    (tmp_path / "mine.jsonl" / "letters").write_text("mine")
    (tmp_path / "odd.jsonl").mkdir()
    (tmp_path / "odd.jsonl" / MANIFEST).write_text("{")
    for name, words in (
        ("out.csv", r"\.jsonl or \.parquet"),
        ("file.jsonl", "is a file"),
        ("mine.jsonl", "letters"),
        ("odd.jsonl", "cannot be read"),
    ):
        with (
            pytest.raises((DataError, ArtefactError), match=words),
            shards(tmp_path / name, RUN, 2),
        ):
            pass
    assert (tmp_path / "file.jsonl").read_text() == "mine"


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with (
        shards(out, RUN, 2),
        pytest.raises(DataError, match="another process writes"),
        shards(out, RUN, 2),
    ):
        pass
