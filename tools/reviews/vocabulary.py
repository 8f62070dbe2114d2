"""Learn from a corpus of reviews which nouns are aspects: those that its reviewers judge.

After Hu & Liu (KDD 2004), who keep what many reviewers speak of, and Qiu et al. (Computational
Linguistics 2011), who keep what stands in relation to opinion words; here, more than nouns do on
average, so that "way" or "year" is left out without being listed anywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

REVIEWERS = 3
"""At least so many reviewers judge an aspect."""

_LIFT = 0.75


class Row(NamedTuple):
    """Hold who wrote a sentence, its nouns and those judged in it, as opinion words and aspects."""

    user: str
    nouns: Sequence[str]
    aspects: Sequence[str]
    opinions: Sequence[str]


def learn(rows: Iterable[Row]) -> dict[str, int]:
    """Return the aspects with the number of reviewers who judge each, the most first.

    A noun is one where at least 3 reviewers judge it, where it is judged at least 0.75 times as
    often as nouns are on average (judged mentions over mentions), and where it is not itself more
    often an opinion. A compound that is none counts for the noun it ends with. The order of the
    rows does not matter.
    """
    rows = list(rows)
    whole = _kept(rows, {})
    compounds = {aspect for aspect in whole if " " in aspect}
    named = {noun: _shortened(noun, compounds) for row in rows for noun in row.nouns}
    found = _kept(rows, named)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def resolve(aspect: str, vocabulary: Mapping[str, int]) -> str | None:
    """Return the longest end of a compound that is in the vocabulary; None where there is none."""
    parts = aspect.split()
    ends = (" ".join(parts[start:]) for start in range(len(parts)))
    return next((end for end in ends if end in vocabulary), None)


def _shortened(noun: str, compounds: set[str]) -> str:
    parts = noun.split()
    ends = (" ".join(parts[start:]) for start in range(len(parts) - 1))
    return next((end for end in ends if end in compounds), parts[-1])


def _kept(rows: Iterable[Row], named: Mapping[str, str]) -> dict[str, int]:
    spoken: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    judging: Counter[str] = Counter()
    reviewers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        spoken.update({named.get(noun, noun) for noun in row.nouns})
        aspects = {named.get(aspect, aspect) for aspect in row.aspects}
        judged.update(aspects)
        judging.update(set(row.opinions))
        for aspect in aspects:
            reviewers[aspect].add(row.user)
    usual = judged.total() / max(1, spoken.total())
    return {
        aspect: len(users)
        for aspect, users in reviewers.items()
        if len(users) >= REVIEWERS
        and judged[aspect] >= _LIFT * usual * spoken[aspect]
        and judged[aspect] >= judging[aspect]
    }
