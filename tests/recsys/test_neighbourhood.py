"""Regressions over the nearest items, held against the full ones and against small ones by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from scipy.stats import spearmanr

from whythis.recsys import choosing, kernels, linear, neighbourhood
from whythis.recsys.kernels import Indices, events_matrix

L2, DAMPING, REACH = 20.0, 0.5, 3.0
N = 50


def tastes(users: int = 900, seed: int = 0) -> list[Indices]:
    """Return sequences of five planted tastes in which any two items meet somewhere."""
    rng = np.random.default_rng(seed)
    appeal = 1.0 / np.sqrt(np.arange(1, N + 1))
    taste = rng.integers(0, 5, N)
    found = []
    for user in range(users):
        weight = appeal * np.where(taste == user % 5, 1.0, 0.15)
        size = int(rng.integers(5, 20))
        found.append(rng.choice(N, size, replace=False, p=weight / weight.sum()))
    return found


SEQUENCES = tastes()
EVENTS = events_matrix(SEQUENCES, N)


def both(kept: int) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Return (restricted, full) weights of either kind."""
    near = neighbourhood.ease(EVENTS, L2, DAMPING, kept)
    after = neighbourhood.follows(SEQUENCES, N, REACH, L2, kept)
    return [
        (near.matrix().toarray(), kernels.ease(EVENTS, L2, DAMPING)),
        (after.matrix().toarray(), kernels.follows(SEQUENCES, N, REACH, L2)),
    ]


def test_with_all_items_as_neighbours_the_weights_are_those_of_the_full_regression() -> None:
    assert ((EVENTS.T @ EVENTS).toarray() > 0).all()
    for context, after in kernels.contexts(SEQUENCES, N, REACH):
        assert ((context.T @ after).toarray() + np.eye(N) > 0).all()
    for found, full in both(N - 1):
        np.testing.assert_allclose(found, full, atol=1e-6)


def test_few_neighbours_come_near_and_more_come_nearer() -> None:
    for (few, full), (more, _) in zip(both(10), both(25), strict=True):
        order = [spearmanr(w[w != 0], full[w != 0]).statistic for w in (few, more)]
        assert order[0] > 0.8
        assert order[1] > order[0]
        assert np.abs(more - full).sum() < np.abs(few - full).sum()


@pytest.mark.parametrize("kept", [1, 4])
def test_a_column_is_the_regression_on_its_nearest_items(kept: int) -> None:
    gram = (EVENTS.T @ EVENTS).toarray()
    size = np.sqrt(np.diag(gram))
    cosine = gram / np.outer(size, size)
    np.fill_diagonal(cosine, 0.0)
    wanted = np.zeros((N, N))
    width = 3 * kept + 1  # entries of the Gram matrix that an item keeps, itself among them
    known = np.zeros((N, N), dtype=bool)
    for y in range(N):
        known[y, np.argsort(-cosine[y])[: width - 1]] = True
    known |= known.T | np.eye(N, dtype=bool)
    chance = np.outer(np.diag(gram), np.diag(gram)) / len(SEQUENCES)
    seen = np.where(known, gram, chance)
    for y in range(N):
        near = np.argsort(-cosine[y])[:kept]
        among = seen[np.ix_(near, near)] + np.diag(L2 + DAMPING * np.diag(gram)[near])
        wanted[near, y] = np.linalg.solve(among, gram[near, y])
    for row in wanted:  # an item keeps as many weights as it has neighbours
        row[np.argsort(-np.abs(row))[kept:]] = 0.0
    found = neighbourhood.ease(EVENTS, L2, DAMPING, kept)
    assert found.columns.shape == (N, kept)
    np.testing.assert_allclose(found.matrix().toarray(), wanted, atol=1e-6)


def test_items_without_events_have_no_weights() -> None:
    sequences = [np.array([0, 2, 3]), np.array([2, 0]), np.zeros(0, dtype=np.int64)]
    for found in (
        neighbourhood.ease(events_matrix(sequences, 6), 1.0, DAMPING, 3),
        neighbourhood.follows(sequences, 6, 2.0, 1.0, 3),
    ):
        weights = found.matrix().toarray()
        assert found.columns.shape == (6, 3)
        assert weights[0, 2] > 0
        assert not weights[[1, 4, 5]].any()
        assert not weights[:, [1, 4, 5]].any()
        assert not np.diag(weights).any()


def test_no_events_at_all_give_no_weights() -> None:
    nothing = [np.zeros(0, dtype=np.int64)]
    for found in (
        neighbourhood.ease(events_matrix(nothing, 4), 1.0, DAMPING, 2),
        neighbourhood.follows(nothing, 4, 2.0, 1.0, 2),
    ):
        assert not found.values.any()


def test_equal_events_give_equal_weights() -> None:
    one, two = (neighbourhood.ease(EVENTS, L2, DAMPING, 5) for _ in range(2))
    assert (one.columns == two.columns).all()
    assert (one.values == two.values).all()


def test_a_catalogue_beyond_the_limit_is_solved_by_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (choosing, linear):
        monkeypatch.setattr(module, "DENSE_LIMIT", N - 1)
    monkeypatch.setattr(choosing, "_LARGE", N - 1)

    def refuse(*_: object) -> None:
        raise AssertionError("a matrix of items times items was asked for")

    monkeypatch.setattr(linear, "ease", refuse)
    monkeypatch.setattr(linear, "follows", refuse)
    validation = [s[:-1] for s in SEQUENCES], [int(s[-1]) for s in SEQUENCES]
    past = [s[:-1] for s in SEQUENCES]
    steps: list[int] = []
    found = choosing.choose(
        past, validation, N, 10, 200, True, 0, lambda step, total, _: steps.append(total - step)
    )
    assert steps == [2, 1, 0]
    near = neighbourhood.ease(events_matrix(past, N), found.choice.l2, kernels.DAMPING, 10)
    assert (found.together.columns == near.columns).all()
    again = linear.solve(past, N, found.choice, 10)
    assert (again.together.values == found.together.values).all()


def test_the_memory_is_not_that_of_items_times_items() -> None:
    n, users = 3_000, 500  # items times items in single precision would be 36 MB
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(users), 10)
    events = sparse.csr_matrix((np.ones(len(rows)), (rows, rng.integers(0, n, len(rows)))))
    tracemalloc.start()
    found = neighbourhood.ease(events, L2, DAMPING, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.values.any()
    assert peak < 12e6
