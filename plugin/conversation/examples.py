"""Load the example questions from which the intents are learned: data, labelled by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from whythis.conversation.intents import INTENTS
from whythis.recsys.errors import DataError

UNCLEAR = "unclear"
"""The label of what no intent can be told from."""
LABELS: tuple[str, ...] = (*INTENTS, UNCLEAR)

Examples = Mapping[str, tuple[str, ...]]
"""Questions by label, with X and Y in place of the items they name."""


@lru_cache(maxsize=1)
def load_examples() -> Examples:
    """Return the packaged examples; `DataError` where the file is not what it has to be."""
    told = tomllib.loads(files("whythis.conversation").joinpath("examples.toml").read_text("utf-8"))
    return checked(told)


def checked(told: Mapping[str, object]) -> Examples:
    """Return examples of every label, or raise `DataError` naming the label at fault."""
    if unknown := sorted(set(told) - set(LABELS)):
        raise DataError(f"examples.toml: {unknown[0]!r} is no intent, nor {UNCLEAR!r}")
    found: dict[str, tuple[str, ...]] = {}
    for label in LABELS:
        asked = told.get(label)
        if not isinstance(asked, list) or not asked or not all(isinstance(t, str) for t in asked):
            raise DataError(f"examples.toml: {label!r} has to be a list of questions, not empty")
        found[label] = tuple(asked)
    return MappingProxyType(found)
