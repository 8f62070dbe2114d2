"""Write explanations as one web page that needs nothing from outside, no script, no trust."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from whythis.explanation import Explanation
from whythis.recsys.errors import WhyThisError
from whythis.surfaces.view import Bar, View, view
from whythis.text.wording import LEVELS, Quote, Theirs, clean, count

_REACH = 48.0  # percent of the width that the largest effect may take on its side of the axis


class ReportError(WhyThisError):
    """Report a page that could not be written where it was asked for."""


@dataclass(frozen=True, slots=True)
class _Slice:
    """Place one persona: number among the user's, x and width of its share and signed length of
    its effect in percent of the drawing."""

    number: int
    x: float
    width: float
    effect: float
    bar: Bar


@dataclass(frozen=True, slots=True)
class _Card:
    """Pair a view with the places of its bars, in the user's order and by falling effect."""

    id: str
    view: View
    slices: tuple[_Slice, ...]
    by_effect: tuple[_Slice, ...]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Gather one user's cards and personas, the personas by their number."""

    id: str
    user: Theirs
    personas: tuple[Bar, ...]
    cards: tuple[_Card, ...]


def report(explanations: Sequence[Explanation], *, title: str) -> str:
    """Return one self-contained HTML page: a section a user, a card a recommendation.

    Users stand in the order of their first explanation. Every foreign text is escaped and
    isolated; the page's policy allows its own style sheet, by hash, and nothing else. Raises
    `ModelError` for a record that lacks what it cites.
    """
    css = files("whythis.surfaces").joinpath("report.css").read_text("utf-8")
    template = files("whythis.surfaces").joinpath("report.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["theirs"] = lambda piece: isinstance(piece, Theirs)
    environment.tests["quote"] = lambda piece: isinstance(piece, Quote)
    environment.filters["count"] = count
    readers = _readers(explanations)
    return environment.from_string(template).render(
        title=clean(title),
        css=css,
        digest=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        readers=readers,
        levels=LEVELS,
        totals=_totals(explanations, len(readers)),
        hashes=_hashes(explanations),
    )


def write_report(path: Path, html: str) -> None:
    """Write a page to `path`, whole or not at all; raise `ReportError` where that fails."""
    scratch = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        try:
            with scratch.open("x", encoding="utf-8", newline="\n") as file:
                file.write(html)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReportError(
            f"the report cannot be written to {str(path)!r}: {reason}; name a file in a folder "
            "you may write to"
        ) from None


def _readers(explanations: Sequence[Explanation]) -> tuple[_Reader, ...]:
    by_user: dict[str, list[View]] = {}
    for explanation in explanations:
        by_user.setdefault(explanation.user, []).append(view(explanation))
    readers = []
    for n, views in enumerate(by_user.values(), 1):
        personas: dict[str, Bar] = {}
        for one in views:
            for bar in one.bars:
                personas.setdefault(bar.name, bar)
        numbers = {name: number for number, name in enumerate(personas, 1)}
        # One scale a user, so that effects can be compared between that user's cards.
        largest = max((abs(bar.effect) for one in views for bar in one.bars), default=0.0)
        cards = tuple(
            _card(f"u{n}c{m}", one, numbers, largest or 1.0) for m, one in enumerate(views, 1)
        )
        readers.append(_Reader(f"u{n}", views[0].user, tuple(personas.values()), cards))
    return tuple(readers)


def _card(id_: str, shown: View, numbers: dict[str, int], largest: float) -> _Card:
    slices, x = [], 0.0
    for bar in shown.bars:
        width, effect = 100 * bar.share, _REACH * bar.effect / largest
        slices.append(
            _Slice(numbers[bar.name], round(x, 2), round(width, 2), round(effect, 2), bar)
        )
        x += width
    by_effect = sorted(slices, key=lambda one: -one.bar.effect)
    return _Card(id_, shown, tuple(slices), tuple(by_effect))


def _totals(explanations: Sequence[Explanation], users: int) -> tuple[str, ...]:
    cited = [(e, {id_ for s in e.sentences for id_ in s.claims}) for e in explanations]
    verified = sum(e.verdicts[id_].outcome == "verified" for e, ids in cited for id_ in ids)
    return (
        count(len(explanations), "recommendation"),
        count(users, "user"),
        count(sum(len(e.sentences) for e in explanations), "sentence"),
        f"{count(verified, 'claim')} verified",
        f"{sum(len(e.dropped) for e in explanations):,} not said",
    )


def _hashes(explanations: Sequence[Explanation]) -> tuple[tuple[str, Theirs], ...]:
    pairs = dict.fromkeys(
        pair
        for e in explanations
        for pair in (
            ("model", clean(e.model_hash)),
            ("data", clean(e.data_hash)),
            *((("prompt " + clean(e.prompt.name), clean(e.prompt.hash)),) if e.prompt else ()),
        )
    )
    return tuple(pairs)
