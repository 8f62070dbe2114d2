"""Embeddings and memberships, held against independent solutions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from whythis.recsys.structure import content, embed, gather, unit

Matrix = npt.NDArray[np.float64]

squares = st.integers(1, 8).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.sampled_from([0.0, 0.0, 0.25, 1.0, -0.5]))
)


def item_item(n: int = 12, seed: int = 0) -> sparse.csr_matrix:
    """Return random item-item weights, half of them absent, with a diagonal of zeros."""
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((n, n)) < 0.5, rng.standard_normal((n, n)), 0.0)
    np.fill_diagonal(weights, 0.0)
    return sparse.csr_matrix(weights)


@pytest.mark.parametrize("dim", [1, 4, 11])
def test_the_embeddings_are_the_best_form_of_their_rank(dim: int) -> None:
    weights = item_item()
    left, right = embed(weights, dim, seed=0)
    assert left.dtype == right.dtype == np.float32
    u, s, vt = np.linalg.svd(weights.toarray())
    best = u[:, :dim] * s[:dim] @ vt[:dim]
    np.testing.assert_allclose(left @ right.T, best, atol=1e-4)
    # both sides are of one size, the main direction first
    sizes = np.linalg.norm(left, axis=0)
    np.testing.assert_allclose(sizes, np.linalg.norm(right, axis=0), rtol=1e-4)
    np.testing.assert_allclose(sizes, np.sqrt(s[:dim]), rtol=1e-4)


def test_ranks_above_what_the_weights_hold_are_zero() -> None:
    left, right = embed(item_item(), 20, seed=0)
    assert left.shape == right.shape == (12, 20)
    assert not left[:, 11:].any()
    assert not right[:, 11:].any()
    assert np.abs(left[:, :11]).max() > 0


def test_the_same_weights_give_the_same_bytes() -> None:
    first, second = embed(item_item(), 5, seed=3), embed(item_item(), 5, seed=3)
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


def test_the_sign_does_not_hang_on_the_start() -> None:
    for a, b in zip(embed(item_item(), 5, seed=1), embed(item_item(), 5, seed=2), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(squares, st.integers(1, 10))
def test_any_small_weights_give_finite_embeddings(weights: Matrix, dim: int) -> None:
    for side in embed(sparse.csr_matrix(weights), dim, seed=0):
        assert side.shape == (len(weights), dim)
        assert np.isfinite(side).all()


def test_items_that_share_no_user_have_no_structure() -> None:
    # the weights may be stored zeros
    zeros = sparse.csr_matrix((np.zeros(5), np.arange(5), np.arange(6)), shape=(5, 5))
    left, right = embed(zeros, 3, seed=0)
    assert left.shape == right.shape == (5, 3)
    assert not left.any()
    assert not right.any()


def test_rows_of_unit_length_keep_their_direction() -> None:
    np.testing.assert_allclose(unit(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])


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
