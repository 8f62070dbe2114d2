"""Ids are found exactly; what is not found is answered shortly, with what may have been meant."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys.errors import UnknownIdError
from whythis.recsys.vocabulary import Vocabulary

FILMS = Vocabulary(
    "item",
    ("50", "100", "181", "258", "900", "901"),
    (
        "Star Wars (1977)",
        "Fargo (1996)",
        "Return of the Jedi (1983)",
        "Contact (1997)",
        "Kid  A",
        "kid a",
    ),
)


def refusal(vocabulary: Vocabulary, text: str) -> str:
    with pytest.raises(UnknownIdError) as caught:
        vocabulary.resolve(text)
    return str(caught.value)


def test_ids_map_to_their_places_and_back() -> None:
    assert [FILMS.index(id_) for id_ in FILMS.ids] == list(range(6))
    np.testing.assert_array_equal(FILMS.indices(["181", "50", "181"]), [2, 0, 2])
    assert FILMS.indices(iter(["900"])).tolist() == [4]
    assert FILMS.indices([]).dtype == np.int64
    assert FILMS.indices([]).shape == (0,)
    assert len(FILMS) == 6
    assert "50" in FILMS
    assert "Fargo (1996)" not in FILMS


def test_the_first_unknown_of_several_ids_is_refused_as_it_is_alone() -> None:
    odd = Vocabulary("item", ("caf\udce9", "b"))
    assert odd.indices(["b", "caf\udce9"]).tolist() == [1, 0]
    for vocabulary, wrong in ((FILMS, "2580"), (odd, "caf\udcea")):
        with pytest.raises(UnknownIdError) as alone:
            vocabulary.index(wrong)
        with pytest.raises(UnknownIdError) as caught:
            vocabulary.indices([vocabulary.ids[1], wrong, "another"])
        assert str(caught.value) == str(alone.value)


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("100", "100"),
        ("Fargo (1996)", "100"),
        ("  fargo   (1996) ", "100"),
        ("FARGO (1996)", "100"),
    ],
)
def test_an_id_or_a_whole_title_is_resolved(text: str, id_: str) -> None:
    assert FILMS.resolve(text) == id_


def test_an_id_goes_before_a_title() -> None:
    assert Vocabulary("item", ("a", "b"), ("b", "a")).resolve("b") == "b"


def test_a_title_of_several_asks_for_an_id() -> None:
    assert refusal(FILMS, "Kid A").endswith("is the title of several: give an id (900, 901)")


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("Fargoo", "100 (Fargo (1996))"),
        ("star wras", "50 (Star Wars (1977))"),
        ("retrun of the jedi", "181 (Return of the Jedi (1983))"),
        ("2580", "258"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant_first(typo: str, meant: str) -> None:
    assert FILMS.nearest(typo)[0] == meant
    assert f"unknown item {typo!r} among 6; nearest: {meant}" in refusal(FILMS, typo)


def test_what_resembles_nothing_is_answered_with_some_known_ids() -> None:
    assert refusal(FILMS, "ж").endswith("known: 50, 100, 181, ...")
    assert refusal(Vocabulary("user", ("u1",)), "ж").endswith("known: u1, ...")


def test_a_label_that_is_the_id_is_not_said_twice() -> None:
    assert Vocabulary("item", ("fargo",), ("fargo",)).nearest("fargoo") == ["fargo"]


def test_no_more_than_asked_are_suggested() -> None:
    many = Vocabulary("user", tuple(f"user{i}" for i in range(50)))
    assert len(many.nearest("user", 4)) == 4


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(), max_size=300))
def test_any_unknown_text_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(UnknownIdError) as caught:
        FILMS.index("?" + text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 1000


@pytest.mark.parametrize("text", ["x" * 1_000_000, "Film " * 200_000, "\x00\n" * 500_000])
def test_a_megabyte_is_refused_quickly_and_shortly(text: str) -> None:
    numbers = range(2000)
    many = Vocabulary("item", tuple(map(str, numbers)), tuple(f"Film {i} (1990)" for i in numbers))
    start = time.process_time()
    message = refusal(many, text)
    assert time.process_time() - start < 2
    assert len(message) < 400


def test_megabytes_in_the_data_are_neither_compared_nor_repeated() -> None:
    hostile = Vocabulary("item", ("a" * 1_000_000, "b"), ("Fargo " * 200_000, "b" * 1_000_000))
    start = time.process_time()
    messages = [refusal(hostile, text) for text in ("fargo fargo", "aaaaaaaa", "bbbbbbb", "ж")]
    assert time.process_time() - start < 2
    assert max(map(len, messages)) < 2000
