"""The example packages install, and the command line uses each by its name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).parents[2] / "examples" / "packages"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the three packages are installed in."""
    place = tmp_path_factory.mktemp("packages")
    sources = shutil.copytree(PACKAGES, place / "sources")  # a build litters what it builds
    folders = sorted(path for path in sources.iterdir() if path.is_dir())
    assert len(folders) == 3
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options)
    done = subprocess.run(
        [*pip, "--target", str(place / "site"), *map(str, folders)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return place / "site"


def whythis(site: Path, *words: str | Path, code: int = 0) -> Any:
    """Run the command line where the packages are installed."""
    main = "from whythis.cli import main; main()"
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", main, *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stderr.splitlines()[-1] if code == 2 else done.stdout)


def test_a_recommender_by_name(site: Path, small_artefact: Path) -> None:
    asked = ("--user", "u01", "--recommender", "popularity?shared=2")
    listed = whythis(site, "recommend", small_artefact, *asked)
    assert listed["model_hash"] == "black-box:popularity (popularity-recommender 1.0, shared=2)"
    item = listed["recommendations"][0]["item"]
    found = whythis(site, "explain", small_artefact, *asked, "--item", item)
    assert found["model_hash"] == listed["model_hash"]
    assert found["claims"]
    assert {claim["verdict"] for claim in found["claims"].values()} == {"verified"}
    assert "taste for" not in found["answer"]  # nobody sees tastes from outside


def test_a_language_model_by_name(site: Path, small_artefact: Path) -> None:
    item = whythis(site, "recommend", small_artefact, "--user", "u01")["recommendations"][0]["item"]
    asked = ("explain", small_artefact, "--user", "u01", "--item", item)
    found = whythis(site, *asked, "--llm", "echo")
    assert found["llm"] == "echo (echo-model 1.0)"
    assert found["llm_error"] is None
    assert {sentence["writer"] for sentence in found["sentences"]} >= {"model"}
    lies = "You will adore this masterpiece, as all 99 critics do."
    lied = whythis(site, *asked, "--llm", f"echo?also={lies}")
    assert lies in [dropped["text"] for dropped in lied["dropped"]]
    assert "masterpiece" not in lied["answer"]
    assert {claim["verdict"] for claim in lied["claims"].values()} == {"verified"}


def test_a_checker_by_name_also_in_a_batch(
    site: Path, small_artefact: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"user": "u01"}\n{"user": "u02"}\n', "utf-8")
    batch = ("batch", small_artefact, asked)
    whythis(site, *batch, tmp_path / "all.jsonl", "--top", "3")
    named = ("--checker", "no-adverbs", "--checker", "no-adverbs?also=it")
    whythis(site, *batch, tmp_path / "some.jsonl", "--top", "3", *named)
    whole, some = (
        [row["explanation"] for row in _rows(tmp_path / n)] for n in ("all.jsonl", "some.jsonl")
    )
    assert [one["item"] for one in whole] == [one["item"] for one in some]
    assert any(" it " in one["answer"] for one in whole)
    assert not any(" it " in s["text"] for one in some for s in one["sentences"])
    reasons = {d["reason"] for one in some for d in one["dropped"]}
    assert "checker no-adverbs (no-adverbs-checker 1.0, also=it): it says “it”" in reasons


def test_without_the_package_it_is_refused(small_artefact: Path, tmp_path: Path) -> None:
    asked = ("--user", "u01", "--item", "i00")
    for option in ("--recommender", "--llm", "--checker"):
        said = whythis(tmp_path, "explain", small_artefact, *asked, option, "absent", code=2)
        assert "no installed package offers" in said["error"]


def _rows(out: Path) -> list[dict[str, Any]]:
    parts = sorted(out.glob("part-*"))
    return [json.loads(line) for path in parts for line in path.read_bytes().splitlines()]
