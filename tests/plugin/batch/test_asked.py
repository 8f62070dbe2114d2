"""What a batch is asked: every row is yielded, whole or with its error, and few are held."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.batch.asked import LINE, Asked, read_asked, survey
from whythis.recsys.errors import DataError

ROWS = [Asked(0, "u1", "i1"), Asked(1, "7", "8"), Asked(2, "u1", None), Asked(3, "é", "x")]


def written(folder: Path, text: str, name: str = "in.jsonl") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_json_lines_and_parquet_ask_the_same(tmp_path: Path) -> None:
    lines = ['{"user": "u1", "item": "i1", "more": [1]}', "", '{"user": 7, "item": 8}']
    lines += ['{"user": "u1"}', '{"user": "é", "item": "x"}']
    path = written(tmp_path, "\n".join(lines))
    assert list(read_asked(path)) == ROWS
    table = {"user": ["u1", "7", "u1", "é"], "item": ["i1", "8", None, "x"], "more": [1, 2, 3, 4]}
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    assert list(read_asked(tmp_path / "in.parquet")) == ROWS
    assert survey(path).rows == survey(tmp_path / "in.parquet").rows == 4
    pq.write_table(pa.table({"user": [1, 2]}), tmp_path / "numbers.parquet")
    assert list(read_asked(tmp_path / "numbers.parquet")) == [
        Asked(0, "1", None),
        Asked(1, "2", None),
    ]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=20), st.integers(0, 25)
)
def test_reading_on_somewhere_gives_the_rest(pairs: list[tuple[str, str]], start: int) -> None:
    from tempfile import TemporaryDirectory

    text = "".join(json.dumps({"user": u, "item": i}) + "\n" for u, i in pairs)
    with TemporaryDirectory() as folder:
        path = written(Path(folder), text)
        every = list(read_asked(path))
        assert len(every) == len(pairs)
        assert [(a.row, a.user, a.item) for a in every if a.error is None] == [
            (n, u, i) for n, (u, i) in enumerate(pairs) if every[n].error is None
        ]
        assert list(read_asked(path, start)) == every[start:]


@pytest.mark.parametrize(
    "line",
    [
        "{broken",
        "[1]",
        "3",
        '{"item": "x"}',
        '{"user": 1.5}',
        '{"user": true}',
        '{"user": null}',
        '{"user": "a", "item": []}',
        '{"user": "a", "user": "b"}',
        '{"user": "\\ud800"}',
        '{"user": "' + "x" * 3 * LINE + '"}',
    ],
)
def test_a_row_that_cannot_be_read_is_a_row_with_an_error(line: str, tmp_path: Path) -> None:
    path = written(tmp_path, f'{{"user": "u1"}}\n{line}\n{{"user": "u2"}}\n')
    first, bad, last = read_asked(path)
    assert (first.user, last.user, last.row) == ("u1", "u2", 2)
    assert bad.error
    assert "\n" not in bad.error
    assert survey(path).rows == 3


def test_what_is_no_input_is_refused_at_once(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "no.jsonl", "no file"),
        (written(tmp_path, "", "empty.jsonl"), "no rows"),
        (written(tmp_path, "user,item\n", "in.csv"), r"\.parquet or \.jsonl"),
        (written(tmp_path, '{"who": "u"}\n', "who.jsonl"), "row 1: user"),
        (written(tmp_path, "PAR1", "bad.parquet"), "cannot be read as Parquet"),
    ):
        with pytest.raises(DataError, match=words):
            survey(path)
