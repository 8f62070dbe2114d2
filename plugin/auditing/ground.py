"""Execute what is true of one recommendation, each fact once and only where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from whythis.claims.execution import Execution
from whythis.recsys import effects
from whythis.recsys.naming import PersonaCard
from whythis.recsys.scorer import Place
from whythis.tools.facts import ItemFacts, item_facts
from whythis.tools.probes import TOP, tones
from whythis.tools.reviews.store import Sentence
from whythis.tools.workspace import Workspace


@dataclass(frozen=True)
class Change:
    """Hold what taking a cause away does; `effect`: score with it minus score without.

    `after` is None where the recommender's list ends before the item; it is `beyond` then.
    """

    before: int
    after: int | None
    beyond: int
    effect: float


@dataclass(frozen=True, eq=False)
class Ground:
    """Ask the recommender about one user and one unseen item.

    Every property may raise what the recommender raises: `UnknownIdError` or `DataError` for an
    item that cannot be recommended, `MissingPartError` where the model or the reviews are not
    there.
    """

    ws: Workspace
    user: str
    item: str
    top: int = TOP

    @cached_property
    def place(self) -> Place:
        """Return where the item stands."""
        return self._run.place(self.user, self.item)

    @cached_property
    def unseen(self) -> int:
        """Return the number of items the user has not seen."""
        return self.ws.recommender.unseen(self.user)

    @cached_property
    def bare(self) -> Place:
        """Return where the item would stand with the whole history removed."""
        return self._run.bare(self.user, self.item)

    @cached_property
    def history(self) -> tuple[str, ...]:
        """Return the ids of the user's liked items that the scores rest on."""
        rec = self.ws.recommender
        return tuple(rec.item_ids.ids[i] for i in rec.history(self.user))

    @cached_property
    def cards(self) -> dict[int, PersonaCard]:
        """Return the user's tastes by persona, each with all its items."""
        return {card.persona: card for card in self._run.cards(self.user)}

    @cached_property
    def namesakes(self) -> dict[int, str]:
        """Return the past item that a taste is called after, by persona, where there is one."""
        rec = self.ws.recommender
        if rec.access != "owned":
            return {}
        titles = {name: i for i in self.history for name in (rec.title(i), rec.short_title(i))}
        return {p: titles[card.name] for p, card in self.cards.items() if card.name in titles}

    @cached_property
    def whole(self) -> effects.Decomposition:
        """Return the score taken apart."""
        return self._run.decomposition(self.user, self.item)

    @cached_property
    def facts(self) -> ItemFacts:
        """Return the counts of the item's ratings and likes."""
        return item_facts(self.ws.recommender, self.item)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Return the stored sentences of the item's reviews; several may read alike."""
        return self.ws.store().of_item(self.item)

    @cached_property
    def tones(self) -> tuple[float, float]:
        """Return the highest rating of a critical and the lowest of a favourable review."""
        return tones(self.ws)

    @cached_property
    def _run(self) -> Execution:
        return Execution(self.ws)

    def without_taste(self, persona: int) -> Change:
        """Return what deleting a persona does."""
        part = self.whole.personas[persona]
        return Change(self.whole.rank, part.rank_without, part.rank_without, part.effect)

    def without_items(self, items: tuple[str, ...]) -> Change:
        """Return what removing past items together does."""
        then = self._run.without(self.user, self.item, items)
        after = None if then.beyond else then.rank
        return Change(self.place.rank, after, then.rank, self.place.score - then.score)
