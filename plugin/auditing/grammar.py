"""Read a sentence by a small grammar that is data.

A word that the grammar does not have, or an order of words that it does not have, is never guessed
at: the sentence then cannot be checked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any

import regex
from pydantic import BaseModel, ConfigDict

from whythis.auditing.matching import Chart, Part, compiled, spelt, split
from whythis.auditing.mentions import Mention
from whythis.recsys.errors import DataError

_WORD = re.compile(r"[^\W\d_]+|[0-9]+|[^\s]")
_CONTRACTED = re.compile(r"(?i)(?<=[a-z])(?:n['’]t|['’](?:d|s|ve|re|ll|m))\b")
_AND = ("and", "&", "or")
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "<": "-lt-", ">": "-gt-", "?": "-qm-"}
_INFLECTED = ("base", "s", "past", "part", "ing")


class Shape(BaseModel):
    """Say in which forms of words an assertion of a kind can be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: str
    forms: tuple[str, ...]


class Grammar(BaseModel):
    """Hold the grammar of a language, validated; what its parts mean stands in its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    ordinals: tuple[str, ...]
    cardinals: tuple[str, ...]
    no_number: frozenset[str]
    rank_before: tuple[str, ...]
    rank_after: tuple[str, ...]
    taste_heads: frozenset[str]
    liking_verbs: frozenset[str]
    neutral: tuple[str, ...]
    negations: frozenset[str]
    joints: frozenset[str]
    concessions: frozenset[str]
    questions: frozenset[str]
    inflections: Mapping[str, tuple[str, str, str, str, str]]
    verbs: Mapping[str, tuple[str, ...]]
    macros: Mapping[str, str]
    shape: tuple[Shape, ...]

    @cached_property
    def forms(self) -> tuple[tuple[str, Part], ...]:
        """Return every form with what it reads, in the order in which they are tried.

        Raises `DataError` for a form that cannot be read, or that names an unknown part.
        """
        known = dict(self.macros)
        for name, verbs in self.verbs.items():
            every = zip(*(_inflected(verb, self.inflections) for verb in verbs), strict=True)
            for kind, same in zip(_INFLECTED, every, strict=True):
                known[f"{name}.{kind}"] = "|".join(dict.fromkeys(same))
        made: dict[str, Part] = {}

        def named(name: str, within: tuple[str, ...] = ()) -> Part:
            if name not in known or name in within:
                raise DataError(f"grammar {self.language!r}: <{name}> is unknown or within itself")
            if name not in made:
                made[name] = compiled(known[name], lambda part: named(part, (*within, name)))
            return made[name]

        return tuple(
            (shape.reads, compiled(form, named)) for shape in self.shape for form in shape.forms
        )

    @cached_property
    def opening(self) -> Mapping[str, tuple[tuple[str, Part], ...]]:
        """Return the forms that can begin with a word or symbol."""
        words_ = frozenset[str]().union(*(part.first for _, part in self.forms))
        return {w: tuple(form for form in self.forms if w in form[1].first) for w in words_}

    @cached_property
    def around_ranks(self) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
        """Return what makes a number a rank before it, and what belongs to a rank after it."""
        before, after = (
            tuple(tuple(w for w, _, _ in words(phrase)) for phrase in phrases)
            for phrases in (self.rank_before, self.rank_after)
        )
        return before, after

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Return every word that stands in a form, a joint or a phrase passed over."""
        forms = [f for shape in self.shape for f in shape.forms]
        parts = {word for form in (*forms, *self.macros.values()) for word in spelt(form)}
        verbs = {
            word
            for verb in chain.from_iterable(self.verbs.values())
            for phrase in _inflected(verb, self.inflections)
            for word in phrase.split()
        }
        return frozenset(parts | verbs) | {
            w for p in (*self.neutral, *self.joints) for w, _, _ in words(p)
        }

    @cached_property
    def passed_over(self) -> regex.Pattern[str]:
        """Return the pattern of phrases that say nothing."""
        phrases = sorted(map(_spaced, self.neutral), key=len, reverse=True)
        one = "(?:" + "|".join(map(regex.escape, phrases)) + ")"
        # a pair of commas around it goes with it, and so does one that would end or open a clause
        return regex.compile(
            f"(?<= )(?:, {one}, |, {one}(?=[.:;!-])|(?<=(?:^|[.:;] ) ?){one}, |{one})"
        )


