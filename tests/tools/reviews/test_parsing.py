"""Rules read who is judged and how; hostile texts cost them no more than others."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.tools.reviews.parsing import holds, is_form, read_texts, singular
from whythis.tools.reviews.sentences import MAX_CHARACTERS


def judged(text: str) -> dict[str, int]:
    (reading,) = read_texts([text])
    return {j.aspect: j.polarity for j in reading.judged}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The sound is clear and loud, but the strap isn't good.", {"sound": 1, "strap": -1}),
        ("Great price, great sound!", {"price": 1, "sound": 1}),
        ("THE SOUND IS GREAT", {"sound": 1}),
        ("I love the tone and sustain of these strings.", {"tone": 1, "sustain": 1}),
        ("The battery life is too short.", {"battery life": -1}),
        ("A well made strap.", {"strap": 1}),
        ("a stand that works great", {"stand": 1}),
        ("The strings sound terrible.", {"string": -1}),
        ("I was pleased with the quality and the price.", {"quality": 1, "price": 1}),
        ("The colors are beautiful, bright, and vivid.", {"color": 1}),
        ("The knives are flimsy.", {"knife": -1}),
        ("The tuner broke after a week.", {"tuner": -1}),
        # negation
        ("I have no complaints about the tone.", {"tone": 1}),
        ("The noise wasn't bad.", {"noise": 1}),
        ("Not a good pedal.", {"pedal": -1}),
        ("There is nothing wrong with the case.", {"case": 1}),
        ("I don't think the sound is good.", {"sound": -1}),
        ("The knobs are not too heavy.", {"knob": 1}),
        ("The fan is hardly good.", {"fan": -1}),
        ("It is not only a great amp but also a good pedal.", {"amp": 1, "pedal": 1}),
        ("You can't beat the price.", {"price": 1}),
        # what only could be
        ("The case could have been better.", {"case": -1}),
        ("The sound couldn't be better.", {"sound": 1}),
        # no aspects
        ("It works great.", {}),
        ("Everyone loves it, and nobody was disappointed.", {}),
        ("I play an acoustic guitar.", {}),
        ("It does a great job.", {}),
    ],
)
def test_who_is_judged_and_how(text: str, found: dict[str, int]) -> None:
    assert judged(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\x00\x1b[31m\u202eGreat sound\u2066",
        "great " * 200_000,
        "x" * 1_000_000,
        "a\n" * 500_000,
        "((((((" * 1000,
        "\ud800 good sound",
        "http://" + "a.b/" * 2000 + " is great",
    ],
)
def test_a_hostile_text_is_cut_and_read(text: str) -> None:
    begun = time.process_time()
    (reading,) = read_texts([text])
    assert time.process_time() - begun < 10
    assert len(reading.nouns) <= MAX_CHARACTERS
    for judgement in reading.judged:
        assert holds(text, judgement.aspect)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "the",
                "a",
                "great",
                "awful",
                "not",
                "no",
                "never",
                "sound",
                "sounds",
                "sound's",
                "batteries",
                "and",
                "but",
                "is",
                "was",
                "with",
                "I",
                "love",
                "knife-edge",
                "good",
                ",",
                ".",
                "!",
                "strings",
                "that",
                "works",
                "too",
                "loud",
                "Leaves",
            ]
        ),
        max_size=25,
    )
)
def test_an_aspect_stands_in_its_text_whatever_is_said(words: list[str]) -> None:
    text = " ".join(words)
    (reading,) = read_texts([text])
    assert all(holds(text, noun) for noun in reading.nouns)
    assert {j.aspect for j in reading.judged} <= set(reading.nouns)


def test_a_text_is_read_alike_beside_any_other() -> None:
    texts = ["The sound is great.", "x", "", "No good case, bad strap.", "I hate the price."] * 3
    alone = [next(iter(read_texts([text]))) for text in texts]
    assert list(read_texts(texts)) == alone


@pytest.mark.parametrize(
    ("plural", "noun"),
    [("strings", "string"), ("batteries", "battery"), ("knives", "knife"), ("boxes", "box"),
     ("bass", "bass"), ("pickguards", "pickguard"), ("feet", "feet")],
)  # fmt: skip
def test_a_noun_is_named_in_the_singular_where_that_shows(plural: str, noun: str) -> None:
    assert singular(plural) == noun
    assert is_form(plural, noun)


def test_a_part_of_a_word_is_no_form_of_it() -> None:
    assert not holds("The soundboard is fine.", "sound")
    assert not is_form("stringing", "string")
    assert holds("Both BATTERIES and their lives", "battery life") == is_form("lives", "life")
