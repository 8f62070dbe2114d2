"""Item-item weights, held against independent solutions of the regressions that they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from whythis.recsys import kernels
from whythis.recsys.errors import DataError
from whythis.recsys.kernels import Indices, Kernel, ease, events_matrix, follows, prune

Matrix = npt.NDArray[np.float64]

shapes = st.tuples(st.integers(2, 8), st.integers(1, 7))
events = shapes.flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.5, 1.0]))
)
histories = st.lists(st.lists(st.integers(0, 5), max_size=8, unique=True), max_size=8).map(
    lambda rows: [np.array(row, dtype=np.int64) for row in rows]
)


def ridge_without_itself(x: Matrix, l2: float, damping: float = 0.0) -> Matrix:
    """Regress each item on all the others: what a diagonal of zeros means."""
    n = x.shape[1]
    weights = np.zeros((n, n))
    for j in range(n):
        others = [i for i in range(n) if i != j]
        rest = x[:, others]
        penalty = np.diag(l2 + damping * (rest**2).sum(0))
        weights[others, j] = np.linalg.solve(rest.T @ rest + penalty, rest.T @ x[:, j])
    return weights


def planted(rows: int = 60, n: int = 12, seed: int = 0) -> sparse.csr_matrix:
    """Return random events without any item that nobody has."""
    rng = np.random.default_rng(seed)
    return sparse.csr_matrix((rng.random((rows, n)) < 0.3).astype(float))


def walks(n: int = 12, users: int = 25, seed: int = 0) -> list[Indices]:
    """Return sequences of 0 to 11 different items."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(n)[: rng.integers(0, n)] for _ in range(users)]


def next_by_hand(sequences: Sequence[Indices], n: int, reach: float, l2: float) -> Matrix:
    """Solve the normal equations of the next item on the weighted events before it."""
    context, after = [np.zeros(n)], [np.zeros(n)]
    for sequence in sequences:
        for place in range(1, len(sequence)):
            row = np.zeros(n)
            for age, item in enumerate(sequence[place - 1 :: -1]):
                if np.exp(-age / reach) >= 0.02:
                    row[item] += np.exp(-age / reach)
            context.append(row)
            after.append(np.eye(n)[sequence[place]])
    c, y = np.array(context), np.array(after)
    weights = np.linalg.solve(c.T @ c + l2 * np.eye(n), c.T @ y)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


@settings(max_examples=50, deadline=None)
@given(events, st.floats(0.5, 300), st.sampled_from([0.0, 0.5, 2.0]))
def test_ease_is_the_ridge_of_each_item_on_the_others(x: Matrix, l2: float, damping: float) -> None:
    found = ease(sparse.csr_matrix(x), l2, damping)
    assert found.dtype == np.float64
    assert not np.diag(found).any()
    np.testing.assert_allclose(found, ridge_without_itself(x, l2, damping), atol=1e-9)


def test_ease_is_the_formula_of_the_paper() -> None:
    x = planted()
    p = np.linalg.inv((x.T @ x).toarray() + 7.0 * np.eye(12))
    told = np.eye(12) - p @ np.diag(1 / np.diag(p))
    np.testing.assert_allclose(ease(x, 7.0), told, atol=1e-12)


def test_damping_is_a_ridge_in_proportion_to_the_count() -> None:
    x = planted()
    # an item that everyone has loses more of its weights than a rare one
    x = sparse.csr_matrix(np.hstack([np.ones((60, 1)), x.toarray()]))
    plain, damped = np.abs(ease(x, 5.0)).sum(1), np.abs(ease(x, 5.0, 1.0)).sum(1)
    assert damped[0] / plain[0] < (damped[1:] / plain[1:]).min()