def _inflected(verb: str, inflections: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the five forms of a verb: "fall falls fell fallen falling"; regular: "push + up"."""
    head, _, particle = verb.partition("+")
    given = head.split()
    if len(given) == 1:
        ending = max((e for e in inflections if given[0].endswith(e)), key=len)
        stem = given[0].removesuffix(ending)
        given = [stem + e for e in inflections[ending]]
    if len(given) != len(_INFLECTED):
        raise DataError(f"grammar verb {verb!r}: give one form, or five")
    return tuple(f"{form} {particle.strip()}".strip() for form in given)


@dataclass(frozen=True)
class Line:
    """Hold a sentence as words and symbols such as `ORD#3`, and what these symbols name."""

    words: tuple[str, ...]
    named: Mapping[str, Named]


@dataclass(frozen=True)
class Named:
    """Hold what a symbol of a line names: ids of items, a persona, a number, quoted words."""

    symbol: str
    values: tuple[str, ...]
    start: int
    end: int
    exact: bool = True


@dataclass(frozen=True)
class Reading:
    """Hold one assertion: its kind, what it names by label, and its words.

    `others`: what else the words may assert, where they speak of a cause that nothing names.
    """

    reads: str
    parts: Mapping[str, Named]
    flags: frozenset[str]
    words: str = field(compare=False)
    others: tuple[Reading, ...] = ()


@lru_cache(maxsize=4)
def load_grammar(name: str = "english") -> Grammar:
    """Return a grammar that came with the package: NAME.toml and every NAME_PART.toml, as one.

    Raises `DataError` where two files say the same thing.
    """
    merged: dict[str, Any] = {}
    ours = re.compile(rf"{name}(_\w+)?\.toml")
    here = {file.name: file for file in files("whythis.auditing").iterdir()}
    for file in (here[known] for known in sorted(here) if ours.fullmatch(known)):
        for key, value in tomllib.loads(file.read_text("utf-8")).items():
            known = merged.setdefault(key, type(value)())
            if (known and isinstance(value, str)) or (
                isinstance(value, dict) and known.keys() & value.keys()
            ):
                raise DataError(f"grammar {file.name}: {key!r} says again what another file says")
            merged[key] = known | value if isinstance(value, dict) else known + value
    return Grammar.model_validate(merged)


def words(text: str) -> list[tuple[str, int, int]]:
    """Return the words in lower case with their places; contractions are parted (it | 'd)."""
    found: list[tuple[str, int, int]] = []
    cuts = {m.start(): m.end() for m in _CONTRACTED.finditer(text)}
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if at in cuts:
            end = cuts[at]
        elif match:
            end = min([match.end(), *(s for s in cuts if at < s < match.end())])
        else:
            at += 1
            continue
        word = text[at:end].casefold().replace("’", "'")
        found.append((_BRACKETS.get(word, word), at, end))
        at = end
    return found


def _spaced(phrase: str) -> str:
    return "".join(f"{word} " for word, _, _ in words(phrase))


_Stream = Sequence[tuple[str, int, int, Mention | None]]


def line(text: str, found: Sequence[Mention], grammar: Grammar) -> Line:
    """Return a sentence as words and symbols, phrases that say nothing left out.

    found: what the sentence names, with places in it.
    """
    stream: list[tuple[str, int, int, Mention | None]] = []
    at = 0
    for mention in (*found, None):
        until = len(text) if mention is None else mention.start
        stream += [(w, at + s, at + e, None) for w, s, e in words(text[at:until])]
        if mention is not None:
            stream.append(("", mention.start, mention.end, mention))
            at = mention.end
    made: list[str | Named] = []
    at = 0
    while at < len(stream):
        one, used = _titles(stream, at) or _number(stream, at, grammar) or (stream[at][0], 1)
        made.append(one)
        at += used
    named = {f"{one.symbol}#{n}": one for n, one in enumerate(made) if isinstance(one, Named)}
    told = " ".join(
        one if isinstance(one, str) else f"{one.symbol}#{n}" for n, one in enumerate(made)
    )
    return Line(tuple(grammar.passed_over.sub("", f" {told} ").split()), named)


def _match(stream: _Stream, at: int, wanted: Sequence[str]) -> bool:
    end = at + len(wanted)
    return end <= len(stream) and all(
        s[3] is None and s[0] == w for s, w in zip(stream[at:end], wanted, strict=True)
    )


def _titles(stream: _Stream, at: int) -> tuple[Named, int] | None:
    """Read a title, or several in a list (A, B and C), none of them the explained one."""
    first = stream[at][3]
    if first is None or first.symbol not in ("TITLE", "ITEM", "QUOTE", "TNAME"):
        return None
    if first.symbol != "TITLE":
        return Named(first.symbol, (first.value,), first.start, first.end, first.exact), 1
    listed, end = [first], at + 1
    run, step = [first], at + 1
    while step < len(stream):
        joint = [stream[n][0] for n in range(step, min(step + 2, len(stream)))]
        used = 2 if joint[0] == "," and joint[1:] and joint[1] in _AND else 1
        step += used
        following = stream[step][3] if step < len(stream) else None
        if joint[0] not in (",", *_AND) or following is None or following.symbol != "TITLE":
            break
        run.append(following)
        step += 1
        if joint[used - 1] in _AND:  # "A, B" alone is no list: B may open another clause
            listed, end = list(run), step
    values = tuple(m.value for m in listed)
    return Named(
        "TITLES", values, first.start, listed[-1].end, all(m.exact for m in listed)
    ), end - at


def _number(stream: _Stream, at: int, grammar: Grammar) -> tuple[Named, int] | None:
    """Read a number or an ordinal, in digits or words; "number 3" and "3rd place" are ranks."""
    word, start, end, mention = stream[at]
    for head in grammar.around_ranks[0]:
        if _match(stream, at, head) and at + len(head) < len(stream):
            bare = _plain(stream[at + len(head)], ("one", *grammar.cardinals[1:]), grammar)
            if bare is not None and bare[0] == "NUM":
                last = stream[at + len(head)]
                return Named("ORD", (bare[1],), start, last[2]), len(head) + 1
    bare = _plain(stream[at], grammar.cardinals, grammar)
    following = stream[at + 1][0] if at + 1 < len(stream) else ""
    if bare is None or (mention is None and f"{word} {following}" in grammar.no_number):
        return None
    symbol, value = bare
    used = 1
    if symbol == "ORD":
        for tail in grammar.around_ranks[1]:
            if _match(stream, at + 1, tail):
                used, end = 1 + len(tail), stream[at + len(tail)][2]
                break
    return Named(symbol, (value,), start, end), used


def _plain(
    one: tuple[str, int, int, Mention | None], cardinals: Sequence[str], grammar: Grammar
) -> tuple[str, str] | None:
    word, _, _, mention = one
    if mention is not None:
        known = mention.symbol in ("ORD", "NUM", "PCT")
        return (mention.symbol, mention.value) if known else None
    if word in grammar.ordinals:
        return "ORD", str(grammar.ordinals.index(word) + 1)
    if word in cardinals:
        return "NUM", str(cardinals.index(word) + 1)
    return None


def read(one: Line, grammar: Grammar) -> tuple[Reading, ...] | None:
    """Return the assertions that make up the whole sentence, in order; None if it says more."""
    assertions = _Assertions(one, grammar)
    known: dict[int, tuple[Reading, ...] | None] = {}

    def rest(at: int) -> tuple[Reading, ...] | None:
        if at == len(one.words):
            return ()
        if at not in known:
            known[at] = _rest(at)
        return known[at]

    def _rest(at: int) -> tuple[Reading, ...] | None:
        conceded = at > 0 and one.words[at - 1] in grammar.concessions
        for end, reading in assertions.begun(at):
            if not (conceded and _speaks_for(reading)) and (others := rest(end)) is not None:
                return (reading, *others)
        return rest(at + 1) if one.words[at] in grammar.joints else None

    return rest(0)


def _speaks_for(reading: Reading) -> bool:
    return reading.reads == "likes" or bool(reading.flags & {"helps", "because"})


def pieces(one: Line, grammar: Grammar) -> tuple[Reading, ...]:
    """Return the assertions found between the joints of a sentence that says more than those."""
    assertions = _Assertions(one, grammar)
    taken: list[Reading] = []
    done = 0
    for start, word in enumerate(one.words):
        opens = start == 0 or word in grammar.joints or one.words[start - 1] in grammar.joints
        if opens and start >= done:
            for end, reading in assertions.begun(start)[:1]:
                taken.append(reading)
                done = end
    return tuple(taken)


class _Assertions:
    """Find the assertions of one sentence by where they begin."""

    def __init__(self, one: Line, grammar: Grammar) -> None:
        self._line, self._grammar = one, grammar
        self._chart = Chart([word.partition("#")[0] for word in one.words])

    def begun(self, at: int) -> list[tuple[int, Reading]]:
        """Return the assertions that begin at a place and end before a joint, the longest first."""
        words_, found = self._line.words, dict[int, list[Reading]]()
        for reads, form in self._grammar.opening.get(self._chart.words[at], ()):
            for end, caught in self._chart.matches(form, at):
                if end < len(words_) and words_[end] not in self._grammar.joints:
                    continue
                told = found.setdefault(end, [])
                if any(reads == r.reads for r in told) or (told and "ref" not in told[-1].flags):
                    continue
                places, flags = split(caught)
                parts = {label: self._line.named[words_[n]] for label, n in places.items()}
                told.append(Reading(reads, parts, flags, " ".join(words_[at:end])))
        return [
            (end, replace(found[end][0], others=tuple(found[end][1:])))
            for end in sorted(found, reverse=True)
            if end > at
        ]
