"""Hold what facts are found on, and how the values of all of them are written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from whythis.claims.kinds import Level
from whythis.conversation import lists
from whythis.conversation.lists import TOP
from whythis.recsys.errors import DataError
from whythis.recsys.naming import persona_cards
from whythis.recsys.scorer import Scorer
from whythis.text.wording import listing
from whythis.tools.workspace import Workspace

Value = dict[str, JsonValue]


@dataclass(frozen=True, eq=False)
class Ground:
    """Hold what is true now: the workspace, the recommender without corrections, and its folder.

    folder: where corrections are kept; None where they cannot be.
    """

    ws: Workspace
    fitted: Scorer
    folder: Path | None = None

    @property
    def rec(self) -> Scorer:
        """Return the recommender over corrected data."""
        return self.ws.recommender


@dataclass(frozen=True)
class Kind:
    """Hold how a kind of fact is known, how it is found, and how its finding is worded."""

    level: Level
    find: Callable[..., Value]
    words: Callable[[Mapping[str, Any]], str]


def title_of(title: str) -> str:
    """Return a title fit to be shown."""
    return "".join(listing([title]))


def titles_of(rec: Scorer, items: Sequence[str]) -> list[JsonValue]:
    """Return the titles as said in a sentence."""
    return [rec.short_title(item) for item in items]


def named(rec: Scorer, items: Sequence[str]) -> Value:
    """Return items with their titles."""
    return {"items": list[JsonValue](items), "titles": titles_of(rec, items)}


def taste_names(ground: Ground, user: str, personas: Sequence[int]) -> list[JsonValue]:
    """Return the names of personas; raise `DataError` where the user has no such."""
    if not personas:
        return []
    known = {card.persona: card.name for card in persona_cards(ground.ws.owned(), user)}
    if strange := [p for p in personas if p not in known]:
        raise DataError(f"user {user!r} has no taste of the number {strange[0]}")
    return [known[p] for p in personas]


def shifts(rec: Scorer, changes: Sequence[Value]) -> Value:
    """Return the titles that leave the top and that enter it, and whether any of it moves."""
    left, came, moves = lists.moved(changes, TOP)
    return {"lost": titles_of(rec, left), "gained": titles_of(rec, came), "moves": moves}


def shift(value: Mapping[str, Any], verbs: tuple[str, str, str, str]) -> str:
    """Return what happens to the top, by the verbs to lose, to gain, to stay and to be."""
    lose, gain, stay, be = verbs
    if not value["moves"]:
        return stay
    if not value["lost"] and not value["gained"]:
        return f"{be} the same titles in another order"
    told = ((lose, value["lost"]), (gain, value["gained"]))
    return " and ".join(f"{verb} {''.join(listing(titles))}" for verb, titles in told if titles)
