"""Find names that a misspelt word may have meant, in one pass over indexes of letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

_WORD = re.compile(r"[^\W_]+(?:['’´`][^\W_]+)*|&")
_APOSTROPHES = str.maketrans("", "", "'’´`")
_SHORT = 12  # letters up to which every form with one letter less is indexed
_CODES = 1 << 18
_NEAREST = 64


class Word(NamedTuple):
    """Hold a word as written, where it stands, and its form: letters and digits, no accents."""

    text: str
    start: int
    end: int
    form: str


def words_of(text: str) -> list[Word]:
    """Return the words of a text in order; "&" is the word "and"."""
    return [
        Word(m.group(), m.start(), m.end(), form)
        for m in _WORD.finditer(text)
        if (form := folded_word(m.group()))
    ]


@lru_cache(maxsize=4096)
def folded_word(word: str) -> str:
    """Return a word as it is compared: no case, accents or apostrophes."""
    if word == "&":
        return "and"
    plain = word.casefold().translate(_APOSTROPHES)
    if plain.isascii():
        return plain
    apart = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in apart if c.isalnum()).casefold()


def allowed(length: int) -> int:
    """Return how many edits a name of so many letters may have and still be meant."""
    return 0 if length < 3 else 1 if length < 8 else 2 if length < 15 else 3


@dataclass(frozen=True, eq=False)
class Spelling:
    """Find the names near to a text: those of `names` with few edits to one of its windows.

    An edit inserts, deletes or changes a letter, or swaps two neighbours. Short names are found by
    their forms with one letter less, long ones by the trigrams that they share with the text, so
    that a question takes milliseconds with 100,000 names.
    """

    names: Sequence[str]

    def near(self, windows: Sequence[str]) -> list[tuple[int, int, int]]:
        """Return (name, window, edits) of every name that is near enough to a window.

        `windows`: forms of neighbouring words of the text, each without blanks.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        unique = list(dict.fromkeys(windows))
        if not unique or not self.names:
            return []
        some = np.union1d(self._by_deletion(unique), self._by_trigrams(unique))
        if not len(some):
            return []
        names = [self.names[n] for n in some.tolist()]
        most = np.array([allowed(len(name)) for name in names])
        found = process.cdist(names, unique, scorer=OSA.distance, score_cutoff=3, dtype=np.int32)
        places: dict[str, list[int]] = {}
        for at, window in enumerate(windows):
            places.setdefault(window, []).append(at)
        return [
            (int(some[row]), at, int(found[row, column]))
            for row, column in np.argwhere(found <= most[:, None]).tolist()
            for at in places[unique[column]]
        ]

    def _by_deletion(self, windows: Sequence[str]) -> Indices:
        keys, names = self._deletions
        short = [w for w in windows if len(w) <= _SHORT + 1]
        asked = np.array([hash(form) for w in short for form in _shortened(w)], dtype=np.int64)
        return np.asarray(names[_runs(keys, np.unique(asked))], dtype=np.int64)

    @cached_property
    def _deletions(self) -> tuple[Indices, Indices]:
        """Return hashes of the shortened forms in order, and the name of each."""
        pairs = [
            (hash(form), n)
            for n, name in enumerate(self.names)
            if len(name) <= _SHORT
            for form in _shortened(name)
        ]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        order = np.argsort(both[:, 0], kind="stable")
        return both[order, 0], both[order, 1]

    def _by_trigrams(self, windows: Sequence[str]) -> Indices:
        codes, names, totals = self._trigrams
        asked = np.unique(_trigrams("\n".join(windows))[0])
        hits = np.bincount(names[_runs(codes, asked)], minlength=len(self.names))
        # two edits in a name of 12 letters leave it 3 of 10 trigrams
        some = np.flatnonzero((hits >= 3) & (hits >= 0.3 * totals))
        worth = hits[some] - 0.5 * totals[some]
        if len(some) > _NEAREST:
            some = some[np.argpartition(-worth, _NEAREST)[:_NEAREST]]
        return np.asarray(some, dtype=np.int64)

    @cached_property
    def _trigrams(self) -> tuple[Indices, Indices, Indices]:
        """Return the codes of trigrams in order, the name of each, and how many each name has."""
        long = [n for n, name in enumerate(self.names) if len(name) >= _SHORT - 3]
        if not long:
            empty = np.empty(0, dtype=np.int64)
            return empty, empty, np.zeros(len(self.names), dtype=np.int64)
        codes, at = _trigrams("\n".join(self.names[n] for n in long))
        both = np.unique(np.stack([codes, np.array(long)[at]]), axis=1)
        totals = np.bincount(both[1], minlength=len(self.names))
        return both[0], both[1], totals


def _shortened(name: str) -> set[str]:
    return {name} | {name[:n] + name[n + 1 :] for n in range(len(name))}


def _trigrams(text: str) -> tuple[Indices, Indices]:
    """Return the code of every trigram, none across a line break, and its line."""
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
    breaks = points == 10
    lines = np.cumsum(breaks)
    if len(points) < 3:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    codes = (points[:-2] * 7919 + points[1:-1] * 104729 + points[2:] * 1299709) % _CODES
    whole = ~(breaks[:-2] | breaks[1:-1] | breaks[2:])
    return codes[whole], lines[:-2][whole]


def _runs(keys: Indices, asked: Indices) -> Indices:
    """Return the places at which any of the asked stands in a sorted array."""
    low, high = np.searchsorted(keys, asked, "left"), np.searchsorted(keys, asked, "right")
    counts = high - low
    starts = np.repeat(low - np.cumsum(counts) + counts, counts)
    return np.asarray(starts + np.arange(counts.sum()), dtype=np.int64)
