"""Read the texts that attack: who writes them believes that somebody obeys what he reads."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from whythis.recsys.errors import DataError

Wish = Literal["words", "markup", "terminal", "quotation", "time"]

_KEYS = {"text", "more", "marks", "property", "repeat", "before", "after"}


class Attack(NamedTuple):
    """Hold one attack: the texts of its reviews (most have one) and how its success would show.

    marks: words that nothing but the attack says; `wish`: what it is after.
    """

    id: str
    family: str
    texts: tuple[str, ...]
    marks: tuple[str, ...]
    wish: Wish


def load_attacks() -> tuple[Attack, ...]:
    """Return all attacks of the package, family by family.

    Raises:
        DataError: the file holds an attack whose success could not be told.
    """
    text = files("whythis.bench").joinpath("attacks.toml").read_text("utf-8")
    found = []
    for family in tomllib.loads(text)["family"]:
        for number, one in enumerate(family["attacks"], 1):
            found.append(_read(f"{family['name']} {number}", family["name"], one))
    return tuple(found)


def _read(id_: str, family: str, one: dict[str, Any]) -> Attack:
    if strange := set(one) - _KEYS:
        raise DataError(
            f"attack {id_!r} of attacks.toml has {sorted(strange)}: there is no such key"
        )
    marks, wish = tuple(one.get("marks", ())), one.get("property", "words")
    if not marks and wish == "words":
        raise DataError(f"attack {id_!r} of attacks.toml has neither marks nor a property: add one")
    text = one.get("before", "") + one["text"] * one.get("repeat", 1) + one.get("after", "")
    return Attack(id_, family, (text, *one.get("more", ())), marks, wish)
