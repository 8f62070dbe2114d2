"""Find again which aspects reviews judge, from the table of opinions and without the package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

_REVIEWERS, _LIFT = 3, 0.75


class Judged(NamedTuple):
    """Hold that a sentence judges an aspect, 1 or -1."""

    sentence: str
    aspect: str
    polarity: int


def judgements(table: Path) -> dict[str, list[Judged]]:
    """Return what each sentence judges, by its id, on the aspects that the corpus knows."""
    rows = [{str(k): v for k, v in r.items()} for r in pd.read_parquet(table).to_dict("records")]
    known = _vocabulary(rows)
    found: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        for aspect, polarity in zip(row["aspects"], row["polarities"], strict=True):
            ends = [end for end in _ends(aspect) if end in known]
            if ends:
                found[row["sentence"]].append(Judged(row["sentence"], ends[0], int(polarity)))
    return found


def _vocabulary(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    whole = {aspect for aspect in _judged_enough(rows, {}) if " " in aspect}
    short = {}
    for noun in {noun for row in rows for noun in (*row["nouns"], *row["aspects"])}:
        ends = list(_ends(noun))
        short[noun] = next((end for end in ends[:-1] if end in whole), ends[-1])
    return _judged_enough(rows, short)


def _judged_enough(rows: Sequence[Mapping[str, Any]], short: Mapping[str, str]) -> set[str]:
    spoken: dict[str, int] = defaultdict(int)
    judged: dict[str, int] = defaultdict(int)
    judging: dict[str, int] = defaultdict(int)
    who: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for noun in {short.get(n, n) for n in row["nouns"]}:
            spoken[noun] += 1
        for word in set(row["opinions"]):
            judging[word] += 1
        for aspect in {short.get(a, a) for a in row["aspects"]}:
            judged[aspect] += 1
            who[aspect].add(row["user"])
    usual = sum(judged.values()) / max(1, sum(spoken.values()))
    return {
        a
        for a, users in who.items()
        if len(users) >= _REVIEWERS
        and judged[a] >= _LIFT * usual * spoken[a]
        and judged[a] >= judging[a]
    }


def _ends(compound: str) -> Iterator[str]:
    parts = compound.split()
    yield from (" ".join(parts[start:]) for start in range(len(parts)))
