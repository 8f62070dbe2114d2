"""Questions worded in other ways than the rules know are routed by what they resemble."""

from __future__ import annotations

import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whythis.conversation.examples import LABELS, checked, load_examples
from whythis.conversation.intents import INTENTS, Context, Route
from whythis.conversation.items import Catalogue
from whythis.conversation.logistic import Logistic
from whythis.conversation.nearest import Nearest, nearest
from whythis.conversation.phrases import load_phrases
from whythis.conversation.routing import THRESHOLD
from whythis.recsys.errors import DataError, MissingPartError

CATALOGUE = Catalogue(
    ["ts", "fa", "al", "he"],
    ["Toy Story", "Fargo", "Alien", "Heat"],
    [1995, 1996, 1979, 1995],
    [4, 3, 2, 1],
    load_phrases().plain,
)
PERSONAS = ("horror and thriller", "romance and comedy", "war and drama")
LIST = Context(user="u", shown=("ts", "fa", "al"), personas=PERSONAS)
FILM = LIST.model_copy(update={"focus": "al"})


def route(text: str, context: Context = LIST) -> Route:
    return nearest().route(text, context, CATALOGUE)


@pytest.mark.parametrize(
    ("text", "context", "intent", "items"),
    [
        ("what possessed you to offer me Heat", LIST, "why", ("he",)),
        ("Heat should clearly be among these, where did it go", LIST, "why_not", ("he",)),
        ("what advantage does Fargo have over Heat", LIST, "why_over", ("fa", "he")),
        ("let's imagine Heat had never been in my history", LIST, "what_if", ("he",)),
        ("did the audience enjoy the soundtrack of Fargo", LIST, "opinions", ("fa",)),
        ("what have you worked out about my taste so far", LIST, "profile", ()),
        ("I'd be glad to see further films of the kind of Fargo", LIST, "more_like", ("fa",)),
        ("I have had my fill of Heat, keep it off my list", LIST, "less_of", ("he",)),
        ("what you claim about me is simply untrue", FILM, "contest", ()),
        ("please return everything to how it was earlier", FILM, "undo", ()),
        ("could you find us a nice film for this evening", LIST, "recommend", ()),
        ("hello, which things can you do for me", LIST, "help", ()),
        ("how do I bake bread", LIST, "unrelated", ()),
    ],
)
def test_intent_and_items(text: str, context: Context, intent: str, items: tuple[str, ...]) -> None:
    found = route(text, context)
    assert (found.intent, found.items) == (intent, items)
    assert found.confidence >= THRESHOLD


@pytest.mark.parametrize("text", ["hmm", "Toy Story", "", "?", "that one", "why the ninth one?"])
def test_what_cannot_be_told_is_asked_back(text: str) -> None:
    assert route(text).confidence < THRESHOLD


def test_tastes_come_from_the_rules() -> None:
    assert route("I am fed up with horror").personas == (0,)


def test_learned_once_from_threads_and_the_same_every_time() -> None:
    few = {label: load_examples()[label][:4] for label in LABELS}
    routers = [Nearest(examples=few) for _ in range(2)]
    asked = ["why Fargo?", "undo that", "any good?", "less horror"] * 4
    with ThreadPoolExecutor(4) as pool:
        found = [
            list(pool.map(lambda text, r=router: r.route(text, FILM, CATALOGUE), asked))
            for router in routers
        ]
    assert found[0] == found[1] == [routers[0].route(text, FILM, CATALOGUE) for text in asked]


@pytest.mark.parametrize("text", ["why Fargo " + "a" * 100_000, "(" * 100_000, "\u202e" * 50_000])
def test_hostile_text_costs_little(text: str) -> None:
    route("why Fargo?")  # what is learned once
    begun = time.process_time()
    route(text)
    assert time.process_time() - begun < 1.0


@given(st.text(max_size=80))
@settings(max_examples=40, deadline=None)
def test_any_text_gives_a_route(text: str) -> None:
    found = route(text, FILM)
    assert found.intent in INTENTS
    assert set(found.items) | set(found.choices) <= set(CATALOGUE.ids)


def test_a_missing_encoder_is_named() -> None:
    class Absent:
        name = "absent"
        dim = 384

        def encode(self, texts: object) -> NDArray[np.float32]:
            raise MissingPartError("the sentence encoder is not installed")

    with pytest.raises(MissingPartError, match="sentence encoder"):
        Nearest(encoder=Absent()).route("why Fargo?", FILM, CATALOGUE)


def test_examples_have_every_label_and_none_twice() -> None:
    asked = [text.casefold() for texts in load_examples().values() for text in texts]
    assert len(asked) == len(set(asked))
    assert min(map(len, load_examples().values())) >= 30


def test_faulty_examples_are_named() -> None:
    told = tomllib.loads(files("whythis.conversation").joinpath("examples.toml").read_text("utf-8"))
    with pytest.raises(DataError, match="klingon"):
        checked({**told, "klingon": ["nuqneH"]})
    with pytest.raises(DataError, match="'undo' has to be"):
        checked({**told, "undo": []})


def test_regression_is_where_its_slope_is_zero() -> None:
    rng = np.random.default_rng(0)
    rows, classes = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    found = Logistic.fit(rows, classes, 3, 0.5)
    shares = np.array([found.shares(row) for row in rows])
    assert shares.sum(axis=1) == pytest.approx(1)
    off = shares - np.eye(3)[classes]
    assert rows.T @ off + 0.5 * found.weights == pytest.approx(0, abs=1e-3)
    assert off.sum(axis=0) == pytest.approx(0, abs=1e-3)
