"""Say what a sentence speaks of as a cause, and what happens without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, product

from pydantic import JsonValue

from whythis.auditing.grammar import Named, Reading
from whythis.auditing.ground import Change, Ground
from whythis.auditing.mentions import MEANT
from whythis.text.wording import clean

NO_CAUSE = "it does not say which taste or like it means"

Values = dict[str, JsonValue]
Tested = tuple[str | None, Values]
"""What is wrong with an assertion, None where nothing is, and the values found."""


@dataclass(frozen=True)
class Cause:
    """Hold what a sentence speaks of as a cause: a taste or past items."""

    persona: int | None = None
    items: tuple[str, ...] = ()


@dataclass
class Talk:
    """Follow a text: what "that taste" and "without them" refer to.

    `following`: the assertions after the one tested, in the same sentence.
    """

    ground: Ground
    cause: Cause | None = None
    following: Sequence[Reading] = ()


def causes(reading: Reading, talk: Talk) -> list[Cause]:
    """Return what the cause may be: more than one where items, or a taste too, share a name."""
    ground = talk.ground
    if "taste" in reading.parts:
        persona = int(reading.parts["taste"].values[0])
        taste, namesake = Cause(persona=persona), ground.namesakes.get(persona)
        if namesake is None or "taste" in reading.words.split():
            return [taste]
        return [taste, Cause(items=(namesake,))]
    if "likes" in reading.parts:
        choices = [_meant(value) for value in reading.parts["likes"].values]
        chosen = (dict.fromkeys(chain.from_iterable(one)) for one in product(*choices))
        causes = [Cause(items=tuple(items)) for items in islice(chosen, 8)]
        tastes = [p for p, item in ground.namesakes.items() if causes[0].items == (item,)]
        return [*causes, *(Cause(persona=p) for p in tastes)]
    return [] if talk.cause is None else [talk.cause]


def cause_of(reading: Reading, talk: Talk) -> Cause | None:
    """Return what the cause is most likely to be."""
    return next(iter(causes(reading, talk)), None)


def _meant(value: str) -> list[tuple[str, ...]]:
    """Return the items that a title may mean: where several share it, all of them or one."""
    items = tuple(value.split(MEANT))
    return [items] if len(items) == 1 else [items, *((item,) for item in items)]


def strange(cause: Cause, ground: Ground) -> str | None:
    """Return why this is no taste or like of the user, or is named twice."""
    if cause.persona is not None:
        return None if cause.persona in ground.cards else "the user has no such taste"
    strangers = [i for i in cause.items if i not in ground.history]
    if strangers:
        titles = " and ".join(clean(ground.ws.recommender.title(i)) for i in strangers)
        return f"{titles} is not among the user's likes"
    return None


def change_of(cause: Cause, ground: Ground) -> Change:
    """Return what happens to the item without a cause."""
    if cause.persona is not None:
        return ground.without_taste(cause.persona)
    return ground.without_items(cause.items)


def number(named: Named | None) -> float | None:
    """Return the number that a part of a sentence says."""
    return None if named is None else float(named.values[0])
