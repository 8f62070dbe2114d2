"""What each command prints."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from tests.plugin.running import (
    HISTORY_OF_NONE,
    HISTORY_OF_ONE,
    HOSTILE,
    SMALL,
    TABLE,
    listing,
    unseen,
    whythis,
)
from tests.plugin.samples import explanation
from whythis import bench
from whythis.commands.explain import exit_code
from whythis.explanation import Verdict


def test_fit_tells_what_was_fitted(fitted: Path, ratings: Path, tmp_path: Path) -> None:
    ran = whythis("fit", ratings, *TABLE, *SMALL, "--out", tmp_path / "new", "--json")
    said = ran.json
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text())
    lines = ratings.read_text().splitlines()[1:]
    liked = [line for line in lines if int(line.split(",")[2]) >= 4]
    assert (said["users"], said["items"], said["interactions"]) == (32, 24, len(lines))
    assert (said["liked"], said["like"], said["duplicates"]) == (len(liked), 4, 0)
    assert said["reviews"] == sum(line.split(",")[4] != "" for line in lines)
    assert said["figures"] == manifest["figures"]
    assert (said["model_hash"], said["data_hash"]) == (
        manifest["model_hash"],
        manifest["data_hash"],
    )
    assert said["out"] == str(tmp_path / "new")
    assert re.search(r"step: (\d+) of \1, validation 0\.", ran.err)
    # The same data and configuration give the same artefact.
    before = json.loads((fitted / "manifest.json").read_text())
    assert manifest["files"] == before["files"]


def test_fit_prints_a_summary_for_people(ratings: Path, tmp_path: Path) -> None:
    ran = whythis("fit", ratings, *TABLE, *SMALL, "--out", tmp_path / "new")
    assert ran.code == 0
    shown = {line[:14].strip(): line[14:] for line in ran.out.splitlines()}
    assert shown["users"] == "32"
    assert shown["liked"].endswith("(rated 4 or more)")
    assert shown["data hash"] in (tmp_path / "new" / "manifest.json").read_text()
    assert f"whythis index {tmp_path / 'new'}" in ran.err


@pytest.mark.parametrize("suffix", [".csv.gz", ".tsv", ".jsonl", ".parquet"])
def test_every_format_holds_the_same_data(
    suffix: str, ratings: Path, fitted: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(ratings, dtype=str, keep_default_na=False)
    path = tmp_path / f"same{suffix}"
    match suffix:
        case ".csv.gz":
            path.write_bytes(gzip.compress(ratings.read_bytes()))
        case ".tsv":
            frame.to_csv(path, sep="\t", index=False)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case ".parquet":
            frame.to_parquet(path)
    said = whythis("fit", path, *TABLE, *SMALL, "--out", tmp_path / "new", "--json").json
    assert said["data_hash"] == json.loads((fitted / "manifest.json").read_text())["data_hash"]


def test_recommend_ranks_only_what_is_unseen(fitted: Path, ratings: Path) -> None:
    said = whythis("recommend", fitted, "--user", "u00", "-n", "50", "--json").json
    seen = {line.split(",")[1] for line in ratings.read_text().splitlines() if "u00," in line}
    ranked = said["recommendations"]
    assert {one["item"] for one in ranked} == {f"f{n:02}" for n in range(24)} - seen
    assert [one["rank"] for one in ranked] == [*range(1, len(ranked) + 1)]
    assert [one["score"] for one in ranked] == sorted((r["score"] for r in ranked), reverse=True)


def test_foreign_text_is_no_markup(fitted: Path) -> None:
    user = next(u for u in ("u01", "u03", "u05", "u07") if HOSTILE in shown_to(fitted, u))
    ran = whythis("explain", fitted, "--user", user, "--item", f"{HOSTILE} (1983)")
    assert (ran.code, HOSTILE in ran.out) == (0, True)


def shown_to(folder: Path, user: str) -> str:
    return whythis("recommend", folder, "--user", user, "-n", "24").out


TEXT, HASH = {"type": "string"}, {"type": "string", "pattern": "^[0-9a-f]{64}$"}
NUMBER, COUNT = {"type": "number"}, {"type": "integer", "minimum": 0}
TEXTS = {"type": "array", "items": TEXT}


def record(**properties: object) -> dict[str, object]:
    names = list(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }


def many(of: object) -> dict[str, object]:
    return {"type": "array", "items": of}


def by_id(of: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": of}


EXPLANATION = record(
    schema={"const": "whythis/explanation/2"},
    user=TEXT,
    item=TEXT,
    title=TEXT,
    question=TEXT,
    model_hash=HASH,
    data_hash=HASH,
    code_hash=HASH,
    prompt={"anyOf": [{"type": "null"}, record(name=TEXT, hash=TEXT)]},
    llm=TEXT,
    llm_error={"type": ["string", "null"]},
    seed=COUNT,
    answer=TEXT,
    sentences=many(
        record(
            text={"type": "string", "minLength": 1},
            draft={"type": "string", "minLength": 1},
            start=COUNT,
            end=COUNT,
            claims={"type": "array", "items": TEXT, "minItems": 1},
            writer={"enum": ["model", "realiser"]},
        )
    ),
    claims=by_id(
        record(
            kind=TEXT,
            level={"enum": ["exact", "executed", "refit", "observed", "illustrative"]},
            subject=record(
                user=TEXT,
                item=TEXT,
                persona={"type": ["integer", "null"]},
                items=TEXTS,
                review={"type": ["string", "null"]},
                other_persona={"type": ["integer", "null"]},
                other_item={"type": ["string", "null"]},
            ),
            value={"type": "object", "minProperties": 1},
            comparator={"enum": ["=", ">", "<"]},
            tolerance={"type": "number", "minimum": 0},
            evidence={"type": "array", "items": TEXT, "minItems": 1},
            verdict={"enum": ["verified", "refuted", "uncheckable"]},
            reason=TEXT,
        )
    ),
    evidence=by_id(
        record(
            kind=TEXT,
            value={"type": "object"},
            source=TEXT,
            probe=record(name=TEXT, args={"type": "object"}),
        )
    ),
    dropped=many(record(text=TEXT, reason=TEXT)),
    personas=many(record(name=TEXT, share=NUMBER, effect=NUMBER, titles=TEXTS)),
    metrics=record(
        claim_precision_draft={"type": ["number", "null"], "minimum": 0, "maximum": 1},
        coverage={"type": "number", "minimum": 0, "maximum": 1},
        rounds=COUNT,
        tokens=COUNT,
        ms=by_id(NUMBER),
    ),
)


@pytest.mark.parametrize("style", ["short", "plain", "detailed"])
@pytest.mark.parametrize("user", ["u00", "u01", HISTORY_OF_NONE, HISTORY_OF_ONE])
def test_explain_prints_a_whole_explanation(user: str, style: str, fitted: Path) -> None:
    top = whythis("recommend", fitted, "--user", user, "-n", "1", "--json").json
    item = top["recommendations"][0]["item"]
    asked = ("explain", fitted, "--user", user, "--item", item, "--style", style, "--json")
    said = whythis(*asked).json
    jsonschema.validate(said, EXPLANATION)
    assert (said["user"], said["item"], said["llm"]) == (user, item, "none")
    assert (said["model_hash"], said["data_hash"]) == (top["model_hash"], top["data_hash"])
    assert said["sentences"]
    for sentence in said["sentences"]:
        assert said["answer"][sentence["start"] : sentence["end"]] == sentence["text"]
        assert set(sentence["claims"]) <= set(said["claims"])
    for claim in said["claims"].values():
        assert claim["verdict"] == "verified"
        assert set(claim["evidence"]) <= set(said["evidence"])
    again = whythis(*asked).json
    for one in (said, again):
        del one["metrics"]["ms"]
    assert again == said


def test_a_schema_that_misses_a_key_or_finds_one_more_complains(fitted: Path) -> None:
    said = whythis("explain", fitted, "--user", "u00", "--item", unseen(fitted), "--json").json
    for wrong in ({**said, "more": 1}, {k: v for k, v in said.items() if k != "dropped"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, EXPLANATION)


def test_an_item_may_be_named_by_its_title(fitted: Path) -> None:
    title = unseen(fitted, key="title").upper()
    said = whythis("explain", fitted, "--user", "u00", "--item", title, "--json").json
    assert said["item"] == unseen(fitted)


def test_explain_writes_a_page(fitted: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = whythis("explain", fitted, "--user", "u00", "--item", unseen(fitted), "--html", page)
    assert (ran.code, f"page: {page}" in ran.err) == (0, True)
    assert page.read_text("utf-8").lstrip().lower().startswith("<!doctype html>")
    assert listing(tmp_path) == {"page.html"}


def test_explain_needs_no_index(films: Path) -> None:
    shutil.rmtree(films / "reviews")
    said = whythis("explain", films, "--user", "u00", "--item", unseen(films), "--json").json
    assert "review_quote" not in {claim["kind"] for claim in said["claims"].values()}


def test_an_item_that_nobody_knows_is_answered_too(ratings: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("film,name\nnew,Never Seen\n")
    fit = ("fit", ratings, *TABLE, *SMALL, "--items", catalogue, "--out", tmp_path / "new")
    assert whythis(*fit).code == 0
    asked = ("--user", HISTORY_OF_NONE, "--item", "Never Seen", "--json")
    said = whythis("explain", tmp_path / "new", *asked).json
    jsonschema.validate(said, EXPLANATION)
    assert said["sentences"]


def test_nothing_said_or_a_claim_that_does_not_hold_exits_with_1() -> None:
    assert exit_code(explanation()) == 0
    assert exit_code(explanation(sentences=(), answer="")) == 1
    for outcome in ("refuted", "uncheckable"):
        wrong = {**explanation().verdicts, "c1": Verdict(outcome=outcome, reason="other value")}
        assert exit_code(explanation(verdicts=wrong)) == 1


def test_index_takes_reviews_of_others(films: Path, tmp_path: Path) -> None:
    before = whythis("index", films, "--json").json
    more = tmp_path / "more.jsonl"
    line = {
        "id": "x",
        "item": "f02",
        "user": "z",
        "rating": 4,
        "source": "s",
        "text": "Sharp. Fun.",
    }
    more.write_text(json.dumps(line))
    ran = whythis("index", films, "--reviews", more, "--json")
    assert ran.json["reviews"] == before["reviews"] + 1
    assert ran.json["sentences"] == before["sentences"] + 2
    assert "sentences: " in ran.err
    # Without FILE the index is again that of the data alone.
    assert whythis("index", films, "--json").json == before


def test_a_new_fit_on_other_data_removes_the_index_of_the_old(
    films: Path, ratings: Path, tmp_path: Path
) -> None:
    assert whythis("fit", ratings, *TABLE, *SMALL, "--out", films).code == 0
    assert (films / "reviews").is_dir()
    other = tmp_path / "other.csv"
    other.write_text("\n".join(ratings.read_text().splitlines()[:-1]))
    ran = whythis("fit", other, *TABLE, *SMALL, "--out", films)
    assert (ran.code, "index" in ran.err) == (0, True)
    assert not (films / "reviews").exists()


def test_repeated_rows_are_counted(ratings: Path, tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    lines = ratings.read_text().splitlines()
    path.write_text("\n".join([*lines, *lines[1:4]]))
    said = whythis("fit", path, *TABLE, *SMALL, "--out", tmp_path / "new", "--json").json
    assert (said["duplicates"], said["interactions"]) == (3, len(lines) - 1)


@pytest.fixture
def stopwatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `whythis.bench.stopwatch` a benchmark that exits with the number of its arguments."""
    (tmp_path / "stopwatch.py").write_text(
        '"""Time things.\n\nMore."""\n\n\ndef main(argv):\n    print(argv)\n    return len(argv)\n'
    )
    (tmp_path / "helper.py").write_text('"""No benchmark."""\n')
    monkeypatch.setattr(bench, "__path__", [str(tmp_path)])
    yield
    sys.modules.pop("whythis.bench.stopwatch", None)
    vars(bench).pop("stopwatch", None)


