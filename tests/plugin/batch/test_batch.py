"""`whythis batch` as people run it: in processes, on Ray, killed and run again."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from whythis.recsys import artefact

# Tests are no installed package: they have no absolute name.
from ..running import HISTORY_OF_NONE, command, process, whythis  # noqa: TID252

USERS = [f"u{n:02}" for n in range(24)]


@pytest.fixture(scope="module")
def asked(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return questions: two dozen users' best films, somebody unknown in between."""
    path = tmp_path_factory.mktemp("asked") / "asked.jsonl"
    rec = artefact.load(fitted)
    pairs = [(user, rec.recommend(user, 1)[0].item) for user in USERS]
    pairs.insert(5, ("nobody", "f01"))
    path.write_text("".join(json.dumps({"user": u, "item": i}) + "\n" for u, i in pairs), "utf-8")
    return path


@pytest.fixture(scope="module")
def whole(fitted: Path, asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the answers of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out.jsonl"
    ran = whythis("batch", fitted, asked, out, "--shard-size", "4")
    assert ran.code == 1, ran.err  # somebody is unknown
    return out


def rows(out: Path) -> list[dict[str, Any]]:
    parts = sorted(out.glob("part-*.jsonl"))
    return [json.loads(line) for path in parts for line in path.read_bytes().splitlines()]


def test_a_row_is_what_explain_prints(fitted: Path, whole: Path) -> None:
    found = rows(whole)
    assert [row["row"] for row in found] == list(range(25))
    assert "nobody" in found[5]["error"]
    for row in (found[0], found[24]):
        asked = ("explain", fitted, "--user", row["user"], "--item", row["item"], "--json")
        single = json.loads(whythis(*asked).out)
        single["metrics"]["ms"] = {}
        assert row["explanation"] == single
        assert row["answer"] == single["answer"]


def test_two_processes_give_the_same_rows(
    fitted: Path, asked: Path, whole: Path, tmp_path: Path
) -> None:
    ran = process("batch", fitted, asked, tmp_path / "out.parquet", "--processes", "2", "--json")
    assert ran.code == 1, ran.err
    said = json.loads(ran.out)
    assert (said["asked"], said["rows"], said["errors"]) == (25, 25, 1)
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    for one in table:
        one["explanation"] = one["explanation"] and json.loads(one["explanation"])
    assert table == rows(whole)


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None and os.environ.get("WHYTHIS_TESTS") != "all",
    reason="ray is not installed: pip install 'whythis[batch]'",
)
def test_ray_gives_the_same_rows(fitted: Path, asked: Path, whole: Path, tmp_path: Path) -> None:
    some = tmp_path / "asked.jsonl"
    some.write_text("".join(asked.read_text("utf-8").splitlines(keepends=True)[:10]), "utf-8")
    out = tmp_path / "out.jsonl"
    # Warnings inside Ray are Ray's: no -W error here.
    words = command("batch", fitted, some, out, "--engine", "ray")
    done = subprocess.run(
        [words[0], *words[3:]],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "HOME": str(tmp_path), "RAY_ADDRESS": ""},
    )
    assert done.returncode == 1, done.stderr
    assert rows(out) == rows(whole)[:10]


def test_killed_at_any_moment_it_goes_on_and_gives_the_same(
    fitted: Path, asked: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    draw = random.Random()
    running = command("batch", fitted, asked, out, "--shard-size", "4")
    kills = 0
    for wanted in (1, 3, 5):
        with subprocess.Popen(running, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as batch:
            until = time.monotonic() + 120
            while len(list(out.glob("part-*"))) < wanted and batch.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.002)
            time.sleep(draw.random() * 0.05)
            batch.send_signal(signal.SIGKILL)
        kills += batch.returncode == -signal.SIGKILL
        assert [row["row"] for row in rows(out)] == list(range(len(rows(out))))
        assert not json.loads((out / "_manifest.json").read_bytes())["complete"]
    assert kills == 3
    done = whythis("batch", fitted, asked, out, "--shard-size", "4")
    assert "going on after" in done.err
    assert rows(out) == rows(whole)
    assert {p.name: p.read_bytes() for p in out.glob("part-*")} == {
        p.name: p.read_bytes() for p in whole.glob("part-*")
    }


def test_nobody_is_left_behind_where_the_parent_is_killed(
    fitted: Path, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    words = command("batch", fitted, asked, out, "--processes", "2", "--shard-size", "1")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as batch:
        until = time.monotonic() + 120
        while not list(out.glob("part-*")):
            assert batch.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        children = _children(batch.pid)
        batch.send_signal(signal.SIGKILL)
    assert len(children) >= 2
    until = time.monotonic() + 20
    while any(Path(f"/proc/{pid}/fd").exists() and _alive(pid) for pid in children):
        assert time.monotonic() < until, children
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_users_get_their_best(fitted: Path, tmp_path: Path) -> None:
    asked, out = tmp_path / "users.jsonl", tmp_path / "out.jsonl"
    asked.write_text(f'{{"user": "u00"}}\n{{"user": "{HISTORY_OF_NONE}"}}\n', "utf-8")
    assert whythis("batch", fitted, asked, out, "--top", "2").code == 0
    best = whythis("recommend", fitted, "--user", "u00", "-n", "2", "--json").json
    assert [row["row"] for row in rows(out)] == [0, 0, 1, 1]
    assert [row["item"] for row in rows(out)[:2]] == [
        one["item"] for one in best["recommendations"]
    ]


def test_another_question_under_the_same_name_is_refused(
    fitted: Path, asked: Path, tmp_path: Path
) -> None:
    one, out = tmp_path / "one.jsonl", tmp_path / "out.jsonl"
    one.write_text(asked.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    assert whythis("batch", fitted, one, out).code == 0
    whythis("batch", fitted, one, out, "--seed", "1").refused("another seed", "name another folder")
    again = whythis("batch", fitted, one, out)
    assert (again.code, len(rows(out))) == (0, 1)
    one.write_text('{"user": "u01"}\n', "utf-8")
    whythis("batch", fitted, one, out).refused("another input")


def test_what_cannot_be_is_refused_before_anything_is_written(
    fitted: Path, asked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    whythis("batch", fitted, asked, tmp_path / "no" / "out.jsonl").refused("there is no folder")
    whythis("batch", fitted, asked, tmp_path / "out.csv").refused(".jsonl or .parquet")
    whythis("batch", tmp_path, asked, out).refused("whythis fit")
    whythis("batch", fitted, asked, out, "--llm", "gpt").refused("'gpt'", "no installed package")
    whythis("batch", fitted, asked, out, "--llm", "local", "--concurrency", "2").refused(
        "--processes"
    )
    assert not list(tmp_path.iterdir())
