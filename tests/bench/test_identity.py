"""Collapse and stability of personas, on personas made by hand and on fitted ones."""

import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tests.recsys.small import small_dataset
from whythis.bench.identity import Taken, collapse, main, matched, measure, stability
from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.sources import empty_model

SOURCES = ("history", "medoid", "free")


def taken(masses, vectors, shares=None):
    masses, vectors = np.asarray(masses, dtype=float), np.asarray(vectors, dtype=float)
    shares = np.asarray([masses] if shares is None else shares, dtype=float)
    return Taken(masses, vectors, vectors, shares)


APART = taken([0.5, 0.5], [[1, 0], [0, 1]])
COPIES = taken([0.5, 0.5], [[1, 0], [1, 0.01]])
ALONE = taken([0.98, 0.02], [[1, 0], [1, 0]])
HALF = taken([0.4, 0.3, 0.3], [[1, 0, 0], [1, 0.01, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("users", "alone", "some", "every"),
    [
        ([APART], 0, 0, 0),
        ([COPIES], 0, 1, 1),
        ([HALF], 0, 1, 0),
        ([ALONE, APART], 0.5, 0, 0),  # what holds little is no copy: the user has one persona
        ([COPIES, APART], 0, 0.5, 0.5),
    ],
)
def test_copies_are_found_among_personas_that_hold_something(users, alone, some, every):
    found = collapse(users)
    assert found["one persona only, users"] == pytest.approx(alone)
    assert found["some near copies, users"] == some
    assert found["all near copies, users"] == every


def test_nobody_with_two_personas_gives_no_figure_of_copies():
    found = collapse([ALONE])
    assert found["one persona only, users"] == 1.0
    assert math.isnan(found["some near copies, users"])


def test_the_effective_number_runs_from_one_to_k():
    even = taken([0.25] * 4, np.eye(4), shares=[[1, 0, 0, 0], [0.25] * 4])
    found = collapse([even])
    assert found["effective number by mass"] == pytest.approx(4.0)
    assert found["effective number by share on the top 10"] == pytest.approx(2.5)


def test_matching_undoes_an_order_and_a_length():
    rows = np.random.default_rng(0).normal(size=(5, 30))
    assert matched(rows, 3.0 * rows[[3, 1, 4, 0, 2]]) == pytest.approx(1.0)


def test_matching_is_the_best_one_to_one():
    one, two = np.random.default_rng(1).normal(size=(2, 4, 6))
    cosines = np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in two] for a in one])
    rows, columns = linear_sum_assignment(-cosines)
    assert matched(one, two) == pytest.approx(cosines[rows, columns].mean())


def test_weights_decide_which_rows_matter():
    one, two = np.eye(2), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert matched(one, two, np.array([1.0, 0.0])) == pytest.approx(1.0)


def history_model(membership):
    n, k = membership.shape
    model = empty_model(n, FitConfig(personas=k, dim=4))
    model.membership.copy_(model.membership.new_tensor(membership))
    return model


def test_the_same_tastes_in_another_order_are_stable():
    membership = np.random.default_rng(2).dirichlet(np.full(3, 0.1), 200)
    models = [history_model(membership), history_model(membership[:, [2, 0, 1]])]
    users = [APART, taken([0.9, 0.1], [[1, 1], [1, -1]])]
    turned = [taken(u.masses[::-1], u.vectors[::-1]) for u in users]
    found = stability(models, [users, turned], 0)
    assert found["items, matched cosine"] == pytest.approx(1.0)
    assert found["items, by chance"] < 0.7
    assert found["users, matched cosine"] == pytest.approx(1.0)
    assert found["users, by chance"] < 0.9


def test_other_tastes_are_no_more_stable_than_chance():
    draw = np.random.default_rng(3)
    models = [history_model(draw.dirichlet(np.full(3, 0.1), 2000)) for _ in range(2)]
    found = stability(models, [[APART, COPIES], [APART, COPIES]], 0)
    assert found["items, matched cosine"] == pytest.approx(found["items, by chance"], abs=0.05)


def test_every_source_is_measured():
    configs = [FitConfig(source=s, personas=3, dim=8, steps=20, check_every=10) for s in SOURCES]
    result = measure(small_dataset(), configs, seeds=2, users=20)
    assert result.figures["users"] == 20
    for source in SOURCES:
        assert 1 <= result.figures[f"{source} effective number by mass"] <= 3 + 1e-9
        assert -1 <= result.figures[f"{source} users, matched cosine"] <= 1 + 1e-9
        known = not math.isnan(result.figures[f"{source} items, matched cosine"])
        assert known is (source != "free")
    assert [row[0] for row in result.rows[:2]] == ["personas", "one persona only, users"]
    assert len(result.rows[0]) == 1 + len(SOURCES)


@pytest.mark.parametrize("given", [["--seeds", "1"], ["--users", "1"], ["--sources", "magic"]])
def test_bad_options_are_refused(given):
    with pytest.raises(DataError):
        main(["--data", "nowhere", *given])
