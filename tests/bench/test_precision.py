"""The sum of a score's parts in float32: small for a sound model, large for one that is not."""

from __future__ import annotations

import pytest
import torch

from tests.recsys.small import random_model, recommender, small_dataset
from whythis.bench.explained import case_of
from whythis.bench.precision import LARGEST, Gap, figures, gaps
from whythis.recsys.composed import HistoryPersonas


class _Partial(HistoryPersonas):
    """A model that leaves a little out of what it tells of an event."""

    def contributions(self, history: torch.Tensor, shares: torch.Tensor, item: int) -> torch.Tensor:
        return super().contributions(history, shares, item) - 1e-3


def test_parts_sum_to_the_score_in_single_precision_and_no_better() -> None:
    rec = recommender(small_dataset(), random_model(40, 6, 3, 4))
    cases = [case_of(rec, user) for user in rec.user_ids.ids if len(rec.liked(user))]
    found = gaps(rec, cases)
    scores = [rec.scores(rec.history(case.user))[case.target] for case in cases]
    assert [gap.score for gap in found] == pytest.approx(scores, abs=1e-4)
    assert max(gap.gap for gap in found) < 1e-5
    assert max(gap.gap for gap in found) > 1e-9  # of float64 it would be smaller
    assert rec.model.bias.dtype == torch.float64  # the recommender's own model is left as it is


def test_a_model_that_leaves_something_out_is_seen() -> None:
    sound = random_model(40, 6, 3, 4)
    other = _Partial(40, 3, 6, sound.together.shape[1], "cosine").double()
    other.load_state_dict(sound.state_dict())
    rec = recommender(small_dataset(), other)
    case = case_of(rec, "u00")
    missing = 3e-3 * len(case.history)
    assert gaps(rec, [case])[0].gap == pytest.approx(missing, rel=1e-2)


def test_the_largest_gaps_are_told() -> None:
    told = figures([Gap(-2.0, 1e-6), Gap(8.0, 2e-6)])
    assert told == {
        LARGEST: 2e-6,
        "float32 sum - score, relative": 5e-7,
        "float32 score, least": -2.0,
        "float32 score, largest": 8.0,
    }
