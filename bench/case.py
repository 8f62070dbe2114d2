"""Put one recommendation before an explainer: a history, an item, and what a model scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whythis.recsys.metrics import rank_of

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Case:
    """Hold what every explainer is given, whatever the model behind `scores`.

    `history`: T item indices, oldest first; `hidden`: indices of items that are not ranked (all
    that the user has seen); `scores`: B x T masks (true: the event counts) to B x n scores.
    """

    user: str
    target: int
    history: Indices
    hidden: Indices
    scores: Callable[[Masks], Floats]

    def target_scores(self, masks: Masks) -> Floats:
        """Return the target's score for each mask: B floats."""
        return self.scores(masks)[:, self.target]

    def ranks(self, masks: Masks) -> Indices:
        """Return the target's rank for each mask, 1 = best: B integers."""
        rows = self.scores(masks)
        return np.asarray([rank_of(row, self.target, self.hidden) for row in rows], dtype=np.int64)


Explainer = Callable[[Case], Floats]
"""Weigh each event of the history by how much it speaks for the target: T floats, more is more."""
