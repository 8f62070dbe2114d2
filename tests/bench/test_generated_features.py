"""FMR, FCR and DIV: values computed by hand, and the pairwise definition of DIV."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.bench.generated_features import (
    coverage_ratio,
    detected,
    diversity,
    matching_ratio,
)

FEATURES = frozenset(("food", "service", "price", "view"))
TEXTS = [
    ["the", "food", "and", "the", "food"],
    ["great", "service", "and", "food"],
    ["just", "great"],
]
FOUND = [frozenset({"food"}), frozenset({"food", "service"}), frozenset()]


def test_features_are_found_among_the_words() -> None:
    assert detected(TEXTS, FEATURES) == FOUND


def test_the_ratios_by_hand() -> None:
    assert matching_ratio(FOUND, ["food", "food", "food"]) == pytest.approx(2 / 3)
    assert matching_ratio(FOUND, ["service", "view", "price"]) == 0.0
    assert coverage_ratio(FOUND, FEATURES) == 0.5  # food and service of four
    assert coverage_ratio([*FOUND, frozenset({"other"})], FEATURES) == 0.5
    assert diversity(FOUND) == pytest.approx(1 / 3)  # one of three pairs shares one feature
    assert diversity([FOUND[1], FOUND[1]]) == 2.0
    assert diversity([frozenset({"food"}), frozenset({"view"})]) == 0.0


@given(st.lists(st.frozensets(st.sampled_from("abcd")), min_size=2, max_size=7))
def test_diversity_is_the_mean_over_all_pairs(found) -> None:
    shared = [len(x & y) for x, y in combinations(found, 2)]
    assert diversity(found) == pytest.approx(sum(shared) / len(shared))


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="3 texts and 1 features"):
        matching_ratio(FOUND, ["food"])
    with pytest.raises(ValueError, match="no features"):
        coverage_ratio(FOUND, frozenset())
    with pytest.raises(ValueError, match="1 texts make no pair"):
        diversity(FOUND[:1])
