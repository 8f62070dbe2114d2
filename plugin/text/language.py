"""Load a language: the words that traits license, and what the built-in realiser says."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

Style = Literal["short", "plain", "detailed"]
"""How much an answer tells."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Licence(_Frozen):
    """Allow words and phrases in a sentence whose claims have all the traits needed."""

    needs: frozenset[str]
    words: tuple[str, ...] = Field(min_length=1)


class Order(_Frozen):
    """Say which phrases want the cause before them or after them, and what is a clause."""

    active: frozenset[str]
    subjects: frozenset[str]
    states: frozenset[str]
    objects: frozenset[str]
    causes: frozenset[str]
    joins: frozenset[str]
    clauses: frozenset[str]


class Together(_Frozen):
    """Say what stands between the tastes that one sentence tells together, and before the last."""

    between: frozenset[str]
    last: frozenset[str]


class Absolute(_Frozen):
    """Name the words that no licence may hold: numbers, absolutes, negations, comparatives.

    `excepted`: the phrases that may hold one, with the traits that their licence must need.
    """

    words: frozenset[str]
    excepted: Mapping[str, frozenset[str]]


class Language(_Frozen):
    """Hold a language file, validated."""

    language: str
    licence: tuple[Licence, ...]
    absolute: Absolute
    order: Order
    together: Together
    before: Mapping[str, tuple[str, ...]]
    say: Mapping[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _absolutes_are_excepted(self) -> Self:
        for licence in self.licence:
            for phrase in licence.words:
                said = set(words_of(phrase)) & self.absolute.words
                if re.search(r"\d", phrase) or not words_of(phrase):
                    raise ValueError(f"the licensed phrase {phrase!r} holds a digit or no word")
                if said and not self.absolute.excepted.get(phrase, {""}) <= licence.needs:
                    raise ValueError(
                        f"the licensed phrase {phrase!r} holds {', '.join(sorted(said))}: "
                        "except it in [absolute.excepted], with what it needs"
                    )
        return self

    @cached_property
    def phrases(self) -> Mapping[tuple[str, ...], tuple[frozenset[str], ...]]:
        """Return every phrase, as its words, with the trait sets that license it."""
        found: dict[tuple[str, ...], list[frozenset[str]]] = defaultdict(list)
        for licence in self.licence:
            for phrase in licence.words:
                found[tuple(spelled(phrase))].append(licence.needs)
        return {phrase: tuple(needs) for phrase, needs in found.items()}

    @cached_property
    def longest(self) -> int:
        """Return the number of words in the longest phrase."""
        return max(map(len, self.phrases))

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """Return the words that phrases begin with, as they are written."""
        return frozenset(phrase[0] for phrase in self.phrases)

    @cached_property
    def common(self) -> frozenset[str]:
        """Return the words, in lower case, that need nothing."""
        free = [phrase for x in self.licence if not x.needs for phrase in x.words]
        return frozenset(word for phrase in free for word in words_of(phrase))

    def licensed(self, traits: frozenset[str]) -> tuple[str, ...]:
        """Return the phrases that a claim with these traits allows beyond the always licensed."""
        allowed = [w for x in self.licence if x.needs and x.needs <= traits for w in x.words]
        return tuple(dict.fromkeys(allowed))


def spelled(text: str) -> list[str]:
    """Return the words of a text as they are written."""
    return [w.replace("’", "'") for w in WORD.findall(text)]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [w.casefold() for w in spelled(text)]


def read_language(text: str) -> Language:
    """Return the language that the text of a language file holds.

    Raises pydantic's `ValidationError` where the file is not strict, or licenses a number word.
    """
    return Language.model_validate(tomllib.loads(text))


@lru_cache(maxsize=4)
def load_language(name: str = "english") -> Language:
    """Return a language that came with the package."""
    return read_language(files("whythis.text").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
