"""`whythis replay` reads one explanation or many, goes on where it stopped, and exits with 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.plugin.running import SMALL, TABLE, process, unseen, whythis
from whythis.cli import app
from whythis.commands.replay import texts


@pytest.fixture(scope="module")
def saved(fitted: Path) -> dict[str, Any]:
    item = unseen(fitted)
    said = whythis("explain", fitted, "--user", "u00", "--item", item, "--json")
    return said.json  # type: ignore[no-any-return]


def altered(saved: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(saved))
    changed["claims"]["p1"]["value"]["rank_after"] += 5
    return changed


def many(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    return path


def test_what_explain_printed_holds(fitted: Path, saved: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(saved, indent=2, ensure_ascii=False), "utf-8")
    ran = whythis("replay", path, "--with", fitted)
    assert ran.code == 0, ran
    assert "1 of 1 explanation hold" in " ".join(ran.out.split())
    said = whythis("replay", path, "--with", fitted, "--json").json
    assert (said["explanations"], said["hold"], said["refused"], said["same_run"]) == (1, 1, 0, 1)
    (one,) = said["results"]
    assert [s["text"] for s in one["sentences"]] == [s["text"] for s in saved["sentences"]]
    assert {s["outcome"] for s in one["sentences"]} == {"holds"}


def test_what_does_not_hold_is_told(fitted: Path, saved: dict[str, Any], tmp_path: Path) -> None:
    path = many(tmp_path / "many.jsonl", saved, altered(saved), {"schema": "other"}, saved)
    with path.open("a", encoding="utf-8") as file:
        file.write('not JSON\n\n{"a": 1, "a": 2}\n')
    ran = whythis("replay", path, "--with", fitted)
    text = " ".join(ran.out.split())
    assert ran.code == 1
    assert "2 of 6 explanations hold, 3 refused" in text
    assert f"{path.name}:2" in text
    assert "p1: the rank without it is" in text
    assert "refused as a whole: this is not JSON" in text
    said = json.loads(whythis("replay", path, "--with", fitted, "--json").out)
    assert [one["holds"] for one in said["results"]] == [True, False, False, True, False, False]


def test_standard_input_is_read(fitted: Path, saved: dict[str, Any]) -> None:
    done = CliRunner().invoke(
        app, ["replay", "-", "--with", str(fitted)], input=json.dumps(saved) + "\n"
    )
    assert done.exit_code == 0, done.output


def test_a_run_goes_on_where_it_stopped(
    fitted: Path, saved: dict[str, Any], tmp_path: Path
) -> None:
    path, out = many(tmp_path / "many.jsonl", saved, altered(saved), saved), tmp_path / "out.jsonl"
    assert whythis("replay", path, "--with", fitted, "--out", out).code == 1
    lines = out.read_text("utf-8").splitlines()
    assert [json.loads(line)["holds"] for line in lines] == [True, False, True]
    assert [json.loads(line)["source"] for line in lines] == [f"{path}:{n}" for n in (1, 2, 3)]
    # What stands in the file is not done again; what was cut off is.
    marked = lines[0].replace('"user": "u00"', '"user": "as it stood"')
    out.with_name("out.jsonl.part").write_text(marked + "\n" + lines[1][:50], "utf-8")
    out.unlink()
    assert whythis("replay", path, "--with", fitted, "--out", out).code == 1
    users = [json.loads(line)["user"] for line in out.read_text("utf-8").splitlines()]
    assert users == ["as it stood", "u00", "u00"]


def test_other_data_are_not_taken_for_the_same(
    fitted: Path, ratings: Path, saved: dict[str, Any], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    arguments = [*TABLE, *SMALL, "--out", other, "--like", "3"]
    assert whythis("fit", ratings, *arguments).code == 0
    path, out = many(tmp_path / "one.jsonl", saved), tmp_path / "out.jsonl"
    assert whythis("replay", path, "--with", fitted, "--out", out).code == 0
    ran = whythis("replay", path, "--with", other, "--out", out, "--json")
    assert ran.code == 1
    (one,) = json.loads(ran.out)["results"]
    assert (one["same"], one["refused"]) == (False, None)
    told = [s["reason"] for s in one["sentences"]]
    assert any("p1: " in reason for reason in told), told


def test_bad_input_is_refused_in_one_line(fitted: Path, tmp_path: Path) -> None:
    whythis("replay", tmp_path / "gone.json", "--with", fitted).refused("no file", "gone.json")
    path = many(tmp_path / "a.jsonl", {})
    whythis("replay", path, "--with", tmp_path / "gone").refused("gone")
    whythis("replay", path, "--with", fitted, "--out", tmp_path / "no" / "x").refused("no folder")
    assert not (tmp_path / "no").exists()


def test_hostile_text_is_not_obeyed(fitted: Path, saved: dict[str, Any], tmp_path: Path) -> None:
    hostile = json.loads(json.dumps(saved))
    hostile["sentences"][0]["text"] = "[bold]\x1b[31m\u202e[/bold] " + "x" * 100
    hostile["user"] = "[/bold]\x1b]0;title\x07"
    ran = process("replay", many(tmp_path / "a.jsonl", hostile), "--with", fitted)
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "[/bold]" in ran.out


def test_a_line_of_any_length_is_read_in_bounds(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"x" * 40_000_000 + b"\n" + b'{"b": 2}')
    with path.open("rb") as file:
        found = list(texts(file))
        again = list(texts(file))
    assert [n for n, _ in found] == [1, 2, 3]
    assert found[0][1] == b'{"a": 1}'
    assert found[2][1] == b'{"b": 2}'
    assert len(found[1][1]) < 20_000_000
    assert found == again
