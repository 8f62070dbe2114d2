"""Measure how well aspects are read: against labelled sentences, and against Sentires.

The sentences were labelled by one reader before the rules had read them; half of them ("dev") were
looked at while the rules were written, the other half ("held") were not. Sentires' features of
Musical Instruments were extracted by another tool: to agree with it is no proof of being right.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from whythis.bench.datasets import folder_of, read
from whythis.bench.result import Result, arguments, report, tell
from whythis.bench.sentires import read_sentires
from whythis.recsys.errors import DataError
from whythis.tools.reviews.parsing import read_texts, singular
from whythis.tools.reviews.sentences import split
from whythis.tools.reviews.vocabulary import Row, learn, resolve

SENTIRES = "mi_user_feature_sentiment.json.gz"

_Signs = dict[str, float]


class Score(NamedTuple):
    """Count what was found and is right, was found, was to be found, and of which polarity."""

    right: int
    found: int
    wanted: int
    agree: int
    judged: int

    def figures(self, name: str) -> dict[str, float]:
        """Return precision, recall and the agreement of polarities."""
        return {
            f"{name}: precision": self.right / max(1, self.found),
            f"{name}: recall": self.right / max(1, self.wanted),
            f"{name}: polarity agrees": self.agree / max(1, self.judged),
            f"{name}: pairs": self.wanted,
        }


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; `--quick` reads the labelled sentences only."""
    options = arguments(__doc__, "musical-instruments").parse_args(argv)
    labelled = tomllib.loads(files("whythis.bench").joinpath("aspects.toml").read_text("utf-8"))
    reviews = {name: read(name).reviews for name in ("musical-instruments", "beauty")}
    figures: dict[str, float] = {}
    for part in ("dev", "held"):
        chosen = [s for s in labelled["sentence"] if s["part"] == part]
        figures |= on_sentences(chosen, reviews).figures(f"{part} sentences")
    notes = [
        "an aspect is right where its last word is that of a labelled one",
        "labelled by one reader, before the rules were run on any of them; dev was tuned on",
    ]
    if not options.quick:
        more, said = against_sentires(reviews["musical-instruments"], options.seed)
        figures |= more
        notes += said
    rows = [("figure", "value"), *((name, f"{value:.3f}") for name, value in figures.items())]
    data = "musical-instruments, beauty"
    return report(Result("aspects", data, options.seed, figures, (), rows, notes), options)


def on_sentences(
    labelled: Sequence[Mapping[str, Any]], reviews: Mapping[str, pd.DataFrame]
) -> Score:
    """Return how the rules do on labelled sentences.

    Raises `DataError` where one is not the sentence that was labelled.
    """
    texts = {name: frame.set_index(["user", "item"])["text"] for name, frame in reviews.items()}
    right = found = wanted = agree = 0
    for one in labelled:
        told: _Signs = defaultdict(float)
        for reading in read_texts(_sentences(one, texts[one["data"]])):
            for judged in reading.judged:
                told[judged.aspect] += judged.polarity
        left = dict(one["judged"])
        found, wanted = found + sum(map(bool, told.values())), wanted + len(left)
        for aspect, sign in told.items():
            same = next((a for a in left if a.split()[-1] == aspect.split()[-1]), None)
            if sign and same is not None:
                right += 1
                agree += left.pop(same) * sign > 0
    return Score(right, found, wanted, agree, right)


def against_sentires(reviews: pd.DataFrame, seed: int) -> tuple[dict[str, float], list[str]]:
    """Return how the features of users agree with Sentires', and on how many users that rests."""
    folder = folder_of("musical-instruments", "amazon_mi5")
    theirs = read_sentires(folder.parent / SENTIRES, _in_file_order(folder), seed)
    sentences = [
        (user, span.text)
        for user, text in zip(reviews["user"], reviews["text"], strict=True)
        for span in split(text)
    ]
    tell(f"reading {len(sentences)} sentences")
    readings = list(read_texts(text for _, text in sentences))
    rows = [
        Row(user, r.nouns, [j.aspect for j in r.judged], [j.opinion for j in r.judged])
        for (user, _), r in zip(sentences, readings, strict=True)
    ]
    known = learn(rows)
    ours: dict[str, _Signs] = defaultdict(lambda: defaultdict(float))
    for (user, _), reading in zip(sentences, readings, strict=True):
        for judged in reading.judged:
            if (aspect := resolve(judged.aspect, known)) is not None:
                ours[user][aspect] += judged.polarity
    given = {user: _named(features) for user, features in theirs.features.items()}
    shared = known.keys() & {name for features in given.values() for name in features}
    figures = _agreement(ours, given, None).figures("sentires, whole vocabulary")
    figures |= _agreement(ours, given, shared).figures("sentires, shared vocabulary")
    figures |= {
        "sentires: users aligned": len(given),
        "sentires: users in all": theirs.of,
        "sentires: other half present": theirs.present,
        "sentires: other half present by chance": theirs.chance,
        "vocabulary": len(known),
        "vocabulary shared": len(shared),
    }
    note = (
        f"Sentires numbers its users; {len(given)} of {theirs.of} are found by both halves of "
        "their features, and only these are compared: they are the ones with more features"
    )
    return figures, [note]


def _in_file_order(folder: Path) -> pd.DataFrame:
    """Return who wrote what, summaries included, as the reviews follow each other in the file."""
    lines = pd.read_json(folder / "reviews_Musical_Instruments_5.json.gz", lines=True)
    text = lines["reviewText"].str.cat(lines["summary"], sep=" ")
    return pd.DataFrame({"user": lines["reviewerID"], "text": text})


def _agreement(
    ours: Mapping[str, _Signs], theirs: Mapping[str, _Signs], only: Iterable[str] | None
) -> Score:
    right = found = wanted = agree = judged = 0
    kept = None if only is None else set(only)
    for user, features in theirs.items():
        told = {a: v for a, v in ours.get(user, {}).items() if kept is None or a in kept}
        there = {a: v for a, v in features.items() if kept is None or a in kept}
        both = told.keys() & there.keys()
        right, found, wanted = right + len(both), found + len(told), wanted + len(there)
        signs = [told[a] * there[a] for a in both if told[a] and there[a]]
        agree, judged = agree + sum(s > 0 for s in signs), judged + len(signs)
    return Score(right, found, wanted, agree, judged)


def _named(features: Mapping[str, float]) -> _Signs:
    """Return the features in the singular, those of both numbers added up."""
    found: _Signs = defaultdict(float)
    for name, value in features.items():
        found[" ".join(map(singular, name.split()))] += value
    return found


def _sentences(one: Mapping[str, Any], texts: pd.Series[str]) -> list[str]:
    """Return the labelled sentence, which a line break may have split."""
    spans = [
        s.text for s in split(texts[one["user"], one["item"]]) if any(map(str.isalnum, s.text))
    ]
    first, last = one["sentences"]
    found = spans[first - 1 : last]
    if sha256(" ".join(" ".join(found).split()).encode()).hexdigest()[:12] != one["sha256"]:
        raise DataError(
            f"sentence {first} of the review of {one['item']} by {one['user']} in {one['data']} is "
            "not the one that was labelled; get the data set it was drawn from"
        )
    return found
