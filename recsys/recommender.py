"""Recommend from a fitted persona model, whose every part can be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from whythis.recsys.config import FitConfig
from whythis.recsys.model import Mixture, PersonaModel
from whythis.recsys.scorer import Access, Floats, Indices, Masks, Scorer
from whythis.recsys.training import padded

_DECIMALS = 9
_CELLS = 1 << 20  # numbers a layer may hold when histories are scored together: 8 MB, near a cache


@dataclass(frozen=True, eq=False)
class Recommender(Scorer):
    """Answer from frozen parts: a model in float64, the items, and everyone's interactions."""

    config: FitConfig
    model: PersonaModel
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def access(self) -> Access:
        """Return "owned": every weight is known."""
        return "owned"

    @property
    def window(self) -> int:
        """Return the window that the model was trained with."""
        return self.config.window

    @torch.no_grad()
    def mixture(
        self, history: Indices, masks: Masks | None = None, keep: Masks | None = None
    ) -> Mixture:
        """Score every item for one history under several masks or personas, in one pass.

        `masks`: B x T, which events count (default: all); `keep`: B x K, which personas take part
        (default: all). Returns tensors with leading dimension B (1 where neither is given), in
        float64; an empty history is one event that does not count.
        """
        items, mask = padded([history], max(1, len(history)))
        if masks is not None and len(history):
            mask = torch.from_numpy(masks)
        given = masks if masks is not None else keep
        rows = 1 if given is None else len(given)
        chosen = None if keep is None else torch.from_numpy(keep)
        result: Mixture = self.model(items.expand(rows, -1), mask.expand(rows, -1), chosen)
        # Rounded: equal items must tie in every pass, whatever the order of this machine's sums.
        return result._replace(scores=result.scores.round(decimals=_DECIMALS))

    def rescored(self, liked: Indices, masks: Masks) -> Iterator[Floats]:
        """Yield the scores of all items for each mask by masked passes of the model."""
        dim = self.model.candidate_side.shape[1]
        rows = max(1, _CELLS // (self.model.k * len(self.item_ids) + dim * len(liked)))
        for start in range(0, len(masks), rows):
            found = self.mixture(liked, masks[start : start + rows]).scores.numpy()
            yield from np.asarray(found, dtype=np.float64)
