"""Statements of real sentences, and their agreement counted by hand."""

from __future__ import annotations

import pytest

from whythis.bench.statements import Statement, about, agreement, statements, vocabulary

FOOD, BAD_FOOD, SOME_FOOD = Statement("food", 1), Statement("food", -1), Statement("food", 0)
STAFF, VIEW = Statement("staff", 1), Statement("view", 1)


def test_a_text_is_taken_apart() -> None:
    first, second, nothing = statements(
        [
            "The staff was friendly. The service was terrible, and there is a car park.",
            "The food was delicious. The food was awful.",
            "",
        ]
    )
    assert {("staff", 1), ("service", -1)} <= set(first)
    assert [s.polarity for s in first if s.aspect.endswith("park")] == [0]
    assert second == (SOME_FOOD,)  # praised and blamed
    assert nothing == ()


@pytest.mark.parametrize(
    ("generated", "reference", "counts"),
    [
        ([FOOD, VIEW], [FOOD, STAFF], (2, 1, 2, 1)),
        ([FOOD], [BAD_FOOD], (1, 0, 1, 0)),  # the other way round
        ([SOME_FOOD], [BAD_FOOD, STAFF], (1, 1, 2, 1)),  # who does not judge contradicts none
        ([FOOD], [SOME_FOOD], (1, 1, 1, 1)),
        ([], [FOOD], (0, 0, 1, 0)),
    ],
)
def test_agreement_by_hand(generated, reference, counts) -> None:
    assert agreement(generated, reference) == counts


def test_precision_and_recall_by_hand() -> None:
    found = agreement([FOOD, VIEW, SOME_FOOD._replace(aspect="price")], [FOOD, STAFF])
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(1 / 2)
    assert agreement([], [FOOD]).precision is None
    assert agreement([FOOD], []).recall is None


def test_aspects_are_neither_rare_nor_in_most_texts() -> None:
    user = Statement("user", 0)
    texts = [(user, FOOD), (user, FOOD), (user, STAFF), (user,)]
    assert vocabulary(texts, 2) == {"food"}
    assert vocabulary(texts, 1) == {"food", "staff"}
    assert about([user, FOOD, STAFF], {"food", "staff"}) == (FOOD, STAFF)
