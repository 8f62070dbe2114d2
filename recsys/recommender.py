"""Recommend from a fitted persona model, and take any score apart exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from whythis.recsys.config import FitConfig
from whythis.recsys.errors import DataError
from whythis.recsys.metrics import rank_of
from whythis.recsys.model import Mixture, PersonaModel
from whythis.recsys.training import padded
from whythis.recsys.vocabulary import Vocabulary

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_DECIMALS = 9


@dataclass(frozen=True)
class Recommendation:
    """Hold one line of a ranking: rank 1 is best."""

    item: str
    title: str
    rank: int
    score: float


@dataclass(frozen=True, eq=False)
class Recommender:
    """Answer from frozen parts: a model in float64, the items, and everyone's interactions.

    The **history** of a user is the liked items, oldest first, the most recent `window` of them;
    what the user **has seen** is every item with an interaction, liked or not. Candidates are the
    items not seen, so an explained item is never in the history it is explained by.
    """

    config: FitConfig
    model: PersonaModel
    items: pd.DataFrame
    interactions: pd.DataFrame
    like: float | None
    hashes: Mapping[str, str]
    figures: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def item_ids(self) -> Vocabulary:
        """Return the items; labels are titles with the year, as shown to people."""
        return Vocabulary("item", tuple(self.items["item"]), tuple(self.titles))

    @cached_property
    def titles(self) -> list[str]:
        """Return each item's title, with its year where known."""
        years = self.items["year"]
        return [
            t if np.isnan(y) else f"{t} ({int(y)})"
            for t, y in zip(self.items["title"], years, strict=True)
        ]

    @cached_property
    def user_ids(self) -> Vocabulary:
        """Return the users with at least one interaction."""
        return Vocabulary("user", tuple(sorted(set(self.interactions["user"]))))

    @cached_property
    def _seen(self) -> dict[str, Indices]:
        return self._by_user(self.interactions)

    @cached_property
    def _liked(self) -> dict[str, Indices]:
        rows = self.interactions
        return self._by_user(rows if self.like is None else rows[rows["rating"] >= self.like])

    def _by_user(self, rows: pd.DataFrame) -> dict[str, Indices]:
        items = self.item_ids.indices(rows["item"])
        places = rows.groupby("user", sort=False).indices
        return {str(user): items[at] for user, at in places.items()}

    @cached_property
    def _short(self) -> list[str]:
        bare = self.items["title"]
        alone = ~bare.str.casefold().duplicated(keep=False)
        return [b if one else t for b, one, t in zip(bare, alone, self.titles, strict=True)]

    def short_title(self, item: str) -> str:
        """Return the title as said in a sentence: without the year unless another shares it."""
        return self._short[self.item_ids.index(item)]

    def title(self, item: str) -> str:
        """Return the title of an item as shown to people."""
        return self.titles[self.item_ids.index(item)]

    def liked(self, user: str) -> Indices:
        """Return every item the user liked, oldest first."""
        self.user_ids.index(user)
        return self._liked.get(user, np.zeros(0, dtype=np.int64))

    def history(self, user: str) -> Indices:
        """Return the user's liked items, oldest first, at most `config.window`; T indices."""
        return self.liked(user)[-self.config.window :]

    def seen(self, user: str) -> Indices:
        """Return every item the user has interacted with."""
        self.user_ids.index(user)
        return self._seen[user]

    @torch.no_grad()
    def mixture(
        self,
        history: Indices,
        masks: npt.NDArray[np.bool_] | None = None,
        keep: npt.NDArray[np.bool_] | None = None,
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

    def scores(self, history: Indices) -> Floats:
        """Return the score of every item for a history: n floats."""
        return np.asarray(self.mixture(history).scores[0].numpy(), dtype=np.float64)

    def candidate(self, user: str, item: str) -> int:
        """Return the index of an item the user could be recommended.

        Raises `UnknownIdError` for unknown ids and `DataError` where the user has seen the item.
        """
        index = self.item_ids.index(item)
        if index in self.seen(user):
            raise DataError(
                f"item {item!r} ({self.title(item)}) was already seen by user {user!r}: only "
                "unseen items are ranked; `whythis recommend` lists some"
            )
        return index

    def rank(self, user: str, item: str) -> int:
        """Return the rank of an unseen item for a user, 1 = best."""
        return rank_of(self.scores(self.history(user)), self.candidate(user, item), self.seen(user))

    def recommend(self, user: str, n: int = 10) -> Sequence[Recommendation]:
        """Return the `n` best unseen items with their exact scores, best first; ties by index."""
        if n < 1:
            raise DataError(f"n is {n}: ask for at least 1 recommendation")
        scores = self.scores(self.history(user))
        scores[self.seen(user)] = -np.inf
        order = np.lexsort((np.arange(len(scores)), -scores))[:n]
        return [
            Recommendation(self.item_ids.ids[i], self.titles[i], rank, float(scores[i]))
            for rank, i in enumerate(order, 1)
            if np.isfinite(scores[i])
        ]
