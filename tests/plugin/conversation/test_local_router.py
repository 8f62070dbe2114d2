"""A local model decides where the rules are unsure, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from whythis.conversation.intents import INTENTS, Context
from whythis.conversation.items import Catalogue
from whythis.conversation.local_router import LABELS, LocalRouter
from whythis.conversation.nearest import nearest
from whythis.conversation.phrases import load_phrases
from whythis.conversation.routing import THRESHOLD, Rules
from whythis.prompts.loader import load_prompt
from whythis.recsys.errors import DataError, LanguageModelError

CATALOGUE = Catalogue(
    ["ts", "fa"], ["Toy Story", "Fargo"], [1995, 1996], [2, 1], load_phrases().plain
)
FILM = Context(user="u", shown=("ts", "fa"), focus="fa")
UNSURE = "Toy Story got me wondering"


@dataclass
class Scripted:
    """Choose a label with a probability, and keep what was asked."""

    label: str
    share: float = 0.9
    asked: list[tuple[str, str]] = field(default_factory=list)

    def choose(self, system: str, question: str, options: Sequence[str]) -> Sequence[float]:
        self.asked.append((system, question))
        if self.label == "fail":
            raise LanguageModelError("the model broke")
        rest = (1 - self.share) / (len(options) - 1)
        return [self.share if option == self.label else rest for option in options]


def test_the_model_chooses_where_the_rules_are_unsure() -> None:
    assert Rules().route(UNSURE, FILM, CATALOGUE).confidence < THRESHOLD
    model = Scripted("opinions")
    found = LocalRouter(model, Rules()).route(UNSURE, FILM, CATALOGUE)
    assert (found.intent, found.items, found.confidence) == (
        "opinions",
        ("ts",),
        pytest.approx(0.72),
    )
    ((system, question),) = model.asked
    assert "Toy Story" not in system + question  # a letter stands for the title
    assert question == "Question: X got me wondering\nWord:"


def test_sure_rules_ask_no_model() -> None:
    model = Scripted("undo")
    assert LocalRouter(model, Rules()).route("why Toy Story?", FILM, CATALOGUE).intent == "why"
    assert model.asked == []
    assert (
        LocalRouter(model, Rules(), sure=1.1).route("why Fargo?", FILM, CATALOGUE).intent == "undo"
    )


def test_a_hesitant_model_leads_to_asking_back() -> None:
    found = LocalRouter(Scripted("opinions", 0.4), Rules()).route(UNSURE, FILM, CATALOGUE)
    assert found.confidence < THRESHOLD


def test_what_the_intent_lacks_is_still_asked_for() -> None:
    empty = Context(user="u")
    found = LocalRouter(Scripted("why"), Rules()).route("hm, that one", empty, CATALOGUE)
    assert found.confidence < THRESHOLD
    assert found.unclear == "that one"


def test_a_failing_model_leaves_it_to_the_rules_and_says_so() -> None:
    found = LocalRouter(Scripted("fail"), Rules()).route(UNSURE, FILM, CATALOGUE)
    rules = Rules().route(UNSURE, FILM, CATALOGUE)
    assert found.note == "routed without it, as the model failed: the model broke"
    assert found.model_copy(update={"note": None}) == rules


def test_examples_decide_where_no_other_fallback_is_named() -> None:
    assert LocalRouter(Scripted("undo")).route("why Toy Story?", FILM, CATALOGUE).intent == "why"
    failing = LocalRouter(Scripted("fail"), sure=1.1).route(UNSURE, FILM, CATALOGUE)
    assert failing.model_copy(update={"note": None}) == nearest().route(UNSURE, FILM, CATALOGUE)


def test_every_intent_has_a_label_that_the_prompt_explains() -> None:
    assert set(LABELS.values()) == set(INTENTS)
    lines = load_prompt("route").fill("system").splitlines()
    assert [line.partition(":")[0] for line in lines if line.partition(":")[0] in LABELS] == list(
        LABELS
    )


@pytest.mark.llm
def test_a_real_model_chooses_among_the_labels_only() -> None:
    from whythis.downloads import locate
    from whythis.writers.agent import DEFAULT_MODEL
    from whythis.writers.chat import LocalChat

    chat = LocalChat.load(locate(DEFAULT_MODEL))
    shares = chat.choose("Answer with one word.", "Is the sky blue or red?", ("blue", "red"))
    assert sum(shares) == pytest.approx(1)
    assert shares[0] > 0.9
    with pytest.raises(DataError, match="begin alike"):
        chat.choose("", "", ("blue", "blue"))
    found = LocalRouter(chat, sure=1.1).route("any reviews of Fargo?", FILM, CATALOGUE)
    assert (found.intent, found.items, found.note) == ("opinions", ("fa",), None)
