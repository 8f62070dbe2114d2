"""Find in a text what the recommender knows by name: titles, tastes, quotations, numbers."""

from __future__ import annotations

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

_OPENING = {"“": "”", "‘": "’", "«": "»", "„": "“", '"': '"'}
_WORD = re.compile(r"\w+|[^\w\s]", re.UNICODE)
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<hash>#\s?)?(?P<number>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?P<part>\.[0-9]+)?"
    r"(?P<end>st|nd|rd|th|\s?%|\s?percent|\s?per cent)?(?![\w])",
    re.IGNORECASE,
)
_STOPS = frozenset('.!?:;“"(—–-')
MEANT = "\x1f"
"""Stands between the ids of items of the same title, where any of them may be meant."""

_FUZZY = 90.0
"""Least similarity (0..100, rapidfuzz) at which a misspelt title still counts as named."""
_CAPITALISED = re.compile(
    r"[A-Z0-9][\w'’&.:-]*(?:,? (?:(?:of|the|a|an|and|in|to|for|on|at|de|la|le|du)\s)*"
    r"[A-Z0-9][\w'’&:.-]*)+"
)


@dataclass(frozen=True)
class Mention:
    """Hold a span of the text and what it names.

    symbol: ITEM (the explained one), TITLE, TNAME (a taste), QUOTE, NUM, ORD or PCT; `value`: the
    item's id, the persona, the quoted words, or the number as written, without separators.
    """

    start: int
    end: int
    symbol: str
    value: str
    exact: bool = True


@dataclass(frozen=True)
class Titles:
    """Find titles in texts: exact ones by their words, misspelt ones by similarity.

    ids, titles: of all items, titles as shown (with the year); bare: without.
    """

    ids: Sequence[str]
    titles: Sequence[str]
    bare: Sequence[str]

    @cached_property
    def _known(self) -> Mapping[tuple[str, ...], dict[tuple[str, ...], frozenset[str]]]:
        """Return the items by the words of their titles, these by their first two in lower case."""
        found: dict[tuple[str, ...], dict[tuple[str, ...], set[str]]] = defaultdict(dict)
        for id_, *names in zip(self.ids, self.titles, self.bare, strict=True):
            for name in names:
                words = tuple(_WORD.findall(name))
                begin = tuple(w.casefold() for w in words[:2])
                found[begin].setdefault(words, set()).add(id_)
        return {
            begin: {
                words: frozenset(forms[words])
                for words in sorted(forms, key=lambda form: -len(form))
            }
            for begin, forms in found.items()
        }

    def find(self, text: str, near: Collection[str]) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, item) of titles, the longest at each place; capitals must agree.

        near: items one would expect to be named; a title that could as well be a plain word or
        number ("Seven", "1900") counts only where it is one of these.
        """
        spans = [match.span() for match in _WORD.finditer(text)]
        words = [text[start:end] for start, end in spans]
        lower = [word.casefold() for word in words]
        at = 0
        while at < len(words):
            one = self._at(words, lower, at, near)
            if one is not None:
                end, item = one
                yield spans[at][0], spans[end - 1][1], item
                at = end - 1
            at += 1

    def _at(
        self, words: Sequence[str], lower: Sequence[str], at: int, near: Collection[str]
    ) -> tuple[int, str] | None:
        """Return the end and the item of the longest title that begins at a word."""
        for begin in (tuple(lower[at : at + 2]), (lower[at],)):
            for form, items in self._known.get(begin, {}).items():
                end = at + len(form)
                if end > len(words) or not _same(form, words[at:end]):
                    continue
                opens = at == 0 or words[at - 1] in _STOPS
                plain = len(form) == 1 and (opens or form[0].isdigit() or len(form[0]) < 3)
                meant = items if len(items) == 1 else items & frozenset(near)
                if meant and not (plain and not meant & frozenset(near)):
                    return end, MEANT.join(sorted(meant))
        return None

    def nearest(self, text: str) -> str | None:
        """Return the one item whose title a misspelt text comes close to; None if none or two."""
        from rapidfuzz import fuzz, process

        names = self._names
        best = process.extract(
            text.casefold(), names, scorer=fuzz.ratio, limit=6, score_cutoff=_FUZZY - 6
        )
        found: dict[str, float] = {}
        for _, score, at in best:
            id_ = self.ids[at % len(self.ids)]
            found[id_] = max(score, found.get(id_, 0.0))
        ranked = sorted(found.items(), key=lambda pair: -pair[1])
        if not ranked or ranked[0][1] < _FUZZY:
            return None
        if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < 4:
            return None  # two titles are about as near: it cannot be told which is meant
        return ranked[0][0]

    @cached_property
    def _names(self) -> list[str]:
        return [name.casefold() for name in (*self.titles, *self.bare)]


def _same(form: Sequence[str], words: Sequence[str]) -> bool:
    # a capital of the title must stand in the text; a small letter may be a capital there
    return all(
        w == f or (w.casefold() == f.casefold() and not f[0].isupper())
        for f, w in zip(form, words, strict=True)
    )


def quotations(text: str, known: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans between quotation marks, the marks included; `known` are found first.

    A known sentence may hold marks of its own, so it is looked for as it stands.
    """
    taken: list[tuple[int, int]] = []  # in order, none within another
    for sentence in sorted(set(known), key=len, reverse=True):
        at = text.find(sentence)
        while sentence and at >= 0:
            start, end = at - 1, at + len(sentence)
            marked = start >= 0 and end < len(text) and _OPENING.get(text[start]) == text[end]
            n = bisect(taken, (start, end))
            apart = (n == 0 or start >= taken[n - 1][1]) and (n == len(taken) or end < taken[n][0])
            if marked and apart:
                taken.insert(n, (start, end + 1))
            at = text.find(sentence, at + 1)
    found, at, partners = list(taken), 0, _partners(text)
    while at < len(text):
        n = bisect(taken, (at, len(text)))
        if n and at < taken[n - 1][1]:
            at = taken[n - 1][1]
            continue
        end = partners.get(at, -1)
        if _OPENING.get(text[at]) == text[at]:
            end = text.find(text[at], at + 1)
        if end > 0:
            found.append((at, end + 1))
        at = max(at, end) + 1
    return iter(sorted(found))


