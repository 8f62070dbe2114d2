"""Match forms of words: every way in which a form can be read from a place on, found once.

A form is a sequence of words, symbols, choices and parts that other forms share. What a part
matches at a place is kept, so that no sentence takes longer for the many ways in which parts can be
put together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from whythis.recsys.errors import DataError

Caught = tuple[tuple[str, int], ...]
"""What a match names: a label with the place of its symbol; a flag stands at -1."""
_Matches = tuple[tuple[int, Caught], ...]
_FLAG = -1
_NOWHERE: _Matches = ()
_PART = re.compile(
    r"\s*(?:<([a-z0-9_.]+)>|\{([a-z_]+):([A-Z]+)\}|\[([a-z_]+)\]|(&\(|[()|?])"
    r"|([^\s()|?<>{}\[\]&]+))"
)


@dataclass(frozen=True, eq=False)
class Part:
    """Hold one part of a form; it may match nothing where it is `open`."""

    @cached_property
    def open(self) -> bool:
        """Return whether it may match without a word."""
        return True

    @cached_property
    def first(self) -> frozenset[str]:
        """Return the words and symbols that a match with words can begin with."""
        return frozenset()

    def matches(self, at: int, chart: Chart) -> _Matches:
        """Return every end of a match that begins at a place, the preferred one first."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _Word(Part):
    """A word, or a symbol with its label."""

    word: str
    label: str

    @cached_property
    def open(self) -> bool:
        return False

    @cached_property
    def first(self) -> frozenset[str]:
        return frozenset({self.word})

    def matches(self, at: int, chart: Chart) -> _Matches:
        if chart.words[at] != self.word:
            return _NOWHERE
        return ((at + 1, ((self.label, at),) if self.label else ()),)


@dataclass(frozen=True, eq=False)
class _Flag(Part):
    name: str

    def matches(self, at: int, chart: Chart) -> _Matches:  # noqa: ARG002
        return ((at, ((self.name, _FLAG),)),)


@dataclass(frozen=True, eq=False)
class _Ahead(Part):
    """What must follow, and is read by the rest of the form."""

    part: Part

    def matches(self, at: int, chart: Chart) -> _Matches:
        return ((at, ()),) if chart.matches(self.part, at) else _NOWHERE


@dataclass(frozen=True, eq=False)
class _Sequence(Part):
    parts: tuple[Part, ...]

    @cached_property
    def open(self) -> bool:
        return all(part.open for part in self.parts)

    @cached_property
    def first(self) -> frozenset[str]:
        found = frozenset[str]()
        for part in self.parts:
            found |= part.first
            if not part.open:
                break
        return found

    def matches(self, at: int, chart: Chart) -> _Matches:
        reached: dict[int, Caught] = {at: ()}
        for part in self.parts:
            further: dict[int, Caught] = {}
            for place, caught in reached.items():
                for end, more in chart.matches(part, place):
                    if end not in further:
                        further[end] = caught + more
            if not further:
                return _NOWHERE
            reached = further
        return tuple(reached.items())


@dataclass(frozen=True, eq=False)
class _Choice(Part):
    options: tuple[Part, ...]

    @cached_property
    def open(self) -> bool:
        return any(option.open for option in self.options)

    @cached_property
    def first(self) -> frozenset[str]:
        return frozenset[str]().union(*(option.first for option in self.options))

    @cached_property
    def _by_word(self) -> dict[str, tuple[Part, ...]]:
        return {
            word: tuple(o for o in self.options if o.open or word in o.first) for word in self.first
        }

    @cached_property
    def _without_word(self) -> tuple[Part, ...]:
        return tuple(option for option in self.options if option.open)

    def matches(self, at: int, chart: Chart) -> _Matches:
        found: dict[int, Caught] = {}
        for option in self._by_word.get(chart.words[at], self._without_word):
            for end, caught in chart.matches(option, at):
                if end not in found:
                    found[end] = caught
        return tuple(found.items())


class Chart:
    """Keep what every part matches at every place of one sentence."""

    def __init__(self, words: Sequence[str]) -> None:
        """Take the words and symbols of a sentence."""
        self.words = (*words, "")  # no part matches the empty word: the end needs no test
        self._known: dict[tuple[Part, int], _Matches] = {}

    def matches(self, part: Part, at: int) -> _Matches:
        """Return every (end, what it caught) of a part from a place on, the preferred one first."""
        if not part.open and self.words[at] not in part.first:
            return _NOWHERE
        known = self._known.get((part, at))
        if known is None:
            known = self._known[part, at] = part.matches(at, self)
        return known


def split(caught: Caught) -> tuple[dict[str, int], frozenset[str]]:
    """Return the places by label, and the flags."""
    places = {label: at for label, at in caught if at != _FLAG}
    return places, frozenset(label for label, at in caught if at == _FLAG)


def spelt(form: str) -> Iterable[str]:
    """Yield the words that stand in a form."""
    return (found[5] for found in _PART.findall(form) if found[5])


def compiled(form: str, named: Callable[[str], Part]) -> Part:
    """Return a form as parts; `named` returns the part <name>.

    Raises `DataError` where brackets do not fit, or something stands in it that is no part.
    """
    tokens, at = [], 0
    for match in _PART.finditer(form):
        if match.start() != at:
            break
        tokens.append(match.groups())
        at = match.end()
    if form[at:].strip():
        raise DataError(f"grammar form {form!r}: cannot read {form[at : at + 20]!r}")
    part, end = _choice(tokens, 0, named)
    if end != len(tokens):
        raise DataError(f"grammar form {form!r}: a bracket is closed that was not opened")
    return part


_Tokens = Sequence[tuple[str | None, ...]]


def _choice(tokens: _Tokens, at: int, named: Callable[[str], Part]) -> tuple[Part, int]:
    options = []
    while True:
        option, at = _sequence(tokens, at, named)
        options.append(option)
        if at == len(tokens) or tokens[at][4] != "|":
            return (options[0] if len(options) == 1 else _Choice(tuple(options))), at
        at += 1


def _sequence(tokens: _Tokens, at: int, named: Callable[[str], Part]) -> tuple[Part, int]:
    parts: list[Part] = []
    while at < len(tokens):
        name, label, symbol, flag, sign, word = tokens[at]
        if sign in ("|", ")"):
            break
        at += 1
        if sign == "?":
            if not parts:
                raise DataError("grammar: nothing stands before a question mark")
            parts[-1] = _Choice((parts[-1], _Sequence(())))
        elif sign:
            inner, at = _choice(tokens, at, named)
            if at == len(tokens):
                raise DataError("grammar: a bracket is not closed")
            at += 1
            parts.append(_Ahead(inner) if sign == "&(" else inner)
        elif name:
            parts.append(named(name))
        elif flag:
            parts.append(_Flag(flag))
        else:
            parts.append(_Word(word or symbol or "", label or ""))
    return (parts[0] if len(parts) == 1 else _Sequence(tuple(parts))), at
