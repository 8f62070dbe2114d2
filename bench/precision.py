"""Take scores apart in float32, and see how far their parts sum from them.

Answers are computed in float64 from weights that are stored in float32. Here the whole pass is in
float32, as on a machine that serves it so: the score comes from a pass over all items, the parts
from a pass of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch

from whythis.bench.case import Case
from whythis.recsys.recommender import Recommender

LARGEST = "float32 sum - score, largest"


class Gap(NamedTuple):
    """Hold a score and the largest distance to it of a sum of its parts, all in float32."""

    score: float
    gap: float


@torch.no_grad()
def gaps(rec: Recommender, cases: Sequence[Case]) -> list[Gap]:
    """Return the gap of each case: over personas and, where its score is one, a sum over events."""
    model = copy.deepcopy(rec.model).float()
    found = []
    for case in cases:
        read, item = torch.from_numpy(rec.history(case.user)), torch.tensor([case.target])
        mask = torch.ones(1, len(read), dtype=torch.bool)
        score = model(read, mask).scores[0, case.target]
        assert score.dtype == torch.float32
        alone, bias = model(read, mask, None, item), model.bias[case.target]
        shares, matches = alone.shares[0, :, 0], alone.matches[0, :, 0]
        sums = [(shares * matches).sum() + bias]
        events = model.contributions(read, shares, case.target)
        if events is not None:
            sums.append(events.sum() + bias)
        found.append(Gap(float(score), max(abs(float(s) - float(score)) for s in sums)))
    return found


def figures(found: Sequence[Gap]) -> dict[str, float]:
    """Return the largest gap, absolute and relative to the score, and the range of the scores."""
    return {
        LARGEST: max(gap for _, gap in found),
        "float32 sum - score, relative": max(gap / abs(score) for score, gap in found),
        "float32 score, least": min(score for score, _ in found),
        "float32 score, largest": max(score for score, _ in found),
    }