def test_items_that_share_no_user_have_no_weights() -> None:
    np.testing.assert_allclose(ease(sparse.csr_matrix(np.eye(5)), 10.0, 0.5), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("block", [1, 4, 512])
def test_a_positive_definite_matrix_is_inverted(
    dtype: type[np.floating], n: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_BLOCK", block)
    x = np.random.default_rng(n).standard_normal((2 * n, n))
    matrix = x.T @ x + n * np.eye(n)
    found = kernels._inverse(matrix.astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found, np.linalg.inv(matrix), atol=1e-6 if dtype == np.float32 else 1e-12
    )
    assert (found == found.T).all()


def test_large_catalogues_are_solved_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    exact, after = ease(planted(), 5.0, 0.5), follows(walks(), 12, 3.0, 5.0)
    monkeypatch.setattr(kernels, "_DOUBLE_LIMIT", 11)
    for found, told in (
        (ease(planted(), 5.0, 0.5), exact),
        (follows(walks(), 12, 3.0, 5.0), after),
    ):
        assert (told.dtype, found.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(found, told, atol=1e-5)


def test_a_matrix_without_an_inverse_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="cannot be inverted: choose a larger ridge"):
        ease(sparse.csr_matrix(np.ones((3, 4))), 0.0)


def test_too_many_items_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "DENSE_LIMIT", 11)
    with pytest.raises(DataError, match="12 items: at most 11 can be solved at once"):
        ease(planted(), 5.0)
    monkeypatch.setattr(kernels, "DENSE_LIMIT", 12)
    assert ease(planted(), 5.0).shape == (12, 12)


@settings(max_examples=50, deadline=None)
@given(histories, st.sampled_from([0.3, 1.0, 3.0, 10.0]), st.floats(0.5, 100))
def test_what_follows_is_the_ridge_of_the_next_item_on_those_before(
    sequences: list[Indices], reach: float, l2: float
) -> None:
    found = follows(sequences, 6, reach, l2)
    np.testing.assert_allclose(found, next_by_hand(sequences, 6, reach, l2), atol=1e-9)


def test_what_follows_reads_the_order() -> None:
    chain = [np.array([0, 1, 2, 3])] * 20
    after = follows(chain, 5, 1.0, 1.0)
    assert after[:4].argmax(1)[:3].tolist() == [1, 2, 3]
    assert after[1, 0] <= 0 < after[0, 1]
    assert not after[4].any()
    assert not after[:, 4].any()


@pytest.mark.parametrize("users", [1, 2, 7])
def test_some_users_at_a_time_are_the_same_as_all(
    users: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = follows(walks(), 12, 3.0, 5.0)
    monkeypatch.setattr(kernels, "_USERS", users)
    np.testing.assert_allclose(follows(walks(), 12, 3.0, 5.0), whole, atol=1e-12)


@pytest.mark.parametrize("block", [1, 5, 12])
def test_some_rows_at_a_time_are_the_same_as_all(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    solutions = ease(planted(), 5.0, 0.5), follows(walks(), 12, 3.0, 5.0)
    pruned = prune(solutions[0], 4)
    monkeypatch.setattr(kernels, "_BLOCK", block)
    again = ease(planted(), 5.0, 0.5), follows(walks(), 12, 3.0, 5.0)
    for found, told in zip(again, solutions, strict=True):
        np.testing.assert_allclose(found, told, atol=1e-12)
    np.testing.assert_array_equal(prune(solutions[0], 4).columns, pruned.columns)
    np.testing.assert_array_equal(prune(solutions[0], 4).values, pruned.values)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 7).flatmap(
        lambda n: arrays(np.float64, (n, n), elements=st.floats(-4, 4, width=16))
    ),
    st.integers(1, 9),
)
def test_pruning_keeps_the_largest_weights_of_each_item(weights: Matrix, kept: int) -> None:
    found = prune(weights, kept)
    n = len(weights)
    assert found.columns.shape == found.values.shape == (n, min(kept, n))
    assert (found.columns.dtype, found.values.dtype) == (np.int32, np.float32)
    for row in range(n):
        places = found.columns[row]
        assert (np.diff(places) > 0).all()
        np.testing.assert_array_equal(found.values[row], weights[row, places])
        largest = np.sort(np.abs(weights[row]))[::-1][: min(kept, n)]
        np.testing.assert_array_equal(np.sort(np.abs(found.values[row]))[::-1], largest)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(0, 1000))
def test_a_kernel_that_keeps_everything_is_the_matrix(n: int, seed: int) -> None:
    weights = np.random.default_rng(seed).standard_normal((n, n))
    matrix = prune(weights, n).matrix()
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix.toarray(), weights.astype(np.float32))


def test_padding_adds_nothing_to_the_matrix() -> None:
    columns = np.array([[1, 0, 0], [2, 0, 0], [0, 1, 0]], dtype=np.int32)
    values = np.array([[5, 0, 0], [6, 2, 0], [7, 8, 0]], dtype=np.float32)
    told = [[0, 5, 0], [2, 0, 6], [7, 8, 0]]
    np.testing.assert_array_equal(Kernel(columns, values).matrix().toarray(), told)


@settings(max_examples=30, deadline=None)
@given(histories, st.booleans())
def test_events_are_users_by_items(sequences: list[Indices], weighted: bool) -> None:
    weights = [1.0 + np.arange(len(s)) for s in sequences] if weighted else None
    found = events_matrix(sequences, 6, weights)
    told = np.zeros((len(sequences), 6))
    for user, sequence in enumerate(sequences):
        for place, item in enumerate(sequence):
            told[user, item] = 1.0 + place if weighted else 1.0
    assert found.shape == told.shape
    np.testing.assert_array_equal(found.toarray(), told)
