"""Bounds hold what is scored, and places found by them are those of scoring every item."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.recsys import recommender as recommending
from whythis.recsys.bounds import bounds
from whythis.recsys.config import Attention
from whythis.recsys.scorer import Scorer

from .small import NOBODY, random_model, recommender, small_dataset

DATA = small_dataset()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 4),
    user=st.sampled_from(["u00", "u07", "u22"]),
    tau=st.sampled_from([0.0, 0.5, 4.0, -1.0]),
    forgetting=st.sampled_from([0.0, 0.03, 0.7]),
    reach=st.sampled_from([0.3, 1.0, 5.0]),
    attention=st.sampled_from(["cosine", "none"]),
)
def test_scores_lie_within_their_bounds_and_places_are_the_same(
    seed: int,
    k: int,
    user: str,
    tau: float,
    forgetting: float,
    reach: float,
    attention: Attention,
) -> None:
    model = random_model(40, 4, k, seed, attention)
    numbers = {"temperature": tau, "forgetting": forgetting, "reach": reach}
    model.load_state_dict(
        model.state_dict() | {name: torch.tensor(value) for name, value in numbers.items()}
    )
    rec = recommender(DATA, model)
    liked = rec.liked(user)
    rng = np.random.default_rng(seed)
    masks = rng.random((20, len(liked))) > rng.random((20, 1))
    masks[0], masks[1] = True, False
    around = bounds(rec.model, liked)
    assert around is not None
    low, high = around.of(masks)
    scores = np.array(list(rec.rescored(liked, masks)))
    assert not (scores < low - 1e-8).any()
    assert not (scores > high + 1e-8).any()
    target, hidden = rec.item_ids.index(rec.recommend(user, 20)[seed % 20].item), rec.seen(user)
    few = masks[(~masks).sum(1) < 9]
    for some in (masks, few, np.vstack([few, few])):
        places = Scorer.places(rec, liked, some, target, hidden)
        assert rec.places(liked, some, target, hidden) == places


def test_bounds_leave_few_items_open(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(40, 4, 3, 1)
    model.temperature.fill_(0.1)
    rec = recommender(DATA, model)
    user, liked = "u00", rec.liked("u00")
    target, hidden = rec.item_ids.index(rec.recommend(user, 1)[0].item), rec.seen(user)
    scored = []
    mixture = type(rec).mixture

    def counted(*args, **named):  # type: ignore[no-untyped-def]
        scored.append(len(named["items"]))
        return mixture(*args, **named)

    monkeypatch.setattr(recommending.Recommender, "mixture", counted)
    rec.places(liked, ~np.eye(len(liked), dtype=bool), target, hidden)
    assert len(scored) == 1
    assert scored[0] < 40 - len(hidden)


def test_what_cannot_be_bounded_is_told() -> None:
    rec = recommender(DATA, random_model(40, 4, 3, 0, "dot"))
    assert bounds(rec.model, rec.liked("u00")) is None
    cosine = recommender(DATA, random_model(40, 4, 3, 0))
    assert bounds(cosine.model, cosine.liked(NOBODY)) is None
