"""Run the artefact for the claims of one answer, each run once however many claims ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np

from whythis.recsys import effects
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.naming import PersonaCard, persona_cards
from whythis.recsys.refits import PersonalEffect
from whythis.recsys.scorer import Floats, Masks, Place, Scorer
from whythis.tools.aspects import AspectCount, item_aspects
from whythis.tools.ladder import personal_effect
from whythis.tools.workspace import Workspace

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Execution:
    """Execute on a workspace what claims speak of, and keep each result while the claims are held.

    Whatever is returned comes from the artefact; nothing that a claim or its evidence says is ever
    put in. Make a new one for each answer.
    """

    ws: Workspace
    _done: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False)

    @property
    def rec(self) -> Scorer:
        """Return the recommender."""
        return self.ws.recommender

    def cards(self, user: str) -> tuple[PersonaCard, ...]:
        """Return the user's named personas, each with all items of its history."""
        return self._once(
            ("cards", user),
            lambda: persona_cards(self.ws.owned(), user, shown=len(self.rec.history(user))),
        )

    def decomposition(self, user: str, item: str) -> effects.Decomposition:
        """Return the score taken apart, every persona deleted once."""
        return self._once(
            ("decomposition", user, item), lambda: effects.decompose(self.ws.owned(), user, item)
        )

    def contributions(self, user: str, item: str) -> Floats:
        """Return what each past item adds to the score, summed over personas: T, oldest first.

        Raises `ModelError` where the score is no sum over past items.
        """
        parts = self.decomposition(user, item).contributions
        if parts is None:
            raise ModelError("this model's scores are no sum over past items")
        return np.asarray(parts.sum(1))

    def place(self, user: str, item: str) -> Place:
        """Return where the item stands among the items the user has not seen."""
        try:
            return self.reruns(user, item).before
        except ModelError:  # beyond the recommender's list
            return self._once(("place", user, item), lambda: self.rec.place(user, item))

    def bare(self, user: str, item: str) -> Place:
        """Return where the item stands with the user's whole history removed."""
        return self._once(
            ("bare", user, item), lambda: effects.without_history(self.rec, user, item)
        )

    def personal_effect(self, user: str, item: str) -> PersonalEffect | None:
        """Return what the user's past does over the models fitted again; None where it cannot."""
        return self._once(
            ("personal effect", user, item), lambda: personal_effect(self.ws, user, item)
        )

    def reruns(self, user: str, item: str) -> effects.Reruns:
        """Return what scores the item again; raise `ModelError` where no rank of it is shown."""
        return self._once(("reruns", user, item), lambda: effects.reruns(self.rec, user, item))

    def without(self, user: str, item: str, gone: Sequence[str]) -> Place:
        """Return where the item stands as if the user had never liked the items in `gone`."""
        runs, mask = self.reruns(user, item), self.marked(user, item, gone)
        return self._once(
            ("without", user, item, mask.tobytes()), lambda: runs.without(mask[None])[0]
        )

    def marked(self, user: str, item: str, items: Sequence[str]) -> Masks:
        """Return which events of the history are these items, T.

        Raises `DataError` where one is not in the history, or stands in `items` twice.
        """
        history = self.reruns(user, item).history
        mask = np.zeros(len(history), dtype=bool)
        for past in items:
            found = history == self.rec.item_ids.index(past)
            if not found.any():
                raise DataError(
                    f"item {past!r} ({self.rec.title(past)}) is not among the {len(history)} "
                    f"liked items that user {user!r}'s scores rest on"
                )
            if mask[found].any():
                raise DataError(f"it names item {past!r} twice")
            mask |= found
        return mask

    def item_aspects(self, user: str, item: str) -> Mapping[str, AspectCount]:
        """Return what the item's reviews judge."""
        return self._once(("aspects", user, item), lambda: item_aspects(self.ws, user, item))

    def texts(self, user: str, item: str) -> Mapping[str, str]:
        """Return the sentences that may be evidence for the pair, and the user's own, by id."""
        both = self.ws.item_sentences, self.ws.own_sentences
        return self._once(
            ("texts", user, item), lambda: {s.id: s.text for of in both for s in of(user, item)}
        )

    def _once(self, key: tuple[object, ...], run: Callable[[], _T]) -> _T:
        if key not in self._done:
            self._done[key] = run()
        return cast(_T, self._done[key])
