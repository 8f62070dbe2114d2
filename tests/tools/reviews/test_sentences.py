from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from whythis.tools.reviews.sentences import MAX_CHARACTERS, QUOTABLE, split

REVIEWS = st.text(
    st.sampled_from(list("aAbI15.!?…,'\"“”()[]-*_。\n\r\t  \u2028\x85\x1f")), max_size=300
) | st.text(max_size=300)


def texts(text: str) -> list[str]:
    return [span.text for span in split(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Mr. Smith met Dr. Jones.", "They talked about L.A. Confidential vs. Heat, e.g. the end."],
        ["Great film.", "Loved it!", "Would I watch it again?", "Yes"],
        ["great film.", "loved it.", "would watch again"],
        ["Well... it was okay…", "Then it ended."],
        ['"Go!" she said.', '"Stop."', "He left."],
        ["“What?!” he asked.", "(I loved it.)", "Then (yes!) and so on."],
        ["It was 3.5 of 5 stars.", "J. K. Rowling and Dr. No. 5 etc. are in it etc.", "The end."],
        ["So did I.", "The film ran 90 min. or so."],
        ["1. The cast.", "2. The music."],
        ["Wait. . .", "What?!?!", "Oh"],
        ["这很好。", "我喜欢！", "真的"],
    ],
)
def test_sentences_joined_by_a_blank_are_split_again(sentences: list[str]) -> None:
    assert texts(" ".join(sentences)) == sentences


def test_line_breaks_end_sentences_but_wrapped_lines_go_on() -> None:
    assert texts("Good points\nThe music\n\nand the cast") == [
        "Good points",
        "The music",
        "and the cast",
    ]
    wrapped = "A line that somebody's editor has wrapped at its right\nmargin goes on."
    assert texts(wrapped + "\r\nThe next.") == [wrapped, "The next."]


def test_a_forgotten_blank_still_ends_a_sentence() -> None:
    assert texts("I liked it.Loved the end!Great") == ["I liked it.", "Loved the end!", "Great"]
    assert texts("See imdb.com or readme.md, version 1.5.Beta") == [
        "See imdb.com or readme.md, version 1.5.Beta"
    ]


def test_without_a_word_there_is_no_sentence() -> None:
    assert split("") == split(" \n\t ") == ()


def test_a_long_sentence_is_cut_at_a_blank() -> None:
    text = "word " * 400
    spans = split(text)
    assert [len(span.text) for span in spans] == [599, 599, 499, 299]
    assert [len(span.text) for span in split("x" * 1500)] == [600, 600, 300]


@given(REVIEWS)
@example("." * 700 + " a" * 400)
@example("a" * (MAX_CHARACTERS - 1) + " b")
@example("Mr.\u2028\u2028 x.\x1fY")
def test_spans_are_exact_ordered_disjoint_and_leave_nothing_out(text: str) -> None:
    end = 0
    for span in split(text):
        assert not text[end : span.start].strip()
        assert span.start >= end
        assert text[span.start : span.end] == span.text == span.text.strip() != ""
        assert len(span.text) <= MAX_CHARACTERS
        end = span.end
    assert not text[end:].strip()


@pytest.mark.parametrize(
    "unit",
    ["This is a sentence about a film. ", ".", " ", "a", "\n", " \n", ". ", 'a."', ". (", "Mr. "],
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        split(text)
        return time.process_time() - began

    small = min(seconds(62_500) for _ in range(3))
    # Quadratic time would be 256 times as long; the second is for a busy machine.
    assert seconds(1_000_000) < 64 * small + 1


@pytest.mark.parametrize("words", [121, 150, 180, 241, 1000])
def test_no_piece_of_a_cut_sentence_is_short_enough_to_be_quoted(words: int) -> None:
    text = " ".join(["word"] * words)
    spans = split(text)
    assert len(spans) > 1
    assert all(QUOTABLE < len(span.text) <= MAX_CHARACTERS for span in spans)
    assert " ".join(span.text for span in spans) == text
