"""Recognise what answers of ours say of aspects, of similar users, and of what they rest on.

Such sentences are made by code from few patterns. One that follows a pattern is compared with what
is true: word for word it is supported, with another number, name or rung it is refuted. What
follows none is left to the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from types import MappingProxyType

from whythis.auditing.ground import Ground
from whythis.auditing.records import Finding
from whythis.claims.kinds import AspectCount, OwnAspect
from whythis.claims.slots import slots
from whythis.claims.standing import near, refitted, rests
from whythis.claims.values import (
    AspectCountValue,
    BasisValue,
    CircleValue,
    OwnAspectValue,
    PersonalEffectValue,
    Subject,
)
from whythis.recsys.errors import MissingPartError, ModelError
from whythis.text.language import load_language
from whythis.tools.aspects import item_aspects, own_aspects
from whythis.tools.circle import circle
from whythis.tools.ladder import Rung, basis, personal_effect

_Phrases = Mapping[str, str]

_TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "basis": "basis",
        "circle": "circle",
        "doubt": "personal_effect",
        "refits": "personal_effect",
        "aspect": "aspect_count",
        "own_aspect": "own_aspect",
    }
)
_NUMBER = re.compile(r"\bnone\b|[−-]?\d[\d.,]*(?<![.,])")
_QUOTED = re.compile("“([^“”]*)”")
_SLOT = re.compile(r"\\\{\w+\\\.(\w+)\\\}")


def recognise(text: str, ground: Ground) -> Finding | None:
    """Return what is true of a sentence that follows one of the patterns; None of any other."""
    for kind, said in _followed(text):
        named = _QUOTED.search(text)
        try:
            true, source = _TRUE[kind](ground, named[1] if named else "")
        except (MissingPartError, ModelError) as error:
            return _finding(text, kind, "uncheckable", str(error), ground.ws.model_source)
        agrees = true is not None and all(true[slot] == phrase for slot, phrase in said.items())
        if agrees:
            return _finding(text, kind, "supported", "so it is", source)
        told = "there is no such finding" if true is None else next(iter(true.values()))
        return _finding(text, kind, "refuted", f"it is otherwise: {told}", source)
    return None


def _finding(text: str, kind: str, outcome: str, reason: str, source: str) -> Finding:
    return Finding.model_validate(
        {"said": text, "kind": kind, "outcome": outcome, "reason": reason, "found": {}}
        | {"source": source}
    )


def _followed(text: str) -> Iterator[tuple[str, _Phrases]]:
    """Yield the kind and the phrases of each pattern that the text follows, number for number."""
    for kind, pattern in _patterns():
        if found := pattern.fullmatch(text.strip()):
            said = {slot: phrase[:1].lower() + phrase[1:] for slot, phrase in _parts(found)}
            if all(_masked(phrase) in _shapes(kind, slot) for slot, phrase in said.items()):
                yield kind, said


def _parts(found: re.Match[str]) -> list[tuple[str, str]]:
    return list(found.groupdict().items())


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    said = load_language().say
    return tuple(
        (kind, re.compile(_SLOT.sub(r"(?P<\1>.+)", re.escape(template)), re.DOTALL))
        for topic, kind in _TOPICS.items()
        for template in said.get(topic, ())
    )


def _masked(phrase: str) -> str:
    return _NUMBER.sub("#", _QUOTED.sub("“”", phrase))


@lru_cache(maxsize=32)
def _shapes(kind: str, slot: str) -> frozenset[str]:
    """Return the forms that a slot's phrase can have, numbers and names aside."""
    return frozenset(_masked(phrases[slot]) for phrases in _EXAMPLES[kind]() if slot in phrases)


def _basis(ground: Ground, _: str) -> tuple[_Phrases | None, str]:
    found = BasisValue(**vars(basis(ground.ws, ground.user, ground.item)))
    return rests(found), ground.ws.model_source


def _circle(ground: Ground, _: str) -> tuple[_Phrases | None, str]:
    found = circle(ground.ws, ground.user, ground.item)
    told = None if found is None else {"near": near(CircleValue(**vars(found)))}
    return told, ground.ws.data_source


def _personal(ground: Ground, _: str) -> tuple[_Phrases | None, str]:
    found = personal_effect(ground.ws, ground.user, ground.item)
    told = None if found is None else {"refits": refitted(PersonalEffectValue(**vars(found)))}
    return told, ground.ws.model_source


def _aspect(ground: Ground, aspect: str) -> tuple[_Phrases | None, str]:
    found = item_aspects(ground.ws, ground.user, ground.item).get(aspect)
    if found is None:
        return None, "reviews"
    told = {k: v for k, v in vars(found).items() if k != "sentences"}
    return _spoken(AspectCountValue(aspect=aspect, **told)), f"reviews:{found.source}"


def _own(ground: Ground, aspect: str) -> tuple[_Phrases | None, str]:
    found = own_aspects(ground.ws, ground.user, ground.item).get(aspect)
    if found is None:
        return None, "reviews"
    return _judged(OwnAspectValue(aspect=aspect, reviews=found.reviews, of=found.of)), "reviews"


def _spoken(value: AspectCountValue) -> _Phrases:
    subject = Subject(user="", item="")
    return slots(AspectCount(id="g1", subject=subject, evidence=("e",), value=value), {})


def _judged(value: OwnAspectValue) -> _Phrases:
    subject = Subject(user="", item="")
    return slots(OwnAspect(id="i1", subject=subject, evidence=("e",), value=value), {})


_TRUE: Mapping[str, Callable[[Ground, str], tuple[_Phrases | None, str]]] = MappingProxyType(
    {
        "basis": _basis,
        "circle": _circle,
        "personal_effect": _personal,
        "aspect_count": _aspect,
        "own_aspect": _own,
    }
)


def _bases() -> Iterator[_Phrases]:
    rungs: tuple[Rung, ...] = ("history", "own_reviews", "circle", "item_reviews", "popularity")
    for rung, likes, reviews, seen in product(rungs, (0, 1, 2, 99), (0, 1, 2), (0, 1)):
        yield rests(BasisValue(rung=rung, likes=likes, reviews=reviews, seen=seen))


def _circles() -> Iterator[_Phrases]:
    for size, liked, users, everyone in product((1, 2, 50), (0, 1), (0, 1, 2), (0, 1)):
        value = CircleValue(size=size, liked=liked, users=users, everyone=everyone)
        yield {"near": near(value)}


def _effects() -> Iterator[_Phrases]:
    for effect, low in product((-0.1, 0.0, 0.1), (-0.2, 0.01)):
        value = PersonalEffectValue(effect=effect, low=low, high=0.2, refits=20, raised=9)
        yield {"refits": refitted(value)}


def _aspects() -> Iterator[_Phrases]:
    for well, badly, of, source in product((0, 1), (0, 1), (1, 9), ("sample", "data")):
        if well or badly:
            counts = {"positive": well, "negative": badly, "of": of}
            yield _spoken(AspectCountValue(aspect="x", source=source, **counts))


def _owns() -> Iterator[_Phrases]:
    for of in (1, 9):
        yield _judged(OwnAspectValue(aspect="x", reviews=1, of=of))


_EXAMPLES: Mapping[str, Callable[[], Iterator[_Phrases]]] = MappingProxyType(
    {
        "basis": _bases,
        "circle": _circles,
        "personal_effect": _effects,
        "aspect_count": _aspects,
        "own_aspect": _owns,
    }
)
