"""The item-item start and the memberships, held against independent solutions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from whythis.recsys import structure
from whythis.recsys.structure import content, ease, gather, low_rank

Matrix = npt.NDArray[np.float64]

events = st.tuples(st.integers(2, 8), st.integers(1, 7)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0]))
)


def ridge_without_itself(x: Matrix, l2: float) -> Matrix:
    """Regress each item on all the others: what EASE's constraint of a zero diagonal means."""
    n = x.shape[1]
    weights = np.zeros((n, n))
    for j in range(n):
        others = [i for i in range(n) if i != j]
        rest = x[:, others]
        gram = rest.T @ rest + l2 * np.eye(n - 1)
        weights[others, j] = np.linalg.solve(gram, rest.T @ x[:, j])
    return weights


def planted(rows: int = 60, seed: int = 0) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    return sparse.csr_matrix((rng.random((rows, 12)) < 0.3).astype(float))


@settings(max_examples=50, deadline=None)
@given(events, st.floats(0.5, 300))
def test_ease_is_the_ridge_of_each_item_on_the_others(x: Matrix, l2: float) -> None:
    found = ease(sparse.csr_matrix(x), l2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ridge_without_itself(x, l2), atol=1e-5)


@pytest.mark.parametrize("dim", [1, 4, 11])
def test_the_embeddings_are_the_best_form_of_their_rank(dim: int) -> None:
    x = planted()
    weights = ridge_without_itself(x.toarray(), 5.0)
    left, right = low_rank(x, dim, 5.0, seed=0)
    u, s, vt = np.linalg.svd(weights)
    best = u[:, :dim] * s[:dim] @ vt[:dim]
    np.testing.assert_allclose(left @ right.T, best, atol=1e-4)


def test_ranks_above_what_the_data_hold_are_zero() -> None:
    left, right = low_rank(planted(), 20, 5.0, seed=0)
    assert left.shape == right.shape == (12, 20)
    assert not left[:, 11:].any()
    assert not right[:, 11:].any()
    assert np.abs(left[:, :11]).max() > 0


def test_a_large_catalogue_gets_the_projection_on_its_main_tastes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(structure, "DENSE_LIMIT", 11)
    x = planted()
    left, right = low_rank(x, 4, 5.0, seed=0)
    _, _, vt = np.linalg.svd(x.toarray())
    np.testing.assert_allclose(left @ right.T, vt[:4].T @ vt[:4], atol=1e-5)


@pytest.mark.parametrize("limit", [20_000, 3])
def test_the_same_data_give_the_same_bytes(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "DENSE_LIMIT", limit)
    first, second = low_rank(planted(), 5, 5.0, seed=3), low_rank(planted(), 5, 5.0, seed=3)
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


def test_the_sign_does_not_hang_on_the_start() -> None:
    for a, b in zip(
        low_rank(planted(), 5, 5.0, seed=1), low_rank(planted(), 5, 5.0, seed=2), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(events, st.integers(2, 10))
def test_any_small_data_give_finite_embeddings(x: Matrix, dim: int) -> None:
    for side in low_rank(sparse.csr_matrix(x), dim, 10.0, seed=0):
        assert side.shape == (x.shape[1], dim)
        assert np.isfinite(side).all()


def test_items_that_share_no_user_have_no_structure() -> None:
    left, right = low_rank(sparse.csr_matrix(np.eye(5)), 3, 10.0, seed=0)
    assert not left.any()
    assert not right.any()


def groups(each: int = 8) -> npt.NDArray[np.float32]:
    """Return points in three directions, one after another, with a little noise."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3, 6), each, axis=0)
    return (centres + 0.05 * rng.standard_normal(centres.shape)).astype(np.float32)


def ones(n: int) -> npt.NDArray[np.int64]:
    return np.ones(n, dtype=np.int64)


def test_separate_groups_become_separate_clusters() -> None:
    soft = gather(groups(), ones(24), 3, 10.0, seed=0)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-5)
    chosen = soft.argmax(1).reshape(3, 8)
    assert (chosen == chosen[:, :1]).all()
    assert len(set(chosen[:, 0])) == 3
    assert soft.max(1).min() > 0.99


def test_sharpness_decides_how_crisp_the_memberships_are() -> None:
    crisp = [gather(groups(), ones(24), 3, s, seed=0).max(1).mean() for s in (0.5, 2.0, 10.0)]
    assert crisp == sorted(crisp)
    assert crisp[0] < 0.5


def test_memberships_are_the_same_for_the_same_seed() -> None:
    noise = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    first, second = (gather(noise, ones(40), 4, 10.0, seed=7) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_items_without_events_do_not_move_the_centres() -> None:
    points, counts = groups(), ones(24)
    alone = gather(points, counts, 3, 10.0, seed=0)
    stray = np.full((5, 6), [0, 0, 0, 0, 0, 1], dtype=np.float32)
    joined = gather(
        np.vstack([points, stray]), np.append(counts, np.zeros(5, int)), 3, 10.0, seed=0
    )
    np.testing.assert_array_equal(joined[:24], alone)


def test_an_item_without_features_belongs_to_all_alike() -> None:
    points = np.vstack([groups(), np.zeros((1, 6), dtype=np.float32)])
    np.testing.assert_allclose(gather(points, ones(25), 3, 10.0, seed=0)[-1], 1 / 3, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 12), st.integers(1, 6))
def test_repeated_points_are_gathered_too(distinct: int, n: int, k: int) -> None:
    rng = np.random.default_rng(distinct)
    points = rng.standard_normal((distinct, 4)).astype(np.float32)[np.arange(n) % distinct]
    soft = gather(points, ones(n), k, 10.0, seed=0)
    assert soft.shape == (n, k)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(soft[::distinct], np.tile(soft[0], (len(soft[::distinct]), 1)))


def catalogue(genres: list[list[str]], years: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"genres": genres, "year": years})


NONE = float("nan")


def test_without_genres_and_years_only_the_embedding_is_left() -> None:
    side = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)
    found = content(catalogue([[], []], [NONE, NONE]), side)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :2], np.array([[0.6, 0.8], [0.0, 0.0]]), atol=1e-6)
    assert not found[:, 2:].any()


def test_a_rare_genre_counts_more_than_a_common_one() -> None:
    side = np.zeros((4, 1), dtype=np.float32)
    found = content(catalogue([["B", "A"], ["A"], ["A"], []], [NONE] * 4), side)
    common, rare = np.log(4 / 3), np.log(4 / 1)
    length = np.hypot(common, rare)
    np.testing.assert_allclose(found[0, 1:3], [common / length, rare / length], atol=1e-5)
    np.testing.assert_allclose(found[1, 1:3], [1, 0], atol=1e-6)
    assert not found[3].any()


def test_a_genre_of_every_item_leaves_no_nan() -> None:
    found = content(catalogue([["A"], ["A"]], [NONE, 1990.0]), np.zeros((2, 1), dtype=np.float32))
    assert np.isfinite(found).all()


def test_years_fall_into_eras_of_half_the_weight() -> None:
    years = [1969.0, 1970.0, 1984.0, 1985.0, 1995.0, 1996.0, NONE]
    found = content(catalogue([[]] * 7, years), np.zeros((7, 1), dtype=np.float32))[:, 1:]
    assert [row.argmax() for row in found[:-1]] == [0, 1, 1, 2, 2, 3]
    np.testing.assert_allclose(found.sum(1), [0.5] * 6 + [0.0])
