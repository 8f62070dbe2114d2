"""Numbers chosen on validation: what is in the data is found, what is not stays switched off."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import logsumexp

from whythis.recsys import trying
from whythis.recsys.choosing import choose
from whythis.recsys.errors import DataError
from whythis.recsys.kernels import DAMPING, Indices, Kernel, ease, events_matrix, follows, prune
from whythis.recsys.linear import Choice, Linear, counts, solve, standardised
from whythis.recsys.metrics import discounted_rank, ranks_of
from whythis.recsys.trying import Validation

N = 30
Data = tuple[list[Indices], Validation]


@cache
def chain() -> Data:
    """Return users who go up the numbers, now and then by a leap."""
    rng = np.random.default_rng(0)
    walks = []
    for _ in range(150):
        steps = np.where(rng.random(9) < 0.2, rng.integers(2, 6, 9), 1)
        walk = (rng.integers(0, N) + np.cumsum(steps)) % N
        walks.append(walk[np.sort(np.unique(walk, return_index=True)[1])])
    return [w[:-1] for w in walks], ([w[:-1] for w in walks], [int(w[-1]) for w in walks])


@cache
def popular() -> Data:
    """Return users who take what everyone takes, whatever they took before."""
    rng = np.random.default_rng(1)
    p = 1.0 / np.arange(1, N + 1)
    rows = [rng.choice(N, 7, replace=False, p=p / p.sum()) for _ in range(200)]
    return [r[:-1] for r in rows], ([r[:-1] for r in rows], [int(r[-1]) for r in rows])


@cache
def tastes() -> Data:
    """Return users who take items of one of three groups, in no order."""
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 3, 150)
    rows = [3 * rng.choice(N // 3, 6, replace=False) + g for g in groups]
    return [r[:-1] for r in rows], ([r[:-1] for r in rows], [int(r[-1]) for r in rows])


def chosen(
    data: Data, ordered: bool = True, kept: int = N, window: int = 50, seed: int = 0
) -> Linear:
    sequences, validation = data
    return choose(sequences, validation, N, kept, window, ordered, seed)


def scores_of(linear: Linear, histories: list[Indices], window: int) -> npt.NDArray[np.float64]:
    """Return c / sqrt(sum g) (g B + exp(-t / l) N) + b for each history, by plain loops."""
    choice, b = linear.choice, linear.together.matrix().toarray()
    after = np.zeros((N, N)) if linear.next is None else linear.next.matrix().toarray()
    rows = []
    for history in histories:
        row, total = np.zeros(N), 0.0
        for age, item in enumerate(history[-window:][::-1]):
            g = np.exp(-choice.forgetting * age)
            row += g * b[item] + np.exp(-age / choice.reach) * after[item]
            total += g
        rows.append(choice.scale * row / np.sqrt(total) + linear.bias)
    return np.array(rows)


def value(linear: Linear, validation: Validation, window: int = 50) -> float:
    """Return how well the validation items rank by the scores written out."""
    histories, targets = validation
    scores = scores_of(linear, list(histories), window)
    return discounted_rank(ranks_of(scores, np.array(targets), histories))


def assert_same(a: Kernel | None, b: Kernel | None) -> None:
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        np.testing.assert_array_equal(a.columns, b.columns)
        np.testing.assert_array_equal(a.values, b.values)


def test_a_chain_is_found() -> None:
    linear = chosen(chain())
    assert linear.choice.next_weight > 0
    assert linear.choice.forgetting > 0
    assert linear.next is not None
    after = linear.next.matrix().toarray()
    assert (after.argmax(1) == (np.arange(N) + 1) % N).mean() > 0.9
    _, validation = chain()
    unordered = chosen(chain(), ordered=False)
    assert value(linear, validation) > value(unordered, validation) + 0.1


def test_data_without_an_order_never_get_one() -> None:
    for data in (chain(), tastes(), popular()):
        linear = chosen(data, ordered=False)
        assert linear.next is None
        assert linear.choice.next_weight == linear.choice.forgetting == 0


def test_tastes_are_found_and_their_order_does_not_matter() -> None:
    linear = chosen(tastes(), ordered=False)
    b = linear.together.matrix().toarray()
    same = np.arange(N)[:, None] % 3 == np.arange(N) % 3
    assert b[same & ~np.eye(N, dtype=bool)].mean() > 10 * abs(b[~same].mean())
    sequences, validation = tastes()
    turned = [s[::-1] for s in sequences]
    again = choose(turned, (turned, validation[1]), N, N, 50, False, 0)
    assert_same(again.together, linear.together)
    assert again.choice == linear.choice


def test_where_popularity_rules_it_is_followed() -> None:
    linear = chosen(popular())
    likes = counts(popular()[0], N)
    assert linear.choice.popularity > 0
    _, (histories, targets) = popular()
    by_likes = np.tile(likes, (len(histories), 1))
    told = discounted_rank(ranks_of(by_likes, np.array(targets), histories))
    assert value(linear, (histories, targets)) > told - 0.03
    np.testing.assert_array_equal(np.argsort(linear.bias), np.argsort(standardised(likes)))


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("data", [chain, popular, tastes])
def test_a_solution_for_the_chosen_numbers_is_the_one_that_was_chosen(
    data: Callable[[], Data], ordered: bool
) -> None:
    for kept in (N, 7):
        first = chosen(data(), ordered, kept)
        again = solve(data()[0], N, first.choice, kept)
        assert again.choice == first.choice
        assert_same(again.together, first.together)
        assert_same(again.next, first.next)
        np.testing.assert_array_equal(again.bias, first.bias)
        assert first.together.columns.shape == (N, kept)


def test_choosing_is_deterministic() -> None:
    first, again = chosen(chain()), chosen(chain(), seed=9)  # few users: all of them are tried
    assert again.choice == first.choice
    assert_same(again.together, first.together)
    assert_same(again.next, first.next)


def test_each_number_does_what_its_formula_says() -> None:
    sequences, _ = chain()
    choice = Choice(
        user_weight=0.25,
        l2=50.0,
        discount=0.1,
        popularity=0.3,
        next_weight=2.0,
        reach=3.0,
        next_l2=20.0,
    )
    linear = solve(sequences, N, choice, N)
    lengths = np.array([len(s) for s in sequences])
    x = events_matrix(sequences, N).toarray() * (lengths**-0.25)[:, None]
    b = ease(
        events_matrix(sequences, N, [np.full(n, n**-0.25) for n in lengths]),
        50.0 * lengths.mean() ** -0.5,
        DAMPING,
    )
    likes = (x > 0).sum(0)
    np.testing.assert_array_equal(counts(sequences, N), likes)
    told = b / (1 + likes) ** 0.1
    np.testing.assert_allclose(linear.together.matrix().toarray(), told, atol=1e-6)
    assert linear.next is not None
    after = 2.0 * follows(sequences, N, 3.0, 20.0)
    np.testing.assert_allclose(linear.next.matrix().toarray(), after, atol=1e-6)
    logs = np.log1p(likes)
    np.testing.assert_allclose(linear.bias, 0.3 * (logs - logs.mean()) / logs.std(), atol=1e-5)


def test_equal_counts_tell_no_popularity() -> None:
    assert not standardised(np.full(4, 3.0)).any()


@pytest.mark.parametrize("data", [chain, popular, tastes])
def test_the_scale_makes_the_validation_items_likeliest(data: Callable[[], Data]) -> None:
    linear = chosen(data())
    _, (histories, targets) = data()
    scores = scores_of(linear, histories, 50)
    for row, seen in enumerate(histories):
        scores[row, np.setdiff1d(seen, targets[row])] = -np.inf

    def loss(factor: float) -> float:
        mine = scores[np.arange(len(targets)), targets]
        return float(np.mean(logsumexp(factor * scores, axis=1) - factor * mine))

    step = 100 ** (1 / 40)  # between two of the factors tried
    assert loss(1.0) < min(loss(3.0), loss(1 / 3))
    assert loss(1.0) <= min(loss(step), loss(1 / step)) + 1e-9


def test_progress_is_told_and_ends_with_what_was_reached() -> None:
    told: list[tuple[int, int, float]] = []
    sequences, validation = chain()

    def tell(step: int, steps: int, best: float) -> None:
        told.append((step, steps, best))

    linear = choose(sequences, validation, N, N, 50, True, 0, tell)
    steps = [step for step, _, _ in told]
    assert steps == list(range(1, len(told) + 1))
    assert {total for _, total, _ in told} == {len(told)}
    best = [figure for _, _, figure in told[:-1]]
    assert best == sorted(best)
    assert told[-1][2] == pytest.approx(value(linear, validation), abs=1e-6)


def test_what_lies_before_the_window_is_not_read() -> None:
    sequences, (histories, targets) = tastes()
    linear = choose(sequences, (histories, targets), N, N, 2, True, 0)
    # another beginning that hides the same items
    told: list[float] = []
    turned = [np.concatenate([h[:-2][::-1], h[-2:]]) for h in histories]
    again = choose(
        sequences, (turned, targets), N, N, 2, True, 0, lambda *given: told.append(given[2])
    )
    assert again.choice == linear.choice
    assert told[-1] == pytest.approx(value(linear, (histories, targets), window=2), abs=1e-6)


def test_what_does_not_help_stays_off() -> None:
    # only one item is left to rank, so it is first whatever is chosen
    sequences = [np.array([0, 1])] * 5
    linear = choose(sequences, ([np.array([0])] * 5, [1] * 5), 2, 2, 50, True, 0)
    off = Choice()
    assert linear.next is None
    for name in ("user_weight", "discount", "forgetting", "next_weight"):
        assert getattr(linear.choice, name) == getattr(off, name)


def test_of_many_users_some_are_tried() -> None:
    users = trying.TRIED_USERS + 50
    histories = [np.array([user % N, (user // N) % N]) for user in range(users)]
    targets = list(range(users))
    first, again, other = (trying.Tried((histories, targets), N, 1, seed) for seed in (0, 0, 1))
    assert len(first.histories) == len(first.seen) == len(first.targets) == trying.TRIED_USERS
    np.testing.assert_array_equal(first.targets, again.targets)
    assert (first.targets != other.targets).any()
    assert (np.diff(first.targets) > 0).all()  # each at most once
    for history, seen, target in zip(first.histories, first.seen, first.targets, strict=True):
        assert seen is histories[target]
        np.testing.assert_array_equal(history, seen[-1:])


def test_a_large_catalogue_is_chosen_for_by_fewer_users() -> None:
    tried = [trying.tried_users(n) for n in (10, 10_000, 40_000, 10**7)]
    assert tried[0] == trying.TRIED_USERS
    assert tried == sorted(tried, reverse=True)
    assert tried[-1] > 0


def test_items_that_nobody_liked_together_can_be_chosen_for() -> None:
    sequences = [np.array([i % 5]) for i in range(20)]
    linear = choose(sequences, (sequences, [(i + 1) % 5 for i in range(20)]), 6, 6, 50, True, 0)
    assert not linear.together.values.any()
    assert np.isfinite(linear.bias).all()
    assert linear.bias.argmin() == 5


def test_nothing_to_choose_by_is_refused_in_one_line() -> None:
    with pytest.raises(
        DataError, match="no validation item among 150 users to choose by"
    ) as caught:
        choose(tastes()[0], ([], []), N, N, 50, True, 0)
    assert len(str(caught.value).splitlines()) == 1


def test_users_without_events_change_nothing() -> None:
    sequences, _ = tastes()
    linear = solve(sequences, N, Choice(user_weight=0.25), N)
    nobody = np.zeros(0, dtype=np.int64)
    kernel = solve([nobody, *sequences], N, Choice(), N).together
    assert_same(kernel, solve(sequences, N, Choice(), N).together)
    assert linear.together.values.any()
    assert_same(kernel, prune(ease(events_matrix(sequences, N), 100.0, DAMPING), N))