@pytest.mark.usefixtures("stopwatch")
def test_bench_lists_and_forwards() -> None:
    assert whythis("bench", "--json").json == [{"name": "stopwatch", "about": "Time things."}]
    assert "Time things." in whythis("bench").out
    ran = whythis("bench", "stopwatch", "--quick", "--json", "--help")
    assert (ran.code, ran.out) == (3, "['--quick', '--json', '--help']\n")
    assert whythis("bench", "stopwatch").code == 0
    whythis("bench", "stopwach").refused("'stopwach'", "stopwatch")
    whythis("bench", "helper").refused("'helper'")
    whythis("bench", "../stopwatch").refused("'../stopwatch'")


def test_data_and_models_are_listed_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYTHIS_CACHE", str(tmp_path))
    (data,), models = (
        whythis("data", "list", "--json").json,
        whythis("models", "list", "--json").json,
    )
    assert (data["name"], data["kind"], data["path"]) == ("ml-100k", "data", None)
    assert {model["kind"] for model in models} == {"model"}
    assert "1117 MB" in whythis("models", "list").out
    whythis("data", "fetch", "ml-100").refused("'ml-100'", "ml-100k")
    whythis("data", "fetch", models[0]["name"]).refused(f"whythis models fetch {models[0]['name']}")


def test_the_version_is_told() -> None:
    assert whythis("--version").out.startswith("whythis 0.")
