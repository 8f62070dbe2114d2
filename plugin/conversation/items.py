"""Find the items that a question names, also loosely or misspelt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from whythis.auditing.mentions import quotations
from whythis.conversation.spelling import Spelling, Word, allowed, words_of
from whythis.recsys.scorer import Scorer
from whythis.recsys.titles import cut

SURE = 0.6
"""Least score of a match that needs nothing else to speak for it."""
MOST_CHOICES = 8
LONGEST = 1000
"""Characters of a question in which items are looked for."""

_WIDEST = 12  # words of a misspelt name, at most
_LONGEST_NAME = 40  # words of an exact name, at most
_ARTICLES = frozenset({"the", "a", "an"})
_EDIT = 2.5  # letters of a name that one edit takes from its worth
_SEGMENT = re.compile(r"\s*[:|(\[]\s*|\s+[-–—]\s+|\s*[)\]]|,\s+")
_INVERTED = re.compile(r"(?i)^(.+), (the|a|an)$")
_NUMBERS = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "one": "1", "two": "2",
    "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "hundred": "100",
}  # fmt: skip


class Match(NamedTuple):
    """Hold a span of the question and an item it may name; several of one span are alternatives.

    score: 0..1; below `SURE` the words may as well mean something else.
    """

    item: str
    start: int
    end: int
    score: float


class _Found(NamedTuple):
    """Hold words of the question, the items they may name, and what that is worth."""

    first: int
    last: int
    rows: tuple[int, ...]
    score: float
    worth: float


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Find items by name: exact, without year or article, misspelt, or by a part of the title.

    ids, titles: of all items, titles without the year. years: where known, else None. likes: how
    often each item was liked; of items that a text may equally mean, the more liked comes first.
    common: words that are no hint of a title. Built once; its indexes are made when first needed.
    """

    ids: Sequence[str]
    titles: Sequence[str]
    years: Sequence[int | None] = ()
    likes: Sequence[int] = ()
    common: Collection[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, rec: Scorer, common: Collection[str] | None = None) -> Catalogue:
        """Return the catalogue of a recommender; `common`: default the English ones."""
        if common is None:
            from whythis.conversation.phrases import load_phrases

            common = load_phrases().plain
        years = [None if year != year else int(year) for year in rec.items["year"]]
        titles = [str(title) for title in rec.items["title"]]
        return cls(rec.item_ids.ids, titles, years, rec.likes.tolist(), common)

    def find(self, text: str, common: Collection[str] = ()) -> tuple[Match, ...]:
        """Return what a text names, in its order; alternatives of a span best first.

        `common`: more words that are no hint of a title. Only the first `LONGEST` characters are
        looked at.
        """
        text = text[:LONGEST]
        words = words_of(text)
        plain = [w.form in self.common or w.form in common or w.form.isdigit() for w in words]
        quoted = [(start, end) for start, end in quotations(text, ()) if end - start > 2]
        look = _Look(words, plain, [_stands_out(text, words, n, quoted) for n in range(len(words))])
        named = [*self._exact(look), *self._misspelt(look)]
        found = _apart(named)
        found = _apart([*found, *self._partial(look, found)])
        return tuple(
            Match(self.ids[row], words[one.first].start, words[one.last].end, one.score)
            for one in sorted(found)
            for row in one.rows
        )

    def _exact(self, look: _Look) -> Iterator[_Found]:
        known = self._names
        for first, last, key in look.windows(_LONGEST_NAME):
            if (rows := known.get(key)) is not None:
                score = look.exact(first, last)
                if key in self._parts and first == last and not look.stands_out[first]:
                    score = min(score, 0.55)
                yield _Found(first, last, rows, score, len(key) + 1.0)

    def _misspelt(self, look: _Look) -> Iterator[_Found]:
        windows = list(look.windows(_WIDEST))
        best: dict[tuple[int, int], tuple[int, list[int]]] = {}
        for name, at, edits in self._spelling.near([key for _, _, key in windows]):
            first, last, key = windows[at]
            if 0 < edits <= allowed(len(key) - look.article(first, last)):
                old = best.get((first, last), (edits, []))
                if edits < old[0]:
                    old = (edits, [])
                if edits == old[0]:
                    old[1].append(name)
                best[first, last] = old
        for (first, last), (edits, names) in best.items():
            keys = [self._keys[name] for name in names]
            rows = self._ranked({row for key in keys for row in self._names[key]})
            letters = max(map(len, keys))
            score = look.misspelt(first, last, letters, edits)
            yield _Found(first, last, rows[:MOST_CHOICES], score, letters - _EDIT * edits)

    def _partial(self, look: _Look, found: Sequence[_Found]) -> Iterator[_Found]:
        """Yield items by words of their titles, where the rest of the text names none."""
        taken = {n for one in found if one.score >= SURE for n in range(one.first, one.last + 1)}
        for first, last in look.runs(taken):
            forms = [w.form for w in look.words[first : last + 1]]
            telling = [w for n, w in enumerate(forms) if not look.plain[first + n]]
            rows = self._holding(telling)
            if not rows:
                continue
            said = f" {' '.join(forms)} "
            together = {row for row in rows if said in self._spaced[row]}
            loose = 0.0 if look.stands_out[first] or (together and len(telling) > 1) else 0.15
            few = self._ranked(together or rows)
            score = (0.7 if len(few) <= MOST_CHOICES else 0.6) - loose
            yield _Found(first, last, few[:MOST_CHOICES], score, 0.4 * sum(map(len, telling)))

    def _holding(self, forms: Sequence[str]) -> set[int]:
        """Return the items in whose titles all the words stand."""
        groups = sorted((self._by_word.get(form, frozenset()) for form in forms), key=len)
        return set(groups[0].intersection(*groups[1:])) if groups else set()

    def _ranked(self, rows: Iterable[int]) -> tuple[int, ...]:
        likes = self.likes or [0] * len(self.ids)
        return tuple(sorted(rows, key=lambda row: (-likes[row], self.ids[row])))

    @cached_property
    def _names(self) -> Mapping[str, tuple[int, ...]]:
        """Return the items by name, written without blanks; a part only where no title is so."""
        whole: dict[str, set[int]] = defaultdict(set)
        parts: dict[str, set[int]] = defaultdict(set)
        for row, title in enumerate(self.titles):
            year = self.years[row] if self.years else None
            for name in _whole_names(title):
                for key in _keys([w.form for w in words_of(name)]):
                    whole[key].add(row)
                    if year is not None:
                        whole[f"{key}{year}"].add(row)
            for name in _parts(title):
                for key in _keys([w.form for w in words_of(name)]):
                    parts[key].add(row)
        known = {key: self._ranked(rows) for key, rows in whole.items() if key}
        for key, rows in parts.items():
            if len(key) > 3 and key not in known and key not in self.common:
                known[key] = self._ranked(rows)[:MOST_CHOICES]
        return MappingProxyType(known)

    @cached_property
    def _parts(self) -> frozenset[str]:
        """Return the names that are only parts of titles."""
        whole = {
            key
            for title in self.titles
            for name in _whole_names(title)
            for key in _keys([w.form for w in words_of(name)])
        }
        return frozenset(
            key
            for title in self.titles
            for name in _parts(title)
            for key in _keys([w.form for w in words_of(name)])
            if key not in whole
        )

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(self._names)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self._keys)

    @cached_property
    def _spaced(self) -> Sequence[str]:
        return [f" {' '.join(w.form for w in words_of(title))} " for title in self.titles]

    @cached_property
    def _by_word(self) -> Mapping[str, frozenset[int]]:
        found: dict[str, set[int]] = defaultdict(set)
        for row, title in enumerate(self._spaced):
            for word in title.split():
                found[word].add(row)
        return {word: frozenset(rows) for word, rows in found.items()}


