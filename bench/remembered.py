"""Rank items by what a memory of the user holds: a summary, single events, or both.

Nothing but the memory is used: the summary's typical items and aspects, or the items of events,
each known by its embedding alone. What the recommender adds to that, its item-item weights and
popularity, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from whythis.bench.ranking import Floats
from whythis.recsys.kernels import Indices
from whythis.recsys.naming import MIN_MASS
from whythis.recsys.recommender import Recommender


@dataclass(frozen=True, eq=False)
class Remembered:
    """Score all items for each of several histories (B, item indices, oldest first): B x n.

    `aspects`: per user row, the aspects of the user's own reviews as unit vectors (B x A), and
    those of each item's reviews (n x A); None where there are no reviews.
    """

    rec: Recommender
    histories: Sequence[Indices]
    aspects: tuple[Floats, Floats] | None = None

    @cached_property
    def items(self) -> Floats:
        """Return the embedding of every item at unit length, n x d; zeros where it has none."""
        vectors = self.rec.model.candidate_side.detach().numpy()
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(norms > 0, norms, 1.0))

    def tastes(self, typical: int) -> Floats:
        """Score by persona cards: the mean cosine to a card's `typical` heaviest items, by weight.

        Cards count by their masses.
        """
        return np.stack([self._cards(history, typical) for history in self.histories])

    def summary(self, typical: int, weight: float = 1.0) -> Floats:
        """Score by the whole summary: tastes and, where there are reviews, `weight` of aspects.

        Aspects: the cosine of those that the user's reviews judge with those the item's do. Both
        parts are standardised first.
        """
        tastes = self.tastes(typical)
        if self.aspects is None:
            return tastes
        own, of_items = self.aspects
        return self.both(tastes, own @ of_items.T, weight)

    def recent(self, n: int) -> Floats:
        """Score by the mean cosine to the last `n` items."""
        return np.stack([self.items[h[-n:]].mean(0) @ self.items.T for h in self.histories])

    def similar(self, n: int) -> Floats:
        """Score by the mean cosine to the `n` past items that are most similar to the candidate."""
        rows = []
        for history in self.histories:
            near = self.items[history] @ self.items.T  # T, n
            rows.append(np.sort(near, axis=0)[-n:].mean(0))
        return np.stack(rows)

    def both(self, first: Floats, second: Floats, weight: float = 1.0) -> Floats:
        """Return first + `weight` second, each standardised over the items outside the history."""
        return self._standardised(first) + weight * self._standardised(second)

    def _cards(self, history: Indices, typical: int) -> Floats:
        read = history[-self.rec.window :]
        runs = self.rec.mixture(read, items=np.zeros(0, dtype=np.int64))
        masses, weights = runs.masses[0].numpy(), runs.weights[0].numpy()
        scores = np.zeros(len(self.items))
        for persona in np.flatnonzero(masses >= MIN_MASS):
            heaviest = np.argsort(-weights[:, persona], kind="stable")[:typical]
            held = weights[heaviest, persona]
            if held.sum() > 0:
                taste = (held / held.sum()) @ self.items[read[heaviest]]
                scores += masses[persona] * (taste @ self.items.T)
        return scores

    def _standardised(self, scores: Floats) -> Floats:
        found = np.empty_like(scores)
        for row, history in enumerate(self.histories):
            others = np.delete(scores[row], history)
            spread = others.std()
            found[row] = (scores[row] - others.mean()) / (spread if spread > 0 else 1.0)
        return found


def profiles(counts: Sequence[Mapping[str, int]], weight: Mapping[str, float]) -> Floats:
    """Return counts of aspects as unit vectors, rows x aspects; zeros where none is counted."""
    place = {aspect: n for n, aspect in enumerate(weight)}
    rows = np.zeros((len(counts), len(place)))
    for row, told in zip(rows, counts, strict=True):
        for aspect, count in told.items():
            row[place[aspect]] = count * weight[aspect]
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))