def _partners(text: str) -> dict[int, int]:
    """Return where each quotation ends by where it opens, inner ones included, in one pass."""
    found: dict[int, int] = {}
    waiting: dict[str, list[int]] = {o: [] for o, c in _OPENING.items() if o != c}
    for n, character in enumerate(text):
        apostrophe = character == "’" and text[n + 1 : n + 2].isalpha()
        for opening, places in waiting.items():
            if character == opening:
                places.append(n)
            elif character == _OPENING[opening] and places and not apostrophe:
                found[places.pop()] = n
    return found


def numbers(text: str) -> Iterator[Mention]:
    """Yield the numbers written in digits: NUM, ORD (3rd, #3) or PCT (35 %)."""
    for match in _NUMBER.finditer(text):
        value = match["number"].replace(",", "") + (match["part"] or "")
        end = (match["end"] or "").strip().casefold()
        if end in ("st", "nd", "rd", "th") or match["hash"]:
            symbol = "ORD"
        else:
            symbol = "PCT" if end else "NUM"
        yield Mention(match.start(), match.end(), symbol, value)


def mentions(
    text: str,
    *,
    titles: Titles,
    item: str,
    near: Collection[str],
    known: Iterable[str] = (),
    tastes: Mapping[str, int] = MappingProxyType({}),
    heads: Collection[str] = (),
    verbs: Collection[str] = (),
) -> tuple[Mention, ...]:
    """Return what a text names, in order, none overlapping.

    item: the explained one. near: the items of the user's history. known: stored sentences of the
    item's reviews. tastes: the user's personas by name; they are named after one of `heads`;
    after those that are `verbs` a title is meant where the words are one.
    """
    found: list[Mention] = []

    def free(start: int, end: int) -> bool:
        return all(end <= m.start or start >= m.end for m in found)

    def title(start: int, end: int, id_: str, exact: bool) -> None:
        symbol = "ITEM" if item in id_.split(MEANT) else "TITLE"
        found.append(Mention(start, end, symbol, id_, exact))

    expected = {*near, item}
    for start, end in quotations(text, known):
        inner = text[start + 1 : end - 1].strip(" ,.")
        whole = [s for s in titles.find(inner, expected) if s[:2] == (0, len(inner))]
        if whole:
            title(start, end, whole[0][2], True)
        else:
            found.append(Mention(start, end, "QUOTE", text[start + 1 : end - 1]))
    if tastes and heads:
        named = "|".join(re.escape(n) for n in sorted(tastes, key=len, reverse=True))
        led = "|".join(map(re.escape, sorted(heads)))
        personas = {name.casefold(): str(persona) for name, persona in tastes.items()}
        for match in re.finditer(rf"(?i)\b(?:{led})\s+(?P<name>{named})(?!\w)", text):
            # what is called after a title is the taste only where a taste can stand: "liked X"
            # names the title
            start = match.start("name")
            titled = any(at == 0 for at, _, _ in titles.find(text[start:], expected))
            verb = text[match.start() : start].split()[0].casefold() in verbs
            if free(*match.span("name")) and not (titled and verb):
                value = personas[match["name"].casefold()]
                found.append(Mention(*match.span("name"), "TNAME", value))
    for start, end, id_ in titles.find(text, expected):
        if free(start, end):
            title(start, end, id_, True)
    for match in _CAPITALISED.finditer(text):
        if free(*match.span()) and (near_ := titles.nearest(match.group().rstrip("., "))):
            title(match.start(), match.start() + len(match.group().rstrip("., ")), near_, False)
    found.extend([number for number in numbers(text) if free(number.start, number.end)])
    return tuple(sorted(found, key=lambda m: m.start))
