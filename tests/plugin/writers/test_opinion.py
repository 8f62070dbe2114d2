"""A second opinion is a probability, asks once, and only ever takes a sentence away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.plugin.fakes import Script
from whythis.explain import explain
from whythis.recsys.errors import DataError, LanguageModelError
from whythis.text.checker import Draft, Ledger
from whythis.text.language import load_language
from whythis.text.realiser import realise
from whythis.tools.workspace import Workspace
from whythis.writers.agent import AgentWriter, open_writer
from whythis.writers.chat import LocalChat
from whythis.writers.opinion import DOUBT, entails

USER, ITEM = "u01", "i00"
WORDS = {b" yes": 1, b" no": 2, b"yes": 3, b"no": 4, b"Yes": 5, b"No": 6}


class Logits:
    """Be a llama that gives the logits of its first token to who looks at them."""

    def __init__(self, *logits: float, fails: bool = False, silent: bool = False) -> None:
        self.logits, self.fails, self.silent = list(logits), fails, silent
        self.asked: list[str] = []

    def tokenize(self, text: bytes, *, add_bos: bool) -> list[int]:
        assert not add_bos
        return [WORDS[text]]

    def create_chat_completion(
        self, messages: list[dict[str, str]], logits_processor: list[Callable[..., Any]], **_: Any
    ) -> None:
        if self.fails:
            raise RuntimeError("gone")
        self.asked.append(messages[-1]["content"])
        for look in [] if self.silent else logits_processor:
            assert look([], self.logits) is self.logits


def model(*logits: float, **how: bool) -> LocalChat:
    chat = LocalChat(name_="fake")
    chat._llama = Logits(*logits, **how)
    return chat


@pytest.mark.parametrize(
    ("logits", "likely"),
    [
        ([0, 2, 2, 0, 0, 0, 0], 0.5),
        ([99, 0, 0, 0, 0, 3, 0], 0.9526),
        ([99, 0, 0, 0, 0, 0, 3], 0.0474),
        ([0, -1e9, 9, -1e9, 9, -1e9, 9], 0.0),
        ([0, 9, -1e9, 9, -1e9, 9, -1e9], 1.0),
    ],
)
def test_yes_is_weighed_against_no(logits: list[float], likely: float) -> None:
    asked = model(*logits)
    assert entails(asked, "It ranks 3rd.", "It is $first, {x}.") == pytest.approx(likely, abs=1e-4)
    assert "It ranks 3rd." in asked._llama.asked[0]
    assert "It is $first, {x}." in asked._llama.asked[0]


def test_a_model_that_fails_has_no_opinion() -> None:
    for failing in (model(fails=True), model(silent=True)):
        with pytest.raises(LanguageModelError):
            entails(failing, "a", "b")


def test_only_a_local_model_is_asked() -> None:
    from langchain_core.language_models import FakeListChatModel

    assert AgentWriter(model(*[0.0] * 7), "local:fake").opinion()("a", "b") == 0.5
    with pytest.raises(DataError, match="no second opinion"):
        AgentWriter(FakeListChatModel(responses=[]), "openai:m").opinion()


def anew(ledger: Ledger) -> Sequence[Draft]:
    return realise(ledger, load_language(), key="another", style="plain", place=3)


def test_what_is_doubted_is_said_by_the_realiser(small_workspace: Workspace) -> None:
    heard: list[tuple[str, str]] = []

    def doubt(premise: str, sentence: str) -> float:
        heard.append((premise, sentence))
        return DOUBT / 2 if len(heard) == 1 else 1.0

    sure = explain(small_workspace, USER, ITEM, writer=Script(anew))
    answer = explain(small_workspace, USER, ITEM, writer=Script(anew), second_opinion=doubt)
    assert {s.writer for s in sure.sentences} == {"model"}
    assert len(heard) == len(sure.sentences)
    assert all(title in premise for premise, _ in heard for title in [sure.title.split(" (")[0]])
    assert [s.writer for s in answer.sentences].count("realiser") == 1
    assert {c.id for c in answer.claims} == {c.id for c in sure.claims}
    assert [d.reason for d in answer.dropped] == [
        "a second opinion finds it true with probability 0.20 only"
    ]


def test_no_opinion_lets_anything_pass(small_workspace: Workspace) -> None:
    def lie(ledger: Ledger) -> Sequence[Draft]:
        return [Draft("Your {p1.persona} is perfect.", ("p1",)), *anew(ledger)[1:]]

    answer = explain(small_workspace, USER, ITEM, writer=Script(lie), second_opinion=lambda *_: 1.0)
    assert "perfect" not in answer.answer
    assert len(answer.dropped) == 1


def test_an_opinion_that_fails_leaves_the_rules_alone(small_workspace: Workspace) -> None:
    def gone(premise: str, sentence: str) -> float:
        raise LanguageModelError("gone")

    answer = explain(small_workspace, USER, ITEM, writer=Script(anew), second_opinion=gone)
    assert answer.llm_error == "gone"
    assert {s.writer for s in answer.sentences} == {"model"}


@pytest.mark.llm
def test_the_real_model_tells_right_from_wrong() -> None:
    opinion = open_writer("local").opinion()
    fact = "Heat: The taste for crime raises its score (▲ +0.40): without it the rank goes 3 to 9"
    right = opinion(fact, "Your taste for crime speaks for Heat.")
    assert 0 <= opinion(fact, "Your taste for crime speaks against Heat.") < right <= 1
