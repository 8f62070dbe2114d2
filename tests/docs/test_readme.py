"""What the README shows runs: its commands and programs, their output, its links.

A code block below `<!-- run: csv -->` is run on examples/data, one below `<!-- run: demo -->` on a
small artefact called `demo`; blocks of a kind share a folder and run in order. A text block below
`<!-- output -->` is what the block before it prints. There `...` on a line of its own stands for
any lines, and numbers, hashes and the length of bars are not compared: another processor may round
a training step otherwise.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whythis.cli import app
from whythis.recsys import artefact
from whythis.recsys.fitting import fit
from whythis.recsys.interactions import make_dataset

# Tests are no installed package: they have no absolute name.
from ..examples.endpoint import endpoint  # noqa: TID252
from ..recsys.small import CONFIG, small_interactions, small_items  # noqa: TID252

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
USER, ITEM, TITLE = "42", "393", "Mrs. Doubtfire"
ENDPOINT = "http://localhost:8000/v1"

_BLOCK = re.compile(r"^<!-- (run: \w+|output) -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str, page: str = README) -> list[tuple[str, str, str | None]]:
    """Return (language, text, shown output or None) of the blocks run on `kind`."""
    found = [match.groups() for match in _BLOCK.finditer(page)]
    following = [*found[1:], ("", "", "")]
    return [
        (language, text, after[2] if after[0] == "output" else None)
        for (mark, language, text), after in zip(found, following, strict=True)
        if mark == f"run: {kind}"
    ]


def run(language: str, text: str, folder: Path) -> str:
    """Run a block as if pasted, and return what it printed on standard output."""
    shell = ["bash", "-e", "-o", "pipefail", "-c", text]
    done = subprocess.run(
        {"bash": shell, "python": [sys.executable, "-c", text]}[language],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "80",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


def pattern(shown: str) -> str:
    """Return the pattern of outputs that a shown one stands for."""
    parts = re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)
    return " .* ".join(re.escape(plain(part)) for part in parts).strip()


def plain(text: str) -> str:
    """Return a text on one line, without what differs from machine to machine."""
    text = re.sub(r"\b(?=\w*\d)[0-9a-f]{8,}\b", "#", text)
    text = re.sub(r"\d[\d,.]*(?:st|nd|rd|th)?", "#", text)
    return " ".join(re.sub(r"[━┄─]+", "━", text).split())


def test_an_output_stands_for_others_in_numbers_alone() -> None:
    shown = "rank 1st, score 2.5\n...\nmodel 8d823c6c"
    assert re.fullmatch(pattern(shown), plain("rank 12th, score 3.75\nmore\nmodel 78fdbd89"))
    assert not re.fullmatch(pattern(shown), plain("rank 12th, value 3.75\nmore\nmodel 78fdbd89"))
    assert not re.fullmatch(pattern(shown), plain("rank 1st, score 2.5\nmodel 8d823c6c and more"))


def test_the_quick_start_prints_what_it_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    found = blocks("csv")
    assert len(found) >= 2
    for language, text, shown in found:
        printed = run(language, text, tmp_path)
        assert shown is not None, f"no output is shown for\n{text}"
        assert re.fullmatch(pattern(shown), plain(printed), re.DOTALL), f"{text}\n{printed}"


@pytest.fixture(scope="module")
def demo(small_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small artefact `demo` that knows the README's user and film."""
    events, catalogue = small_interactions(), small_items()
    suiting = artefact.load(small_artefact).recommend("u02", 1)[0].item
    events = events.replace({"user": {"u02": USER}, "item": {suiting: ITEM}})
    catalogue = catalogue.replace({"item": {suiting: ITEM}})
    catalogue.loc[catalogue["item"] == ITEM, ["title", "year"]] = [TITLE, 1993.0]
    folder = tmp_path_factory.mktemp("readme")
    fit(make_dataset("small", events, items=catalogue, like=4.0), folder / "demo", CONFIG)
    return folder


def test_what_is_said_of_the_demo_runs(demo: Path) -> None:
    found = blocks("demo")
    assert {language for language, _, _ in found} == {"bash", "python"}
    with endpoint() as (url, asked):
        for language, text, _ in found:
            before = len(asked)
            said = run(language, text.replace(ENDPOINT, url), demo)
            assert said.strip(), text
            assert (len(asked) > before) == (ENDPOINT in text), text
    assert (demo / "why.html").is_file()


def test_a_model_behind_an_endpoint_words_what_holds_and_no_more(demo: Path) -> None:
    with endpoint() as (url, _):
        asked = f"whythis explain demo --user {USER} --item '{TITLE} (1993)'"
        said = run("bash", f"{asked} --llm openai --model my-model --base-url {url}", demo)
    assert "worded by the language model" in said
    released, refused = said.split("Not said")
    assert "masterpiece" in refused
    assert "masterpiece" not in released


def test_every_command_stands_in_the_readme() -> None:
    listed = re.findall(r"^\| `whythis (\w+)` \|", README, re.MULTILINE)
    commands = [c.name or c.callback.__name__ for c in app.registered_commands if c.callback]
    groups = [g.name for g in app.registered_groups]
    assert sorted(listed) == sorted([*commands, *map(str, groups)])


PAGES = sorted(
    str(page.relative_to(ROOT)) for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
)


@pytest.mark.parametrize("page", [*PAGES, "examples/data/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = _PROSE.sub("", (ROOT / page).read_text("utf-8"))
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    absent = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert not absent
