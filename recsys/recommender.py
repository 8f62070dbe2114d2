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
    """Answer from frozen parts: a model in float64, the items, and everyone's interactions.

    names: the names that users gave to their personas, by user and persona.
    """

    config: FitConfig
    model: PersonaModel
    figures: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict, kw_only=True)

    @property
    def access(self) -> Access:
        """Return "owned": every weight is known."""
        return "owned"

    @property
    def window(self) -> int:
        """Return the window that the model was trained with."""
        return self.config.window

    @property
    def refits(self) -> bool:
        """Return whether an edited history is scored by fitting the user again."""
        return self.model.refits

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
        yield from self._passes(liked, masks, None)

    def with_personas(self, liked: Indices, keep: Masks) -> Iterator[Floats]:
        """Yield the scores of all items for each row of `keep`, B x K: the personas taking part."""
        yield from self._passes(liked, None, keep)

    @torch.no_grad()
    def _passes(self, liked: Indices, masks: Masks | None, keep: Masks | None) -> Iterator[Floats]:
        given = masks if keep is None else keep
        assert given is not None
        reached = self.model.reached(torch.from_numpy(liked))
        items = None if reached is None else reached.numpy()
        width, dim = self.model.candidate_side.shape
        width = width if reached is None else len(reached)
        rows = max(1, _CELLS // max(1, self.model.k * width + dim * len(liked)))
        for start in range(0, len(given), rows):
            part = slice(start, start + rows)
            found = self.mixture(
                liked,
                None if masks is None else masks[part],
                None if keep is None else keep[part],
                items,
            ).scores
            scores = self.model.spread(found, reached).round(decimals=_DECIMALS)
            yield from np.asarray(scores.numpy(), dtype=np.float64)
