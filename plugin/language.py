"""Load a language: the words that traits license, and what the built-in realiser says."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class Licence(BaseModel):
    """Allow words and phrases in a sentence one of whose claims has all the traits needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    needs: frozenset[str]
    words: tuple[str, ...] = Field(min_length=1)


class Order(BaseModel):
    """Say which phrases want the cause before them or after them, and what is a clause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active: frozenset[str]
    subjects: frozenset[str]
    objects: frozenset[str]
    causes: frozenset[str]
    joins: frozenset[str]
    clauses: frozenset[str]


class Language(BaseModel):
    """Hold a language file, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    licence: tuple[Licence, ...]
    order: Order
    before: Mapping[str, tuple[str, ...]]
    say: Mapping[str, tuple[str, ...]]

    @cached_property
    def phrases(self) -> Mapping[tuple[str, ...], tuple[frozenset[str], ...]]:
        """Return every phrase, as its words in lower case, with the trait sets that license it."""
        found: dict[tuple[str, ...], list[frozenset[str]]] = defaultdict(list)
        for licence in self.licence:
            for phrase in licence.words:
                found[tuple(words_of(phrase))].append(licence.needs)
        return {phrase: tuple(needs) for phrase, needs in found.items()}

    @cached_property
    def longest(self) -> int:
        """Return the number of words in the longest phrase."""
        return max(map(len, self.phrases))

    def licensed(self, traits: frozenset[str]) -> tuple[str, ...]:
        """Return the phrases that a claim with these traits allows beyond the always licensed."""
        allowed = [w for x in self.licence if x.needs and x.needs <= traits for w in x.words]
        return tuple(dict.fromkeys(allowed))


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [w.replace("’", "'").casefold() for w in WORD.findall(text)]


@lru_cache(maxsize=4)
def load_language(name: str = "english") -> Language:
    """Return a language that came with the package."""
    text = files("whythis").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return Language.model_validate(tomllib.loads(text))
