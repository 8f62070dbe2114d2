"""BLEU, ROUGE and repetition: values computed by hand, and the plain formula beside the library."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.bench.generated_metrics import (
    bleu,
    entropy,
    peter_rouge,
    repeated_share,
    rouge,
    tokens,
    unique_ratio,
)

SAT, IS = (text.split(" ") for text in ("the cat sat on the mat", "the cat is on the mat"))
LONG = ["good", "sound", "for", "the", "price"]
SHORT = LONG[:2]
ENDS_E, ENDS_F = list("abcde"), list("abcdf")

TEXT = st.lists(st.sampled_from("abc"), min_size=1, max_size=9)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4)


def test_words_and_marks_are_tokens_in_lower_case() -> None:
    assert tokens("Great food, 4.5 stars!") == ["great", "food", ",", "4.5", "stars", "!"]
    assert tokens("") == []


@pytest.mark.parametrize(
    ("generated", "references", "order", "value"),
    [
        ([SAT], [IS], 1, 500 / 6),  # the (2), cat, on, mat of 6
        ([SAT], [IS], 2, 100 * math.sqrt(5 / 6 * 3 / 5)),
        ([SAT], [IS], 4, 0.0),  # no 4-gram is shared, and nothing is smoothed
        ([ENDS_E], [ENDS_F], 4, 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25),  # 66.87
        ([["the"] * 3], [["the", "cat"]], 1, 100 / 3),  # counts are clipped
        ([SHORT], [LONG], 1, 100 * math.exp(1 - 5 / 2)),  # too short: 22.31
        # The corpus is one: 7 of 8 words, 8 words for 11.
        ([SAT, SHORT], [IS, LONG], 1, 100 * 7 / 8 * math.exp(1 - 11 / 8)),
        (
            [SAT, []],
            [IS, LONG],
            1,
            100 * 5 / 6 * math.exp(1 - 11 / 6),
        ),  # nothing said
        ([[]], [IS], 1, 0.0),
        ([ENDS_F], [ENDS_F], 4, 100.0),
        ([SHORT], [SHORT], 4, 0.0),  # without a 4-gram there is no BLEU-4, right as it is
    ],
)
def test_bleu_by_hand(generated, references, order, value) -> None:
    assert bleu(generated, references, order) == pytest.approx(value, abs=1e-9)


@given(PAIRS, st.sampled_from([1, 4]))
def test_bleu_is_the_unsmoothed_formula(pairs, order) -> None:
    generated, references = [p[0] for p in pairs], [p[1] for p in pairs]
    assert bleu(generated, references, order) == pytest.approx(
        100 * _plain_bleu(generated, references, order), abs=1e-9
    )


def _plain_bleu(generated, references, order) -> float:
    """The definition: clipped precisions of all texts, their geometric mean, the length penalty."""
    logs = 0.0
    for n in range(1, order + 1):
        hits = whole = 0
        for text, reference in zip(generated, references, strict=True):
            own, wanted = (
                Counter(tuple(t[i : i + n]) for i in range(len(t) - n + 1))
                for t in (text, reference)
            )
            hits += (own & wanted).total()
            whole += own.total()
        if not hits:
            return 0.0
        logs += math.log(hits / whole) / order
    c, r = sum(map(len, generated)), sum(map(len, references))
    return math.exp(logs) * (1.0 if c > r else math.exp(1 - r / c))


@pytest.mark.parametrize(
    ("text", "reference", "ours", "peters"),
    [
        # ROUGE-1: 5 of 6 words, but 4 of 5 different ones; the longest subsequence has 5 words.
        (SAT, IS, (500 / 6, 60.0, 500 / 6), (80.0, 60.0, 500 / 6)),
        # P = 1, R = 2/5 (bigrams: 1, 1/4); L: beta = 5/2, (1 + 25/4)(2/5) / (2/5 + 25/4) = 58/133.
        (SHORT, LONG, (400 / 7, 40.0, 400 / 7), (400 / 7, 40.0, 5800 / 133)),
        (LONG, SHORT, (400 / 7, 40.0, 400 / 7), (400 / 7, 40.0, 5800 / 133)),
        (SHORT, ["bad"], (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ([], SHORT, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_rouge_by_hand(text, reference, ours, peters) -> None:
    for found, wanted in (
        (rouge([text], [reference]), ours),
        (peter_rouge([text], [reference]), peters),
    ):
        assert list(found) == ["rouge1", "rouge2", "rougeL"]
        assert [float(v[0]) for v in found.values()] == pytest.approx(wanted, abs=1e-5)


@given(PAIRS)
def test_rouge_of_the_same_texts_the_other_way_round_is_the_same(pairs) -> None:
    one, other = [p[0] for p in pairs], [p[1] for p in pairs]
    for measure in (rouge, peter_rouge):
        there, back = measure(one, other), measure(other, one)
        for name, values in there.items():
            assert values == pytest.approx(back[name], abs=1e-6)
            assert (values >= 0).all()
            assert (values <= 100 + 1e-6).all()


def test_texts_and_references_must_pair_up() -> None:
    for measure in (rouge, peter_rouge, lambda a, b: bleu(a, b, 1)):
        with pytest.raises(ValueError, match="2 texts and 1 references"):
            measure([SAT, SHORT], [IS])
        with pytest.raises(ValueError, match="0 texts"):
            measure([], [])


def test_repetition_by_hand() -> None:
    assert unique_ratio([SAT, IS, SAT]) == pytest.approx(2 / 3)
    assert repeated_share(list("abaa")) == 0.5
    assert repeated_share([]) == 0.0
    with pytest.raises(ValueError, match="at least one"):
        unique_ratio([])


def test_entropy_by_hand() -> None:
    assert entropy([list("ab"), list("ab")], 1) == pytest.approx(math.log(2))
    # a twice, b and c once each: 1/2 log 2 + 2 * 1/4 log 4
    assert entropy([list("aabc")], 1) == pytest.approx(1.5 * math.log(2))
    assert entropy([list("ab"), list("ab")], 2) == 0.0
    assert entropy([["a"]], 2) == 0.0
