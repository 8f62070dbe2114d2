"""Recommend from a fitted persona model, whose every part can be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from whythis.recsys.config import FitConfig
from whythis.recsys.model import Mixture, PersonaModel
from whythis.recsys.scorer import Access, Floats, Indices, Masks, Scorer

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
        self,
        history: Indices,
        masks: Masks | None = None,
        keep: Masks | None = None,
        items: Indices | None = None,
    ) -> Mixture:
        """Score items for one history under several masks or personas, in one pass.

        `masks`: B x T, which events count (default: all); `keep`: B x K, which personas take part
        (default: all); `items`: m candidates (default: all n). Returns tensors in float64 with
        leading dimension B, or 1 where it does not matter (see `PersonaModel.forward`).
        """
        mask = np.ones((1, len(history)), dtype=bool) if masks is None else masks
        result: Mixture = self.model(
            torch.from_numpy(history),
            torch.from_numpy(mask),
            None if keep is None else torch.from_numpy(keep),
            None if items is None else torch.from_numpy(items),
        )
        # Rounded: equal items must tie in every pass, whatever the order of this machine's sums.
        return result._replace(scores=result.scores.round(decimals=_DECIMALS))

    def rescored(self, liked: Indices, masks: Masks) -> Iterator[Floats]:
        """Yield the scores of all items for each mask by masked passes of the model."""
        dim = self.model.candidate_side.shape[1]
        rows = max(1, _CELLS // (self.model.k * len(self.item_ids) + dim * len(liked)))
        for start in range(0, len(masks), rows):
            found = self.mixture(liked, masks[start : start + rows]).scores.numpy()
            yield from np.asarray(found, dtype=np.float64)
