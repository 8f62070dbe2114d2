"""Say what to look for in an item's reviews on behalf of one user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from whythis.recsys.titles import cut
from whythis.tools.aspects import own_aspects, persona_aspects
from whythis.tools.reviews.sentences import folded
from whythis.tools.supporting import supporting
from whythis.tools.workspace import Workspace

MAX_QUERY = 4000
"""Characters of a question that are read: far more than any that means something."""

# To encode a query takes most of a retrieval's time, and that by its length.
_TITLES, _CHARACTERS = 2, 30  # of the persona's heaviest items
_NAMED = 4  # aspects of either kind
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Query:
    """Hold what is looked for: a text, which may be empty, and how much each aspect is wanted.

    own: aspects that the user judges, m / (m + 1) where m reviews do, or that the question names;
    persona: those praised on the items of the persona that supports the item, over the most.
    """

    text: str
    own: Mapping[str, float] = field(default_factory=dict)
    persona: Mapping[str, float] = field(default_factory=dict)


def question(ws: Workspace, about: str) -> Query:
    """Return the query of a question in someone's own words; nothing of the user is in it.

    Only the first characters of the question are read.
    """
    text = about[:MAX_QUERY]
    return Query(text, dict.fromkeys(named(ws, text), 1.0))


def query(ws: Workspace, user: str, item: str) -> Query:
    """Return the query of a user about an item.

    The text names the persona that supports the item, its heaviest titles, cut short, and aspects
    of the user's own reviews and of those of the persona's items; without any of them, the item's
    title. Titles that are no more than ids are left out. The user's review of the item is in none
    of it.
    """
    rec, card = ws.recommender, supporting(ws, user, item)
    own, persona, said = dict[str, float](), dict[str, float](), list[str]()
    if ws.opinions is not None:
        counts = own_aspects(ws, user, item)
        own = {aspect: c.reviews / (c.reviews + 1) for aspect, c in counts.items()}
        persona = _shares(persona_aspects(ws, user, item))
    if card is not None:
        titled = [past for past, _ in card.items if rec.title(past) != past]
        if len(titled) == len(card.items):  # else the name may be made of ids
            said.append(cut(card.name))
        said += [cut(rec.title(past), _CHARACTERS) for past in titled[:_TITLES]]
    said += [*dict.fromkeys([*_first(own), *_first(persona)])]
    if not said and rec.title(item) != item:
        said = [rec.title(item)]
    return Query(", ".join(said)[:MAX_QUERY], own, persona)


def named(ws: Workspace, text: str) -> frozenset[str]:
    """Return the known aspects that a text names, as words or pairs of words, also in the plural.

    Nothing where opinions were not read.
    """
    if ws.opinions is None:
        return frozenset()
    words = [_singular(word) for word in _WORD.findall(folded(text))]
    plain = _WORD.findall(folded(text))
    pairs = [f"{a} {b}" for a, b in zip(plain, words[1:], strict=False)]
    return frozenset(word for word in (*words, *plain, *pairs) if word in ws.opinions.vocabulary)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    most = max(counts.values(), default=1)
    return {aspect: n / most for aspect, n in counts.items()}


def _first(wishes: Mapping[str, float]) -> list[str]:
    return sorted(wishes, key=lambda aspect: (-wishes[aspect], aspect))[:_NAMED]
