"""Prompt files are strict: variables declared, content hashed, anything else refused."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from whythis.prompts.loader import PromptError, load_prompt

GOOD = """name = "mine"
version = 1
purpose = "p"
audience = "a"
style = "s"
[variables]
ask = ["question"]
[texts]
ask = "Why $question? {p1.persona} costs $$5"
plain = "no places"
"""


def written(folder: Path, text: str | bytes, name: str = "mine") -> Path:
    (folder / f"{name}.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_the_packaged_prompt_loads() -> None:
    prompt = load_prompt("why")
    assert prompt.name == "why"
    assert set(prompt.texts) == {"system", "question", "write", "repair"}
    assert "Why X?" in prompt.fill("question", question="Why X?")


def test_a_folder_goes_before_the_package(tmp_path: Path) -> None:
    prompt = load_prompt("mine", written(tmp_path, GOOD))
    assert prompt.hash == sha256(GOOD.encode()).hexdigest()
    assert prompt.fill("ask", question="$x {y}") == "Why $x {y}? {p1.persona} costs $5"
    assert prompt.fill("plain") == "no places"
    assert load_prompt("why", tmp_path).name == "why"


def test_audience_and_style_of_the_file_fill_any_text(tmp_path: Path) -> None:
    text = GOOD.replace("no places", "For $audience, $style").replace('"a"', '"a child"')
    assert load_prompt("mine", written(tmp_path, text)).fill("plain") == "For a child, s"


@pytest.mark.parametrize("values", [{}, {"question": "a", "more": "b"}, {"more": "b"}])
def test_a_text_is_filled_with_just_its_variables(tmp_path: Path, values: dict[str, str]) -> None:
    prompt = load_prompt("mine", written(tmp_path, GOOD))
    with pytest.raises(PromptError, match="filled wrongly"):
        prompt.fill("ask", **values)
    with pytest.raises(PromptError, match="no text 'other'"):
        prompt.fill("other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml = = 1",
        b"\xff\xfe",
        GOOD + "more = 1\n",
        GOOD.replace("version = 1", "version = 0"),
        GOOD.replace("version = 1", "version = 'x'"),
        GOOD.replace('name = "mine"', 'name = "../mine"'),
        GOOD.replace('purpose = "p"\n', ""),
        GOOD.replace("$question", "$other"),
        GOOD.replace("$question", "nothing"),
        GOOD.replace("$$5", "$5"),
        GOOD.replace("no places", "$place"),
        GOOD.replace('ask = ["question"]', 'ask = ["question"]\nnone = ["x"]'),
        'hash = "0"\n' + GOOD,
    ],
)
def test_a_file_that_is_not_strict_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(PromptError, match="mine") as caught:
        load_prompt("mine", written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["none", "../loader", "", "why.toml", "\x00"])
def test_an_unknown_prompt_is_named_with_those_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="why"):
        load_prompt(name, tmp_path)