@dataclass(frozen=True)
class _Look:
    """Hold the words of one question.

    plain: which are common. stands_out: which are quoted, or have a capital that no sentence's
    beginning gave them.
    """

    words: Sequence[Word]
    plain: Sequence[bool]
    stands_out: Sequence[bool]

    def windows(self, widest: int) -> Iterator[tuple[int, int, str]]:
        """Yield first and last of neighbouring words with their letters, numbers also in digits."""
        forms = [word.form for word in self.words]
        for first in range(len(forms)):
            for last in range(first, min(len(forms), first + widest)):
                for key in _keys(forms[first : last + 1], articles=False):
                    yield first, last, key

    def article(self, first: int, last: int) -> int:
        """Return the letters of the article that the window begins with."""
        form = self.words[first].form
        return len(form) if last > first and form in _ARTICLES else 0

    def exact(self, first: int, last: int) -> float:
        """Return the score of words that are a name as it stands."""
        if not all(self.plain[first : last + 1]) or self.stands_out[first]:
            return 1.0
        return 0.7 if last - first > 1 else 0.5 if last == first else 0.55

    def misspelt(self, first: int, last: int, letters: int, edits: int) -> float:
        """Return the score of words that are a name but for some edits."""
        if all(self.plain[first : last + 1]):
            return 0.35 if letters > 4 else 0.25
        share = edits / letters
        return 0.95 - share if self.stands_out[first] or last > first else 0.8 - share

    def runs(self, taken: set[int]) -> Iterator[tuple[int, int]]:
        """Yield first and last of neighbouring words that are neither taken nor common.

        Up to two common words inside a run belong to it.
        """
        free = [n for n in range(len(self.words)) if n not in taken and not self.plain[n]]
        while free:
            first = last = free.pop(0)
            while free and free[0] - last <= 3 and not taken & {*range(last, free[0])}:
                last = free.pop(0)
            yield first, last


def _apart(found: Iterable[_Found]) -> list[_Found]:
    """Return those worth most, none overlapping; what is sure goes before what is not."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda f: (f.score < SURE, -f.worth, -f.score, f.first)):
        if all(one.last < other.first or one.first > other.last for other in kept):
            kept.append(one)
    return kept


def _stands_out(
    text: str, words: Sequence[Word], n: int, quoted: Sequence[tuple[int, int]]
) -> bool:
    word = words[n]
    if any(start < word.start and word.end < end for start, end in quoted):
        return True
    if not word.text[0].isupper() or word.form == "i" or n == 0:
        return False
    between = text[words[n - 1].end : word.start]
    opens = any(mark in between for mark in ".!?:\n")
    shouted = len(words) > 2 and sum(w.text.isupper() for w in words) > len(words) / 2
    return not opens and not shouted


def _keys(forms: Sequence[str], articles: bool = True) -> set[str]:
    """Return the ways to write words as one name: without the article, numbers as digits."""
    found = {"".join(forms)}
    if len(forms) > 1:
        digits = [_NUMBERS.get(form, form) for form in forms]
        found.add("".join(digits))
        if articles and forms[0] in _ARTICLES:
            found |= {"".join(forms[1:]), "".join(digits[1:])}
    return found


def _whole_names(title: str) -> Iterator[str]:
    """Yield a title as people may write all of it."""
    yield title
    if found := _INVERTED.match(title):
        yield f"{found[2]} {found[1]}"
    if len(short := cut(title)) < len(title):
        yield short.removesuffix("…")


def _parts(title: str) -> Iterator[str]:
    """Yield the parts between the title's own breaks: before a colon, in brackets."""
    segments = [part for part in _SEGMENT.split(title) if part.strip()]
    if len(segments) > 1:
        yield from segments
