"""Hold what mutants are made of: false words, chance, and other recommendations to take from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from whythis.bench.ground_truth import GroundTruth
from whythis.bench.paraphrasing import Told

_T = TypeVar("_T")
_Pairs = tuple[tuple[str, str], ...]

Lies = Iterator[tuple[str, str]]
"""Pairs of a sentence and what is false in it."""


class Falsehoods(BaseModel):
    """Hold the words that mutants are made of, as `falsehoods.toml` explains them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unsupported: tuple[str, ...]
    others: tuple[str, ...]
    clauses: tuple[str, ...]
    tastes: tuple[str, ...]
    flips: _Pairs
    denials: _Pairs
    affirmations: _Pairs
    sole: _Pairs
    belittled: _Pairs
    blown_up: _Pairs


@cache
def falsehoods() -> Falsehoods:
    """Read the words that come with the package."""
    raw = files("whythis.bench").joinpath("falsehoods.toml").read_text(encoding="utf-8")
    return Falsehoods.model_validate(tomllib.loads(raw))


@dataclass(frozen=True)
class Scene:
    """Give operators chance, and other recommendations with what was truly told of them."""

    rng: np.random.Generator
    others: Sequence[GroundTruth] = ()
    told: Sequence[tuple[GroundTruth, Told]] = ()

    def one(self, found: Sequence[_T]) -> _T | None:
        """Return a random one, or None where there is none."""
        return self.pick(found) if found else None

    def pick(self, found: Sequence[_T]) -> _T:
        """Return a random one of at least one."""
        return found[int(self.rng.integers(len(found)))]

    def some(self, found: Sequence[_T], most: int) -> list[_T]:
        """Return at most `most` of them, in random order."""
        return [found[int(i)] for i in self.rng.permutation(len(found))[:most]]
