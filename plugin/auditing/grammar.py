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

import regex
from pydantic import BaseModel, ConfigDict

from whythis.auditing.mentions import Mention
from whythis.recsys.errors import DataError

_WORD = re.compile(r"[^\W\d_]+|[0-9]+|[^\s]")
_CONTRACTED = re.compile(r"(?i)(?<=[a-z])(?:n['’]t|['’](?:d|s|ve|re|ll|m))\b")
_PART = re.compile(
    r"<([a-z_]+)>|\{([a-z_]+):([A-Z]+)\}|\[([a-z_]+)\]|(&\(|[()|?*])|([^\s()|?*<>{}\[\]&]+)"
)
_AND = ("and", "&", "or")
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "<": "-lt-", ">": "-gt-"}
_PATIENCE = 0.5
"""Seconds that one shape may try on one sentence; none needs more than milliseconds."""


class Shape(BaseModel):
    """Say in which forms of words an assertion of a kind can be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: str
    forms: tuple[str, ...]


class Grammar(BaseModel):
    """Hold a grammar file, validated; what its parts mean stands in the file itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    ordinals: tuple[str, ...]
    cardinals: tuple[str, ...]
    no_number: frozenset[str]
    rank_before: tuple[str, ...]
    rank_after: tuple[str, ...]
    taste_heads: frozenset[str]
    neutral: tuple[str, ...]
    negations: frozenset[str]
    joints: tuple[str, ...]
    concessions: frozenset[str]
    macros: Mapping[str, str]
    shape: tuple[Shape, ...]

    @cached_property
    def patterns(self) -> tuple[Form, ...]:
        """Return every form as a pattern over words and symbols such as `ORD#3 `."""
        return tuple(
            Form(shape.reads, _needed(form), regex.compile(self._pattern(form, ())))
            for shape in self.shape
            for form in shape.forms
        )

    def _pattern(self, form: str, within: tuple[str, ...]) -> str:
        made = []
        for macro, label, symbol, flag, sign, word in _PART.findall(form):
            if macro:
                if macro not in self.macros or macro in within:
                    raise DataError(f"grammar {self.language!r}: <{macro}> in {form!r} is unknown")
                made.append(f"(?:{self._pattern(self.macros[macro], (*within, macro))})")
            elif label:
                made.append(f"(?:(?P<{label}>{symbol}#[0-9]+) )")
            elif flag:
                made.append(f"(?P<{flag}>)")
            elif sign:
                made.append({"(": "(?:", "&(": "(?="}.get(sign, sign))
            else:
                made.append(f"(?:{regex.escape(word)} )")
        return "".join(made)

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
        parts = [
            word for form in (*forms, *self.macros.values()) for *_, word in _PART.findall(form)
        ]
        return frozenset(parts) | {w for p in (*self.neutral, *self.joints) for w, _, _ in words(p)}

    @cached_property
    def passed_over(self) -> regex.Pattern[str]:
        """Return the pattern of phrases that say nothing."""
        phrases = sorted(map(_spaced, self.neutral), key=len, reverse=True)
        one = "(?:" + "|".join(map(regex.escape, phrases)) + ")"
        # a pair of commas around it goes with it, and so does one that would end or open a clause
        return regex.compile(
            f"(?<= )(?:, {one}, |, {one}(?=[.:;!-])|(?<=(?:^|[.:;] ) ?){one}, |{one})"
        )

    @cached_property
    def joint(self) -> regex.Pattern[str]:
        """Return the pattern of what may stand between two assertions."""
        return regex.compile(
            "(?<= |^)(?:" + "|".join(map(regex.escape, map(_spaced, self.joints))) + ")"
        )


@dataclass(frozen=True)
class Form:
    """Hold a form of words: what it reads, words it cannot do without, and its pattern."""

    reads: str
    needed: frozenset[str]
    pattern: regex.Pattern[str]


def _needed(form: str) -> frozenset[str]:
    """Return the words and symbols that stand in a form outside of any choice."""
    depth, found = 0, list[str]()
    for macro, _, symbol, flag, sign, word in _PART.findall(form):
        if sign == "?" and not depth and found:
            found.pop()
        depth += {"(": 1, "&(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and not flag:
            found.append("" if macro or sign else symbol or word)
    return frozenset(found) - {""}


@dataclass(frozen=True)
class Line:
    """Hold a sentence as words and symbols, each followed by one space, and what symbols name."""

    text: str
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
    """Return a grammar that came with the package."""
    text = files("whythis.auditing").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return Grammar.model_validate(tomllib.loads(text))


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
    spelt = " ".join(
        one if isinstance(one, str) else f"{one.symbol}#{n}" for n, one in enumerate(made)
    )
    short = grammar.passed_over.sub("", f" {spelt} ")[1:]
    return Line(short, named)


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
    """Return the assertions that make up the whole sentence, in order; None if it says more.

    Raises `TimeoutError` for a sentence made to take long.
    """
    text = one.text
    joints = [(m.start(), m.end()) for m in grammar.joint.finditer(text)]
    ends = sorted({len(text), *(start for start, _ in joints)}, reverse=True)
    after = dict(joints)
    known: dict[int, tuple[Reading, ...] | None] = {}

    def rest(at: int) -> tuple[Reading, ...] | None:
        if at == len(text):
            return ()
        if at not in known:
            known[at] = _rest(at)
        return known[at]

    def _rest(at: int) -> tuple[Reading, ...] | None:
        for end in ends:
            if end <= at:
                break
            reading = _assertion(one, at, end, grammar)
            if reading is not None and _conceded(one, at, grammar) and _speaks_for(reading):
                reading = None
            if reading is not None and (others := rest(end)) is not None:
                return (reading, *others)
        return rest(after[at]) if at in after else None

    return rest(0)


def _conceded(one: Line, at: int, grammar: Grammar) -> bool:
    before = one.text[:at].split()
    return bool(before) and before[-1] in grammar.concessions


def _speaks_for(reading: Reading) -> bool:
    return reading.reads == "likes" or bool(reading.flags & {"helps", "because"})


def pieces(one: Line, grammar: Grammar) -> tuple[Reading, ...]:
    """Return the assertions found between the joints of a sentence that says more than those."""
    text = one.text
    joints = [(m.start(), m.end()) for m in grammar.joint.finditer(text)]
    starts = sorted({0, *(e for _, e in joints), *(s for s, _ in joints)})
    ends = sorted({len(text), *(s for s, _ in joints)}, reverse=True)
    taken: list[Reading] = []
    done = 0
    for start in starts:
        if start < done:
            continue
        for end in ends:
            if end <= start:
                break
            if (reading := _assertion(one, start, end, grammar)) is not None:
                taken.append(reading)
                done = end
                break
    return tuple(taken)


def _assertion(one: Line, start: int, end: int, grammar: Grammar) -> Reading | None:
    present = {word.partition("#")[0] for word in one.text[start:end].split()}
    found: list[Reading] = []
    for form in grammar.patterns:
        if not form.needed <= present or any(form.reads == r.reads for r in found):
            continue
        match = form.pattern.fullmatch(one.text, start, end, timeout=_PATIENCE)
        if match is None:
            continue
        groups = {k: v for k, v in match.groupdict().items() if v is not None}
        parts = {k: one.named[v] for k, v in groups.items() if v}
        flags = frozenset(groups) - frozenset(parts)
        found.append(Reading(form.reads, parts, flags, one.text[start:end].strip()))
        if "ref" not in flags:
            break
    return replace(found[0], others=tuple(found[1:])) if found else None
