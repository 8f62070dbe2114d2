"""Define what every recommender can do here: score a history, and any part of it again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from whythis.recsys.errors import DataError
from whythis.recsys.metrics import rank_of
from whythis.recsys.titles import short_titles
from whythis.recsys.vocabulary import Vocabulary

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

Access = Literal["owned", "scores", "top_n"]
"""What a recommender shows of itself: its weights, a score for every item, or its best n only."""


@dataclass(frozen=True)
class Recommendation:
    """Hold one line of a ranking: rank 1 is best; the score is NaN where none is shown."""

    item: str
    title: str
    rank: int
    score: float


class Place(NamedTuple):
    """Hold where an item stands among the items not seen; rank 1 is best.

    `score` is NaN where none is shown. `beyond`: the recommender's list ended before the item, and
    `rank` is only the best that it can be. `ties`: how many items have the same score and stand
    behind it for no better reason than their index.
    """

    rank: int
    score: float
    beyond: bool = False
    ties: int = 0


class Ratings(NamedTuple):
    """Hold the sum and the number of each item's ratings, n each, and the ends of the scale.

    `lowest`, `highest`: of all ratings in the data; None where there are none.
    """

    sums: Floats
    counts: Indices
    lowest: float | None
    highest: float | None


@dataclass(frozen=True, eq=False)
class Scorer(ABC):
    """Answer from the items, everyone's interactions, and scores for any part of a history.

    The **history** of a user is the liked items, oldest first, the most recent `window` of them;
    what the user **has seen** is every item with an interaction, liked or not. Candidates are the
    items not seen, so an explained item is never in the history it is explained by.

    items, interactions, like: as in `whythis.recsys.interactions.Dataset`. hashes: "model" and
    "data", by which findings name their source. withheld: of users whose data were edited
    (`whythis.recsys.editing`), the items that are never recommended to them though no interaction
    stands behind it; a user named here stands in the data even without an interaction.
    """

    items: pd.DataFrame
    interactions: pd.DataFrame
    like: float | None
    hashes: Mapping[str, str]
    withheld: Mapping[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)

    @property
    @abstractmethod
    def access(self) -> Access:
        """Return what this recommender shows of itself."""

    @property
    @abstractmethod
    def window(self) -> int:
        """Return how many of the most recent liked items the scores rest on, at most."""

    @property
    def depth(self) -> int | None:
        """Return how many items a ranking shows at most; None: all of them."""
        return None

    @property
    def refits(self) -> bool:
        """Return whether an edited history is scored by fitting the user again."""
        return False

    @abstractmethod
    def rescored(self, liked: Indices, masks: Masks) -> Iterator[Floats]:
        """Yield the scores of all items (n) for each row of `masks`, few of them held at once.

        `liked`: T items, oldest first; `masks`: B x T, true where an event counts. An event that
        does not count is as if it had never been.
        """

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
        """Return the users with at least one interaction, and those whose data were edited."""
        return Vocabulary("user", tuple(sorted({*self._by_whom[1], *self.withheld})))

    @cached_property
    def rows(self) -> Indices:
        """Return the item of each interaction, as an index."""
        return self.item_ids.indices(self.interactions["item"].tolist())

    @cached_property
    def likes(self) -> Indices:
        """Return how many users liked each item: n counts."""
        return np.bincount(self.rows[self._positive], minlength=len(self.items))

    @cached_property
    def likes_matrix(self) -> sparse.csr_matrix:
        """Return who liked what: 1 where the user (in the order of `user_ids`) liked the item."""
        order = self.user_ids.indices(self._by_whom[1])
        users = order[self._by_whom[0][self._positive]]
        items = self.rows[self._positive]
        shape = (len(self.user_ids), len(self.items))
        matrix = sparse.csr_matrix((np.ones(len(users), dtype=np.int64), (users, items)), shape)
        matrix.data[:] = 1  # an item liked at several times is one liked item
        return matrix

    @cached_property
    def _likers(self) -> sparse.csc_matrix:
        return self.likes_matrix.tocsc()

    def liked_by(self, item: int) -> Masks:
        """Return which users, in the order of `user_ids`, liked the item with this index."""
        found = np.zeros(len(self.user_ids), dtype=bool)
        starts = self._likers.indptr
        found[self._likers.indices[starts[item] : starts[item + 1]]] = True
        return found

    @cached_property
    def ratings(self) -> Ratings:
        """Return the ratings of each item, added up and counted, and the scale people used."""
        given = self.interactions["rating"].to_numpy()
        rated = ~np.isnan(given)
        rows, given, n = self.rows[rated], given[rated], len(self.items)
        return Ratings(
            sums=np.bincount(rows, weights=given, minlength=n).astype(np.float64),
            counts=np.bincount(rows, minlength=n),
            lowest=float(given.min()) if len(given) else None,
            highest=float(given.max()) if len(given) else None,
        )

    @cached_property
    def _positive(self) -> Masks:
        ratings = self.interactions["rating"].to_numpy()
        return np.ones(len(ratings), dtype=bool) if self.like is None else ratings >= self.like

    @cached_property
    def _by_whom(self) -> tuple[Indices, list[str]]:
        codes, users = pd.factorize(self.interactions["user"])
        return np.asarray(codes, dtype=np.int64), [str(user) for user in users]

    @cached_property
    def _seen(self) -> dict[str, Indices]:
        return self._by_user(np.ones(len(self.interactions), dtype=bool))

    @cached_property
    def _liked(self) -> dict[str, Indices]:
        return self._by_user(self._positive)

    def _by_user(self, chosen: Masks) -> dict[str, Indices]:
        codes, users = self._by_whom
        items, codes = self.rows[chosen], codes[chosen]
        ends = np.bincount(codes, minlength=len(users)).cumsum()
        parts = np.split(items[np.argsort(codes, kind="stable")], ends[:-1])
        return {user: part for user, part in zip(users, parts, strict=True) if len(part)}

    @cached_property
    def _short(self) -> list[str]:
        return short_titles(self.items["title"].tolist(), self.titles)

    def short_title(self, item: str) -> str:
        """Return the title as said in a sentence: cut, and bare of the year where that is clear."""
        return self._short[self.item_ids.index(item)]

    def title(self, item: str) -> str:
        """Return the title of an item as shown to people."""
        return self.titles[self.item_ids.index(item)]

    def liked(self, user: str) -> Indices:
        """Return every item the user liked, oldest first."""
        self.user_ids.index(user)
        return self._liked.get(user, np.zeros(0, dtype=np.int64))

    def history(self, user: str) -> Indices:
        """Return the user's liked items, oldest first, at most `window`; T indices."""
        return self.liked(user)[-self.window :]

    def seen(self, user: str) -> Indices:
        """Return every item the user has interacted with, and those withheld from the user."""
        self.user_ids.index(user)
        seen = self._seen.get(user, np.zeros(0, dtype=np.int64))
        kept = self.withheld.get(user, ())
        return np.union1d(seen, self.item_ids.indices(kept)) if kept else seen

    def unseen(self, user: str) -> int:
        """Return how many items the user has not interacted with."""
        return len(self.item_ids) - len(set(self.seen(user).tolist()))

    def scores(self, history: Indices) -> Floats:
        """Return the score of every item for a history: n floats, more is better."""
        return next(iter(self.rescored(history, np.ones((1, len(history)), dtype=bool))))

    def candidate(self, user: str, item: str) -> int:
        """Return the index of an item the user could be recommended.

        Raises `UnknownIdError` for unknown ids and `DataError` where the user has seen the item.
        """
        index = self.item_ids.index(item)
        if item in self.withheld.get(user, ()):
            raise DataError(
                f"item {item!r} ({self.title(item)}) was rejected by user {user!r}: it is never "
                "recommended; `whythis memory` shows the correction and takes it back"
            )
        if index in self.seen(user):
            raise DataError(
                f"item {item!r} ({self.title(item)}) was already seen by user {user!r}: only "
                "unseen items are ranked; `whythis recommend` lists some"
            )
        return index

    def place_in(self, scores: Floats, target: int, hidden: Indices) -> Place:
        """Return where an item stands by these scores among all items not in `hidden`."""
        mine = scores[target]
        equal = scores[target + 1 :] == mine
        equal[hidden[hidden > target] - target - 1] = False
        return Place(rank_of(scores, target, hidden), float(mine), ties=int(equal.sum()))

    def places(self, liked: Indices, masks: Masks, target: int, hidden: Indices) -> Sequence[Place]:
        """Return where an item stands, as `place_in`, for each row of masks; see `rescored`."""
        return [self.place_in(scores, target, hidden) for scores in self.rescored(liked, masks)]

    def place(self, user: str, item: str) -> Place:
        """Return where an unseen item stands for a user."""
        target = self.candidate(user, item)
        return self.place_in(self.scores(self.history(user)), target, self.seen(user))

    def rank(self, user: str, item: str) -> int:
        """Return the rank of an unseen item for a user, 1 = best; see `Place` for a short list."""
        return self.place(user, item).rank

    def recommend(self, user: str, n: int = 10) -> Sequence[Recommendation]:
        """Return the `n` best unseen items with their exact scores, best first; ties by index."""
        if n < 1:
            raise DataError(f"n is {n}: ask for at least 1 recommendation")
        scores = self.scores(self.history(user)).copy()
        scores[self.seen(user)] = -np.inf
        order = _best(scores, n)
        shown = scores if self.access != "top_n" else np.full_like(scores, np.nan)
        return [
            Recommendation(self.item_ids.ids[i], self.titles[i], rank, float(shown[i]))
            for rank, i in enumerate(order, 1)
            if np.isfinite(scores[i])
        ]


def _best(scores: Floats, n: int) -> Indices:
    """Return the places of the `n` largest, best first; ties by index, NaN last."""
    falling = -scores
    edge = np.partition(falling, min(n, len(falling)) - 1)[min(n, len(falling)) - 1]
    ahead = np.flatnonzero(~(falling > edge))  # with all that tie with the last
    return np.asarray(ahead[np.lexsort((ahead, falling[ahead]))][:n], dtype=np.int64)
