"""`whythis audit`: one text or many, resumed, and clear where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.plugin.running import unseen, whythis
from whythis.cli import app


@pytest.fixture(scope="module")
def item(fitted: Path) -> str:
    return unseen(fitted)


@pytest.fixture(scope="module")
def answer(fitted: Path, item: str) -> str:
    said = whythis("explain", fitted, "--user", "u00", "--item", item, "--json").json
    return str(said["answer"])


def test_our_own_answer_is_supported(fitted: Path, item: str, answer: str) -> None:
    ran = whythis("audit", fitted, "--user", "u00", "--item", item, "--text", answer)
    assert ran.code == 0, ran
    assert "0 refuted, 0 not to be checked" in " ".join(ran.out.split())


def test_what_is_false_is_told_with_what_is_so(fitted: Path, item: str) -> None:
    told = ("--user", "u00", "--item", item, "--text", "It ranks 99th for you. Critics adore it!")
    ran = whythis("audit", fitted, *told)
    assert ran.code == 1
    text = " ".join(ran.out.split())
    assert "of 2 sentences 0 supported, 1 refuted, 1 not to be checked" in text
    said = json.loads(whythis("audit", fitted, *told, "--json").out)
    assert [s["verdict"] for s in said["sentences"]] == ["refuted", "uncheckable"]
    assert said["summary"]["refuted"] == 1


def test_a_batch_is_judged_line_by_line_and_taken_up_again(
    fitted: Path, item: str, answer: str, tmp_path: Path
) -> None:
    lines = [
        {"user": "u00", "item": item, "text": answer},
        {"user": "u00", "item": item, "text": "It ranks 99th for you."},
    ]
    batch, out = tmp_path / "texts.jsonl", tmp_path / "results.jsonl"
    batch.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    ran = whythis("audit", fitted, "--batch", batch, "--out", out, "--json")
    assert ran.code == 1
    said = json.loads(ran.out)
    assert (said["texts"], said["refuted"], said["uncheckable"]) == (2, 1, 0)
    assert len(said["results"]) == 2
    first = out.read_bytes()
    assert (
        json.loads(whythis("audit", fitted, "--batch", batch, "--out", out, "--json").out) == said
    )
    assert out.read_bytes() == first


def test_a_text_may_come_from_standard_input(fitted: Path, item: str, answer: str) -> None:
    told = ("--user", "u00", "--item", item, "--text", "-")
    ran = CliRunner().invoke(app, ["audit", str(fitted), *told], input=answer)
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "give --user, --item and --text, or --batch FILE"),
        (("--user", "u00", "--item", "f00", "--text", " "), "--text is empty"),
        (("--batch", "nowhere.jsonl"), "no file nowhere.jsonl"),
        (("--batch", "x", "--text", "y"), "leave these options out"),
        (("--user", "u00", "--item", "f00", "--text", "x", "--model", "m"), "need --llm"),
    ],
)
def test_what_is_missing_is_named(fitted: Path, more: tuple[str, ...], words: str) -> None:
    whythis("audit", fitted, *more).refused(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"user": "u00", "item": "f00"}', "needs the texts user, item and text"),
        ("not JSON", "this is not JSON"),
        ('{"user": "u00", "user": "u01", "item": "f00", "text": "x"}', "texts.jsonl:1"),
        ('{"user": 1, "item": "f00", "text": "x"}', "needs the texts"),
    ],
)
def test_a_bad_line_is_named(fitted: Path, tmp_path: Path, line: str, words: str) -> None:
    batch = tmp_path / "texts.jsonl"
    batch.write_text(line + "\n", "utf-8")
    whythis("audit", fitted, "--batch", batch).refused(words)
