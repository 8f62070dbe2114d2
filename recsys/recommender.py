"""Recommend from a fitted persona model, whose every part can be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from whythis.recsys.bounds import Bounds, bounds
from whythis.recsys.config import FitConfig
from whythis.recsys.kept import Kept
from whythis.recsys.metrics import ranks_of
from whythis.recsys.model import Mixture, PersonaModel
from whythis.recsys.scorer import Access, Floats, Indices, Masks, Place, Scorer

if TYPE_CHECKING:
    from whythis.recsys.naming import PersonaCard

_DECIMALS = 9
_CELLS = 1 << 20  # numbers a layer may hold when histories are scored together: 8 MB, near a cache
_KEPT = 1 << 24  # scores that are held: 128 MB
_FEW = 6  # histories that are scored sooner than bounded
_GONE = 8  # events without which bounds still say much
_GROUP, _GROUPS = 1 << 12, 8  # scores that are worth a pass of their own; such passes at most
_MARGIN = 1e-6  # of a score's bound, far more than sums in another order differ by
_NAMED = 1 << 18  # past items of named personas: some 30 MB


def _sizes(cards: tuple[PersonaCard, ...]) -> int:
    return sum(len(card.items) for card in cards)


@dataclass(frozen=True, eq=False)
class Recommender(Scorer):
    """Answer from frozen parts: a model in float64, the items, and everyone's interactions.

    names: the names that users gave to their personas, by user and persona. named: the personas of
    users, held by `whythis.recsys.naming`.
    """

    config: FitConfig
    model: PersonaModel
    figures: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict, kw_only=True)
    named: Kept[tuple[PersonaCard, ...]] = field(
        default_factory=lambda: Kept(_NAMED, _sizes),
        init=False,
        repr=False,
    )
    _bounds: Kept[Bounds | None] = field(
        default_factory=lambda: Kept(_KEPT >> 1, lambda found: found.size if found else 1),
        init=False,
        repr=False,
    )
    _scores: Kept[Floats] = field(
        default_factory=lambda: Kept(_KEPT, lambda scores: scores.size), init=False, repr=False
    )

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

    def forget(self) -> None:
        """Let go of what is held of users and items; it is made again when it is asked for."""
        for held in (self.named, self._bounds, self._scores):
            held.clear()

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

    def scores(self, history: Indices) -> Floats:
        """Return the score of every item for a history: n floats, not to be written to."""
        mask = np.ones((1, len(history)), dtype=bool)
        return self._scores.get(
            history.tobytes(), lambda: _sealed(next(self._passes(history, mask, None)))
        )

    def without_personas(self, history: Indices) -> Floats:
        """Return the score of every item with each persona deleted: K x n, not to be written to.

        The attention of those left is renormalised.
        """
        keep = ~np.eye(self.model.k, dtype=bool)
        return self._scores.get(
            (history.tobytes(), "deleted"),
            lambda: _sealed(np.array(list(self._passes(history, None, keep)))),
        )

    def places(self, liked: Indices, masks: Masks, target: int, hidden: Indices) -> Sequence[Place]:
        """See `Scorer.places`; many masks are scored for those items only that bounds leave open.

        What is returned is the same.
        """
        if masks.shape[1] and masks.sum(1).max(initial=0) == 1:  # the same for many users
            alone = (self.scores(liked[mask]) for mask in masks)
            return [self.place_in(scores, target, hidden) for scores in alone]
        bounded = self._bounded(liked, masks, target, hidden)
        if bounded is None:
            return super().places(liked, masks, target, hidden)
        above, unclear = bounded
        order = np.argsort(unclear.sum(1), kind="stable")  # those that leave few items open first
        groups = int(np.clip(unclear.any(0).sum() * len(masks) // _GROUP, 1, _GROUPS))
        found: dict[int, Place] = {}
        for rows in filter(len, np.array_split(order, groups)):
            items = np.flatnonzero(unclear[rows].any(0))
            ahead = above[rows].sum(1) - above[np.ix_(rows, items)].sum(1)
            scores = self.mixture(liked, masks[rows], items=items).scores.numpy()
            at = int(np.searchsorted(items, target))
            ranks = ahead + ranks_of(scores, np.full(len(rows), at), ())
            ties = (scores[:, at + 1 :] == scores[:, [at]]).sum(1)
            places = zip(ranks.tolist(), scores[:, at].tolist(), ties.tolist(), strict=True)
            found |= {
                row: Place(rank, score, ties=tied)
                for row, (rank, score, tied) in zip(rows.tolist(), places, strict=True)
            }
        return [found[row] for row in range(len(masks))]

    def _bounded(
        self, liked: Indices, masks: Masks, target: int, hidden: Indices
    ) -> tuple[Masks, Masks] | None:
        """Return which items, not hidden, stand above the target for sure, and which may: B x n.

        The target itself may. None where there are no bounds, or scoring is as fast.
        """
        if len(masks) <= _FEW or (~masks).sum(1).max() > _GONE:
            return None
        around = self._bounds.get(liked.tobytes(), lambda: bounds(self.model, liked))
        if around is None:
            return None
        above = np.zeros((len(masks), len(self.items)), dtype=bool)
        unclear = np.zeros_like(above)
        some = max(1, _CELLS // 16 // len(self.items))
        for part in (slice(at, at + some) for at in range(0, len(masks), some)):
            low, high = around.of(masks[part])
            above[part] = low > high[:, [target]] + _MARGIN
            unclear[part] = ~(above[part] | (high < low[:, [target]] - _MARGIN))
        above[:, hidden] = unclear[:, hidden] = False
        unclear[:, target] = True
        return above, unclear

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


def _sealed(scores: Floats) -> Floats:
    scores.flags.writeable = False
    return scores
