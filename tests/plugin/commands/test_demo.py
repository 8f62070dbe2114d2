"""The demo, short of its training: that is `make demo` itself."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from tests.plugin.commands.test_cli import EXPLANATION
from tests.plugin.running import Ran, process, whythis
from tests.plugin.samples import explanation
from whythis.commands.demo import DATA, MODEL, REVIEWS, ending, held
from whythis.downloads import locate
from whythis.recsys import artefact
from whythis.recsys.building import build
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import MissingPartError
from whythis.recsys.fitting import sequences, train_split
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.linear import Choice, solve
from whythis.recsys.movielens import read_ml100k
from whythis.recsys.split import leave_last_out
from whythis.recsys.vocabulary import Vocabulary

ROOT = Path(__file__).parents[3]
SMALL = FitConfig(dim=8, steps=20, personas=2)


@pytest.fixture(scope="module")
def movielens() -> Path:
    """Return the fetched archive; without it skip, or fail where all tests must run."""
    try:
        return locate(DATA)
    except MissingPartError as error:
        if os.environ.get("WHYTHIS_TESTS") == "all":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def untrained(movielens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an artefact of ML-100K that passes for the demo's, its numbers not chosen."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    dataset, config = read_ml100k(movielens), FitConfig()
    items = Vocabulary("item", tuple(dataset.items["item"]))
    histories = sequences(dataset.liked, sorted(set(dataset.liked["user"])), items)
    linear = solve(histories, len(items), Choice(), config.neighbours)
    model = build(linear, histories, dataset.items, config)
    artefact.save(folder, dataset, config, model, {"valid_hr@10": 0.1, "valid_ndcg@10": 0.1})
    return folder


@pytest.mark.integration
def test_the_demo_explains_and_writes_a_page(untrained: Path) -> None:
    samples = ROOT / REVIEWS
    asked = ("demo", "--out", untrained, "--llm", "none", "--reviews", samples)
    ran = whythis(*asked, "--users", "42,200")
    assert ran.code == 0, ran.err
    assert "holds this model already" in ran.err
    assert "(6 of 6)" in ran.err
    assert re.findall(r"^User (\d+)$", ran.out, re.MULTILINE) == ["42", "200"]
    titles = re.findall(r"^Why “(.*)” for user (42|200)\?$", ran.out, re.MULTILINE)
    assert len(set(titles)) == 6
    page = untrained / "report.html"
    assert f"The same as a web page: {page}\n" in ran.out
    assert f"recommend {untrained} --user 200\n" in ran.out
    assert all(title in page.read_text("utf-8") for title, _ in titles if "'" not in title)

    said = whythis(*asked, "--users", "200, 200", "--json").json
    assert (said["artefact"], said["report"]) == (str(untrained), str(page))
    assert [(one["title"], one["user"]) for one in said["explanations"]] == titles[3:]
    for one in said["explanations"]:
        jsonschema.validate(one, EXPLANATION)

    whythis(*asked, "--users", "42,nobody").refused("'nobody'")


def test_the_demo_refuses_before_it_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHYTHIS_CACHE", str(tmp_path / "cache"))
    whythis("demo").refused(str(REVIEWS), "the folder of the sources", "--reviews")
    reviews = ("--reviews", ROOT / REVIEWS)
    whythis("demo", *reviews, "--users", " , ").refused("' , '", "such as 42,200")
    (tmp_path / "file").touch()
    whythis("demo", *reviews, "--out", "file").refused("file", "--out")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def offline(cache: Path, out: Path) -> Ran:
    """Run the demo where nothing can be downloaded."""
    nowhere = "http://127.0.0.1:9"
    ways = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "PIP_INDEX_URL")
    env = {**dict.fromkeys(ways, nowhere), "no_proxy": "", "NO_PROXY": "", "PIP_RETRIES": "0"}
    env |= {"WHYTHIS_CACHE": str(cache), "PIP_CONFIG_FILE": os.devnull}
    return process("demo", "--reviews", ROOT / REVIEWS, "--out", out, env=env)


def test_data_that_cannot_be_fetched_are_named(tmp_path: Path) -> None:
    ran = offline(tmp_path / "cache", tmp_path / "demo")
    ran.refused("ml-100k", "whythis data fetch ml-100k")
    assert "4.9 MB, to download" in ran.err
    assert "1117 MB, to download" in ran.err
    assert not (tmp_path / "demo").exists()


@pytest.mark.integration
def test_a_language_model_that_cannot_be_fetched_is_named(movielens: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "data" / DATA
    folder.mkdir(parents=True)
    shutil.copy(movielens, folder)
    ran = offline(tmp_path / "cache", tmp_path / "demo")
    ran.refused(MODEL, f"whythis models fetch {MODEL}")
    assert "4.9 MB, here already" in ran.err
    assert not (tmp_path / "demo").exists()


def tiny(like: float = 4.0) -> Dataset:
    pairs = [(f"u{u}", f"i{(u + 2 * n) % 9}") for u in range(12) for n in range(5)]
    events = pd.DataFrame(pairs, columns=["user", "item"])
    return make_dataset("tiny", events.assign(rating=5.0, time=range(len(events))), like=like)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    start = train_split(tiny(), leave_last_out(tiny(), 0), SMALL)
    artefact.save(tmp_path / "kept", tiny(), SMALL, start.model, start.figures)
    return tmp_path / "kept"


def test_only_the_same_data_and_configuration_are_kept(kept: Path) -> None:
    found = held(kept, tiny(), SMALL)
    assert found is not None
    assert found.hashes["data"] == tiny().hash
    assert held(kept, tiny(like=5.0), SMALL) is None
    assert held(kept, tiny(), SMALL.model_copy(update={"seed": 1})) is None
    assert held(kept / "elsewhere", tiny(), SMALL) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.safetensors").write_bytes(b"x"),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "items.parquet").unlink(),
        shutil.rmtree,
    ],
)
def test_what_is_damaged_is_not_kept(kept: Path, damage: Callable[[Path], Any]) -> None:
    damage(kept)
    assert held(kept, tiny(), SMALL) is None


def test_the_ending_names_commands_that_a_shell_takes(tmp_path: Path) -> None:
    last = explanation(title="Schindler's List (1993)")
    page, total, *commands = ending(tmp_path, tmp_path / "report.html", 61.4, last, "local")
    assert page.endswith(str(tmp_path / "report.html"))
    assert "61 seconds" in total
    explain, as_json, *_ = map(shlex.split, commands)
    assert explain[1:7] == ["explain", str(tmp_path), "--user", "42", "--item", last.title]
    assert explain[7:] == ["--llm", "local", "--style", "detailed"]
    assert as_json[-1] == "--json"
