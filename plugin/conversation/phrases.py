"""Load the phrases by which questions are recognised: data, one file a language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from whythis.auditing.matching import Chart, Part, compiled, spelt
from whythis.conversation.intents import Intent
from whythis.conversation.spelling import Spelling
from whythis.recsys.errors import DataError

_SYMBOLS = frozenset({"START", "END", "ITEM", "TASTE", "ORDINAL", "NUMBER"})


class Cue(BaseModel):
    """Hold forms that speak for an intent, and how much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: Intent
    points: float = Field(gt=0)
    forms: tuple[str, ...] = Field(min_length=1)


class References(BaseModel):
    """Hold the forms that refer back; `idioms` only look as if they did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idioms: tuple[str, ...]
    focus: tuple[str, ...]
    other: tuple[str, ...]
    ordinal: tuple[str, ...]
    ordinal_taste: tuple[str, ...]
    some_taste: tuple[str, ...]


class Phrases(BaseModel):
    """Hold one language's phrases; forms as in `whythis.auditing.matching`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    common: frozenset[str]
    aspects: frozenset[str]
    parts: Mapping[str, str]
    references: References
    ordinals: Mapping[str, int]
    cue: tuple[Cue, ...]

    @field_validator("common", "aspects", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return frozenset(value.split()) if isinstance(value, str) else value

    @cached_property
    def words(self) -> frozenset[str]:
        """Return all words of the forms."""
        forms = [form for cue in self.cue for form in cue.forms]
        forms += [form for group in self._references.values() for form in group]
        found = {w for form in (*forms, *self.parts.values()) for w in spelt(form)}
        return frozenset(found) - _SYMBOLS

    @cached_property
    def plain(self) -> frozenset[str]:
        """Return the words that are no hint of a title."""
        return self.common | self.aspects | self.words | frozenset(self.ordinals)

    @cached_property
    def cues(self) -> Forms:
        """Return the forms of the cues, each with its intent and points."""
        return Forms(
            [(cue.intent, cue.points, self._read(f)) for cue in self.cue for f in cue.forms]
        )

    @cached_property
    def refers(self) -> Forms:
        """Return the forms of the references, each with its kind."""
        return Forms(
            [
                (kind, float(len(self._references) - n), self._read(form))
                for n, (kind, forms) in enumerate(self._references.items())
                for form in forms
            ]
        )

    @cached_property
    def spelling(self) -> tuple[tuple[str, ...], Spelling]:
        """Return the words that may be misspelt, and the index of them."""
        long = tuple(
            sorted(w for w in self.words | self.common | self.aspects if len(w) > 3 and w.isalpha())
        )
        return long, Spelling(long)

    @property
    def _references(self) -> Mapping[str, Sequence[str]]:
        return {kind: getattr(self.references, kind) for kind in References.model_fields}

    def _read(self, form: str) -> Part:
        def named(part: str) -> Part:
            if part not in self.parts:
                raise DataError(f"phrases {self.language!r}: there is no part <{part}>")
            # parts of parts would let a file run in a circle
            return compiled(self.parts[part], _no_part)

        return compiled(form, named)


class Forms:
    """Find forms anywhere in a sequence of words, by the word they begin with."""

    def __init__(self, forms: Sequence[tuple[str, float, Part]]) -> None:
        """Take forms with a label and their points."""
        self._by_word: dict[str, list[tuple[str, float, Part]]] = {}
        for form in forms:
            if form[2].open:
                raise DataError("a form of the phrases matches nothing: leave it out")
            for word in form[2].first:
                self._by_word.setdefault(word, []).append(form)

    def find(self, words: Sequence[str]) -> list[tuple[str, float, int, int, Mapping[str, int]]]:
        """Return (label, points, first, end, places by label) of every form that stands there."""
        chart = Chart(words)
        return [
            (label, points, at, end, dict(caught))
            for at, word in enumerate(words)
            for label, points, part in self._by_word.get(word, ())
            for end, caught in chart.matches(part, at)
        ]


def _no_part(part: str) -> Part:
    raise DataError(f"phrases: the part <{part}> stands within a part")


@lru_cache(maxsize=4)
def load_phrases(language: str = "english") -> Phrases:
    """Return the phrases of a language; `DataError` where the file is absent or not strict."""
    own = files("whythis.conversation").joinpath(f"{language}.toml")
    if not own.is_file():
        raise DataError(f"there are no phrases for {language!r}: there is english")
    try:
        return Phrases.model_validate(tomllib.loads(own.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise DataError(f"phrases {language}.toml: {str(error).splitlines()[0]}") from error
