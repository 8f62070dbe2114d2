"""Personas that are clusters of users: found again where planted, and weighed by nearness."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from whythis.recsys.building import build_medoid, held_out_ranks
from whythis.recsys.config import FitConfig
from whythis.recsys.linear import Choice, Linear, solve
from whythis.recsys.medoid import MedoidPersonas

N, K = 12, 3
ITEMS = pd.DataFrame({"item": [f"i{i}" for i in range(N)]})


def planted() -> list[npt.NDArray[np.int64]]:
    """Return 30 users who each like four of the five items of their own group, and one without."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(4)[:3] * 3 + user % 3 for user in range(30)]
    return [*rows, np.zeros(0, dtype=np.int64)]


def linear() -> Linear:
    return solve(planted(), N, Choice(l2=1.0, forgetting=0.1, scale=2.0), N)


@pytest.fixture(scope="module")
def model() -> MedoidPersonas:
    config = FitConfig(source="medoid", personas=K, dim=4)
    return build_medoid(linear(), planted(), ITEMS, config)


def everything(history: torch.Tensor) -> torch.Tensor:
    return torch.ones(1, len(history), dtype=torch.bool)


def test_the_clusters_are_the_planted_groups(model: MedoidPersonas) -> None:
    best = model.profiles.topk(4, dim=1).indices % 3
    assert all(len(set(row.tolist())) == 1 for row in best)
    assert {int(row[0]) for row in best} == {0, 1, 2}


def test_a_profile_is_the_mean_linear_score_of_its_users(model: MedoidPersonas) -> None:
    weights = linear().together.matrix().toarray()
    histories = planted()[:30]
    for k in range(K):
        group = int(model.profiles[k].argmax()) % 3
        rows = []
        for history in histories[group::3]:
            fades = [math.exp(-0.1 * age) for age in range(len(history))][::-1]
            total = sum(f * weights[i] for f, i in zip(fades, history, strict=True))
            rows.append(2.0 * total / math.sqrt(sum(fades)))
        assert model.profiles[k].numpy() == pytest.approx(np.mean(rows, axis=0), abs=1e-5)


def test_a_user_is_near_the_own_cluster(model: MedoidPersonas) -> None:
    for user in range(3):
        history = torch.from_numpy(planted()[user])
        masses = model(history, everything(history)).masses[0]
        assert int(model.profiles[masses.argmax()].argmax()) % 3 == user
        assert float(masses.sum()) == pytest.approx(1.0)
    ranks = held_out_ranks(
        model, [h[:-1] for h in planted()[:30]], [h[-1] for h in planted()[:30]], 9
    )
    assert (ranks <= 2).all()  # two of the own group are left


def test_each_mask_is_a_run_of_its_own(model: MedoidPersonas) -> None:
    double = build_medoid(linear(), planted(), ITEMS, FitConfig(source="medoid", personas=K, dim=4))
    double.double().temperature.fill_(1.5)
    history = torch.tensor([0, 3, 1, 5])
    masks = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]).bool()
    together = double(history, masks).scores
    alone = torch.cat([double(history, mask[None]).scores for mask in masks])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)
    shorter = double(history[[0, 2]], torch.ones(1, 2, dtype=torch.bool)).scores
    torch.testing.assert_close(together[1:2], shorter, rtol=0, atol=1e-12)


def test_nothing_known_leaves_popularity(model: MedoidPersonas) -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    run = model(nothing, everything(nothing))
    assert torch.equal(run.scores[0], model.bias)
    assert run.masses[0].tolist() == pytest.approx([1 / K] * K)


def test_no_past_item_has_an_exact_part(model: MedoidPersonas) -> None:
    history = torch.tensor([0, 3])
    run = model(history, everything(history))
    assert model.contributions(history, run.shares[0, :, 1], 1) is None
    assert not model.composed


def test_fewer_users_than_clusters_leave_the_rest_empty() -> None:
    config = FitConfig(source="medoid", personas=K, dim=4)
    one = build_medoid(linear(), [planted()[0]], ITEMS, config)
    assert all(value.isfinite().all() for value in one.state_dict().values())
    assert held_out_ranks(one, [planted()[0]], [3], 9).shape == (1,)
