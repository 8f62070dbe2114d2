"""Hold back each user's last review, and make a workspace that has never seen one of them."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from whythis.bench.datasets import folder_of
from whythis.recsys.errors import DataError
from whythis.recsys.interactions import Dataset
from whythis.recsys.split import leave_last_out
from whythis.tools.reviews.opinions import OpinionTable, read_opinions
from whythis.tools.reviews.sentences import split
from whythis.tools.reviews.store import Sentence
from whythis.tools.reviews.vocabulary import resolve

_SENTIRES = "mi_user_feature_sentiment.json.gz"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class HeldOut:
    """Hold what a user wrote of the last item; time: seconds since 1970, None where unknown."""

    user: str
    item: str
    review: str
    time: float | None
    text: str

    def sentences(self) -> list[Sentence]:
        """Return its sentences, as an index would hold them."""
        return [
            Sentence(
                id=f"{self.review}#{n}",
                review=self.review,
                item=self.item,
                user=self.user,
                time=self.time,
                text=span.text,
                start=span.start,
                end=span.end,
                source="held back",
            )
            for n, span in enumerate(split(self.text), start=1)
        ]


def held_out(dataset: Dataset, seed: int) -> tuple[Dataset, list[HeldOut]]:
    """Return the data set without the last event of each user, and what was written of those.

    Both the interaction and the review go, so that neither the model, the user's past, the index,
    the aspects nor their vocabulary know of them. Users with fewer than three events keep them all.
    Where there are no times, the last event is one drawn by `seed`.
    """
    last = set(map(tuple, leave_last_out(dataset, seed).test[["user", "item"]].to_numpy()))

    def is_last(user: Iterable[str], item: Iterable[str]) -> list[bool]:
        return [pair in last for pair in zip(user, item, strict=True)]

    events, reviews = dataset.interactions, dataset.reviews
    gone = reviews[is_last(reviews["user"], reviews["item"])]
    found = [
        HeldOut(user, item, review, None if time != time else float(time), text)
        for user, item, review, time, text in zip(
            *(gone[name] for name in ("user", "item", "id", "time", "text")), strict=True
        )
    ]
    kept = replace(
        dataset,
        interactions=events[[not it for it in is_last(events["user"], events["item"])]].reset_index(
            drop=True
        ),
        reviews=reviews[~reviews["id"].isin(gone["id"])].reset_index(drop=True),
    )
    return kept, found


class Reader(Protocol):
    """Read which features are spoken of."""

    def of_sentence(self, sentence: Sentence) -> frozenset[str]:
        """Return the features of a stored sentence."""
        ...

    def of_reviews(self, reviews: Sequence[HeldOut]) -> dict[str, frozenset[str]]:
        """Return the features of held-back reviews, by their ids."""
        ...


class Words:
    """Find the features of a fixed list in text: whole words or pairs of words, in any case."""

    def __init__(self, known: Collection[str]) -> None:
        """Take the list over."""
        self._known = frozenset(name.casefold() for name in known)

    def of_sentence(self, sentence: Sentence) -> frozenset[str]:
        """Return the features that stand in a sentence."""
        return self._of(sentence.text)

    def of_reviews(self, reviews: Sequence[HeldOut]) -> dict[str, frozenset[str]]:
        """Return the features that stand in each review."""
        return {held.review: self._of(held.text) for held in reviews}

    def _of(self, text: str) -> frozenset[str]:
        words = _WORD.findall(text.casefold())
        return self._known.intersection([*words, *map(" ".join, pairwise(words))])


class Opinions:
    """Find what is judged: in stored sentences from the table, in held-back ones by its rules.

    Only aspects of the table's vocabulary count; the held-back reviews have no part in it.
    """

    def __init__(self, table: OpinionTable) -> None:
        """Take the table over."""
        self._table = table
        self._read: dict[str, dict[str, set[str]]] = {}

    def of_sentence(self, sentence: Sentence) -> frozenset[str]:
        """Return the aspects that a stored sentence judges."""
        if sentence.item not in self._read:
            found: dict[str, set[str]] = defaultdict(set)
            for opinion in self._table.of_item(sentence.item):
                found[opinion.sentence].add(opinion.aspect)
            self._read[sentence.item] = found
        return frozenset(self._read[sentence.item].get(sentence.id, ()))

    def of_reviews(self, reviews: Sequence[HeldOut]) -> dict[str, frozenset[str]]:
        """Return the aspects that each review judges."""
        found: dict[str, set[str]] = {held.review: set() for held in reviews}
        for opinion in read_opinions([s for held in reviews for s in held.sentences()]):
            if (aspect := resolve(opinion.aspect, self._table.vocabulary)) is not None:
                found[opinion.review].add(aspect)
        return {review: frozenset(aspects) for review, aspects in found.items()}


def sentires() -> Words:
    """Return the feature list that Sentires made of Musical Instruments: nothing of ours is in it.

    Raises `MissingPartError` where the file is not on this machine, `DataError` where it is broken.
    """
    path = folder_of("musical-instruments", "amazon_mi5").parent / _SENTIRES
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return Words(json.load(file)["features"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} cannot be read ({error}); fetch it again") from error


def covered(said: Iterable[Collection[str]], held: Collection[str]) -> float:
    """Return the share of the features in `held` that are said in any of the sentences, 0..1."""
    together = {feature for named in said for feature in named}
    return len(together.intersection(held)) / len(held)
