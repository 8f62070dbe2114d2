"""What the guides show runs: each of their blocks, in its order, as the README's do."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from whythis.recsys import artefact
from whythis.recsys.fitting import fit
from whythis.recsys.interactions import make_dataset

# Tests are no installed package: they have no absolute name.
from ..examples.endpoint import endpoint  # noqa: TID252
from ..recsys.small import CONFIG, small_interactions, small_items  # noqa: TID252
from .test_readme import ENDPOINT, ROOT, blocks, pattern, plain, run

GUIDES = ("your-data", "black-box", "extending", "batch")
TEXTS = {name: (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in GUIDES}
SHOWN_ONLY = {"toml", "text"}
_FENCE = re.compile(r"^(<!-- (?:run: \w+|output) -->\n)?```(\w+)\n", re.MULTILINE)


@pytest.fixture
def demo(small_artefact: Path, tmp_path: Path) -> Path:
    """Return a folder with examples, reviews and an artefact `demo` that knows the film."""
    events, catalogue = small_interactions(), small_items()
    suiting = artefact.load(small_artefact).recommend("u02", 1)[0].item
    events = events.replace({"user": {"u02": "42"}, "item": {suiting: "393"}})
    catalogue = catalogue.replace({"item": {suiting: "393"}})
    fit(make_dataset("small", events, items=catalogue, like=4.0), tmp_path / "demo", CONFIG)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    review = {"id": "r1", "item": "393", "user": "u01", "rating": 5, "source": "test"}
    text = "The ending made me laugh. The music is great."
    (tmp_path / "reviews.jsonl").write_text(json.dumps(review | {"text": text}) + "\n", "utf-8")
    (tmp_path / "asked.jsonl").write_text('{"user": "42", "item": "393"}\n', "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", GUIDES)
def test_no_block_of_a_guide_is_left_out(name: str) -> None:
    fences = list(_FENCE.finditer(TEXTS[name]))
    opened = [f for f in fences if f[2] not in SHOWN_ONLY]
    assert opened
    assert [f[2] for f in opened if not f[1]] == []


@pytest.mark.parametrize("name", ["your-data", "black-box"])
def test_blocks_on_the_sample_ratings_print_what_they_show(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    found = blocks("csv", TEXTS[name])
    assert len(found) == TEXTS[name].count("<!-- run:") > 0
    for language, text, shown in found:
        printed = run(language, text, tmp_path)
        assert shown is not None, f"no output is shown for\n{text}"
        assert re.fullmatch(f"(?s:{pattern(loose(shown))})", plain(printed)), f"{text}\n{printed}"


def loose(shown: str) -> str:
    """Let `...` at the end of a line stand for the rest of it and of what follows."""
    return re.sub(r" \.\.\.$", "\n...", shown, flags=re.MULTILINE)


def test_the_packages_are_installed_and_used(demo: Path) -> None:
    found = blocks("packages", TEXTS["extending"])
    assert {language for language, _, _ in found} == {"bash", "python"}
    for language, text, _ in found:
        assert run(language, text, demo).strip()


def test_a_batch_runs_on_one_machine_and_against_an_endpoint(demo: Path) -> None:
    found = blocks("demo", TEXTS["batch"])
    assert len(found) == 4
    with endpoint() as (url, asked):
        for language, text, _ in found:
            before = len(asked)
            assert run(language, text.replace(ENDPOINT, url), demo).strip()
            assert (len(asked) > before) == (ENDPOINT in text), text
    (row,) = (demo / "worded.jsonl").glob("part-*")
    assert json.loads(row.read_bytes().splitlines()[0])["llm"] == "openai:my-model"


def test_a_batch_runs_on_a_chroma_server(demo: Path) -> None:
    ((language, text, _),) = blocks("chroma", TEXTS["batch"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    said = run(language, text.replace("8123", port), demo)
    assert "1 rows for 1 asked" in said
    assert json.loads((demo / "demo" / "reviews" / "server.json").read_bytes())


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None and os.environ.get("WHYTHIS_TESTS") != "all",
    reason="ray is not installed: pip install 'whythis[batch]'",
)
def test_a_batch_runs_on_ray(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(demo))  # Ray keeps a token there
    ((language, text, _),) = blocks("ray", TEXTS["batch"])
    assert "1 rows for 1 asked" in run(language, text, demo)


@pytest.mark.parametrize("name", GUIDES)
def test_links_of_a_guide_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", TEXTS[name])
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / "docs" / link).exists()] == []
