"""An interrupted run loses at most the result it was at; a whole one leaves one whole file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from whythis.resumable import resumed


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_results_stand_in_the_order_of_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with resumed(out) as results:
        for key in "ba":
            results.add(key, {"n": key * 2})
        assert not out.exists()
    assert lines(out) == [{"key": "b", "n": "bb"}, {"key": "a", "n": "aa"}]
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def interrupted(out: Path) -> None:
    with resumed(out) as results:
        results.add("a", {"n": 1})
        raise KeyboardInterrupt


@pytest.mark.parametrize("torn", ["", '{"key": "c", "n"', '{"key": "c"}\n{', "\n\n[1]\n", "\x00"])
def test_what_was_done_before_an_interruption_is_not_done_again(torn: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        interrupted(out)
    assert not out.exists()
    with (tmp_path / "out.jsonl.part").open("a", encoding="utf-8") as file:
        file.write(torn)
    with resumed(out) as results:
        assert results.earlier("a") == {"n": 1}
        assert results.earlier("b") is None
        results.add("b", {"n": 2})
    assert lines(out) == [{"key": "a", "n": 1}, {"key": "b", "n": 2}]
    with resumed(out) as results:
        assert results.earlier("b") == {"n": 2}
    assert lines(out) == [{"key": "b", "n": 2}]


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    with resumed(None) as results:
        results.add("a", {"n": 1})
        assert results.earlier("a") is None
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_as_json_harms_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with resumed(out) as results:
        results.add("a", {"n": 1})
    with pytest.raises(ValueError, match="JSON"), resumed(out) as results:
        results.add("b", {"n": float("nan")})
    assert lines(out) == [{"key": "a", "n": 1}]
