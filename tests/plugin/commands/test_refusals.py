"""Bad input is refused in one line that names the value and the mend; nothing is half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.running import COLUMNS, SMALL, TABLE, listing, process, row, unseen, whythis


def csv(*rows: str) -> bytes:
    return "\n".join([",".join(COLUMNS.values()), *rows]).encode()


GOOD = row("u00", 1, 5, "2020-01-01", "")
BAD_TABLES: dict[str, tuple[bytes, list[str], list[str]]] = {
    "no such column": (b"critic,film\na,b\n", TABLE, ["no column 'stars'", "it has"]),
    "misspelt column": (csv(GOOD), ["--user", "critik", "--item", "film"], ["nearest: 'critic'"]),
    "another encoding": (
        csv(row("Zoë", 1, 5, "2020-01-01", "")).decode().encode("cp1252"),
        TABLE,
        ["line 2", "0xeb", "--encoding cp1252"],
    ),
    "unknown encoding": (csv(GOOD), [*TABLE, "--encoding", "utf-9"], ["'utf-9'", "such as utf-8"]),
    "no rating": (
        csv(GOOD, row("u01", 1, "good", "2020-01-01", "")),
        TABLE,
        ["line 3", "'good'", "write 3.5"],
    ),
    "not a number": (
        csv(GOOD, row("u01", 1, "NaN", "2020-01-01", "")),
        TABLE,
        ["line 3", "'NaN'", "leave it empty"],
    ),
    "infinite": (csv(row("u01", 1, "inf", "2020-01-01", "")), TABLE, ["line 2", "'inf'"]),
    "no date": (
        csv(GOOD, row("u01", 1, 4, "yesterday", "")),
        TABLE,
        ["line 3", "'yesterday'", "2020-12-31"],
    ),
    "no year": (
        csv(GOOD, "u01,f02,4,2020-01-01,,Film 2,soon,Drama"),
        TABLE,
        ["line 3", "'soon'", "write 1999"],
    ),
    "empty id": (csv(GOOD, row("", 1, 4, "2020-01-01", "")), TABLE, ["line 3", "is empty"]),
    "empty file": (b"", TABLE, ["is empty", "give it a header"]),
    "no rows": (csv(), TABLE, ["no rows", "at least one"]),
    "huge field": (
        csv(row("u01", 1, 4, "2020-01-01", "x" * 10_000_000)),
        TABLE,
        ["line 2", "'words'", "10000000 characters", "shorten it"],
    ),
    "open quote": (csv(GOOD, '"u01,f02'), TABLE, ["line 3", "never closed"]),
    "short row": (csv(GOOD, "u01,f02"), TABLE, ["line 3", "2 fields"]),
    "NUL": (csv(GOOD, "u\0,f02,4,2020-01-01,,F,1999,Drama"), TABLE, ["line 3", "NUL"]),
    "Parquet inside": (b"PAR1" + bytes(40), TABLE, ["Parquet"]),
    "too little": (csv(GOOD), TABLE, ["no user has 2 liked", "give more data"]),
    "nothing liked": (csv(GOOD), [*TABLE, "--like", "9"], ["like = 9", "choose a lower one"]),
    "no user column": (csv(GOOD), ["--item", "film"], ["--user is missing"]),
    "no item column": (csv(GOOD), ["--user", "critic"], ["--item is missing"]),
    "no personas": (csv(GOOD), [*TABLE, "--personas", "0"], ["--personas 0", "greater than"]),
    "negative seed": (csv(GOOD), [*TABLE, "--seed", "-1"], ["--seed -1"]),
    "no catalogue": (csv(GOOD), [*TABLE, "--items", "gone.csv"], ["no file gone.csv"]),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, options, words = BAD_TABLES[name]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    whythis("fit", path, "--out", tmp_path / "new", *options).refused(*words)
    assert listing(tmp_path) == {"bad.csv"}


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    out = ("--out", tmp_path / "new", "--user", "u", "--item", "i")
    (tmp_path / "ratings.csv").touch()
    whythis("fit", "ml-101k", *out).refused("'ml-101k'", "ml-100k")
    whythis("fit", tmp_path / "rating.csv", *out).refused("nearest: 'ratings.csv'")
    whythis("fit", "ml-100k", *out).refused("--user", "leave it out")
    assert listing(tmp_path) == {"ratings.csv"}


def test_a_known_source_must_have_been_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYTHIS_CACHE", str(tmp_path / "cache"))
    whythis("fit", "ml-100k", "--out", tmp_path / "new").refused("whythis data fetch ml-100k")
    assert not listing(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    ratings: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        ran = whythis("fit", ratings, *TABLE, *SMALL, "--out", out)
        ran.refused(str(tmp_path / "file"), "--out")
        assert "step" not in ran.err


BAD_QUESTIONS: dict[str, tuple[list[str], list[str]]] = {
    "unknown user": (["--user", "u0O", "--item", "f01"], ["user 'u0O'", "nearest", "u00"]),
    "unknown item": (["--user", "u00", "--item", "Flim 2"], ["item 'Flim 2'", "Film 2 (1982)"]),
    "hostile item": (["--user", "u00", "--item", "\x1b[31m\nx"], ["'\\x1b[31m\\nx'"]),
    "endless item": (["--user", "u00", "--item", "f" * 100_000], ["unknown item"]),
    "model of none": (["--user", "u00", "--item", "f01", "--model", "m"], ["--llm local"]),
    "stray endpoint": (["--user", "u00", "--item", "f01", "--base-url", "u"], ["--llm openai"]),
    "opinion of none": (["--user", "u00", "--item", "f01", "--second-opinion"], ["--llm local"]),
    "no folder": (
        ["--user", "u00", "--item", "f01", "--html", "gone/page.html"],
        ["gone/page.html", "make it first"],
    ),
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_bad_question_is_refused_in_one_line(name: str, fitted: Path) -> None:
    options, words = BAD_QUESTIONS[name]
    item = unseen(fitted)
    options = [item if option == "f01" else option for option in options]
    ran = whythis("explain", fitted, *options)
    ran.refused(*words)
    assert len(ran.err) < 500


def test_a_seen_item_is_refused(fitted: Path, ratings: Path) -> None:
    seen = next(line.split(",")[1] for line in ratings.read_text().splitlines() if "u00," in line)
    whythis("explain", fitted, "--user", "u00", "--item", seen).refused(
        repr(seen), "already seen", "whythis recommend"
    )


def test_recommend_knows_its_users(fitted: Path) -> None:
    whythis("recommend", fitted, "--user", "u0O").refused("'u0O'", "u00")


def test_json_errors_are_one_json_line_on_standard_error(fitted: Path) -> None:
    ran = whythis("recommend", fitted, "--user", "u0O", "--json")
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert list(json.loads(line)) == ["error"]


@pytest.mark.parametrize("arguments", [[], ["--llm", "gpt"], ["--seed", "-1"], ["--style", "x"]])
def test_wrong_usage_exits_with_2(arguments: list[str], fitted: Path) -> None:
    ran = whythis("explain", fitted, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: whythis explain" in ran.err or "Usage: root explain" in ran.err


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def newer(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))


DAMAGE: dict[str, tuple[str, Callable[[Path], None], list[str]]] = {
    "flipped weights": ("model.safetensors", flip, ["model.safetensors", "damaged"]),
    "cut items": ("items.parquet", cut, ["items.parquet", "damaged"]),
    "no interactions": ("interactions.parquet", Path.unlink, ["interactions.parquet", "missing"]),
    "cut manifest": ("manifest.json", cut, ["manifest.json", "not a manifest"]),
    "no manifest": ("manifest.json", Path.unlink, ["no artefact"]),
    "foreign manifest": ("manifest.json", newer, ["schema", "99"]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_artefact_is_refused(name: str, films: Path) -> None:
    file, damage, words = DAMAGE[name]
    damage(films / file)
    whythis("explain", films, "--user", "u00", "--item", "f01").refused(*words, "whythis fit")
    whythis("recommend", films, "--user", "u00").refused(*words, "whythis fit")
    whythis("index", films).refused(*words, "whythis fit")


def test_a_damaged_index_is_refused(films: Path) -> None:
    flip(films / "reviews" / "chroma.sqlite3")
    cut(films / "reviews" / "chroma.sqlite3")
    ran = process("explain", films, "--user", "u00", "--item", unseen(films))
    ran.refused(str(films / "reviews"), "make it again")


BAD_REVIEWS: dict[str, tuple[str, list[str]]] = {
    "unknown item": ('"item": "film 2"', ["'film 2'", "does not know"]),
    "no text": ('"text": " "', ["line 1", "no text"]),
    "no rating": ('"rating": "good"', ["line 1", "'good'"]),
    "unknown key": ('"stars": 3', ["line 1", "'stars'"]),
}


@pytest.mark.parametrize("name", BAD_REVIEWS)
def test_bad_reviews_are_refused_and_the_index_stays(
    name: str, films: Path, tmp_path: Path
) -> None:
    change, words = BAD_REVIEWS[name]
    line = {"id": "x", "item": "f02", "user": "z", "rating": 4, "source": "s", "text": "Sharp."}
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps({**line, **json.loads("{" + change + "}")}))
    before = listing(films)
    whythis("index", films, "--reviews", path).refused(str(path), *words)
    assert listing(films) == before
    whythis("index", films, "--reviews", tmp_path / "gone.jsonl").refused("gone.jsonl")


def test_an_index_needs_reviews(ratings: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "new", "--user", "critic", "--item", "film")
    assert whythis("fit", ratings, *SMALL, *out).code == 0
    whythis("index", tmp_path / "new").refused("without reviews", "--reviews")
