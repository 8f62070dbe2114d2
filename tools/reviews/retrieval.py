"""Find the sentences of an item's reviews that speak to one user: retrieval for the pair.

What speaks to the user is asked of the recommender: the persona that lifts this item most when it
is there, by an executed deletion; and of the user's own reviews of other items. What may be
evidence is decided by the workspace: never the user's own review of the item, nothing written at
the explained moment or later, no wording twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from whythis.recsys.errors import DataError
from whythis.tools.reviews.hybrid import (
    PARTS,
    Floats,
    Part,
    Weights,
    bm25,
    cosines,
    coverage,
    diverse,
    helpfulness,
    lengths,
)
from whythis.tools.reviews.query import Query, named, query, question
from whythis.tools.reviews.store import Sentence
from whythis.tools.tones import Tone, tone_of
from whythis.tools.workspace import Workspace

WEIGHTS = Weights()
QUESTION = Weights(vector=1.0, central=0.0, terms=0.5, aspects=0.5)
"""For a question in someone's own words, which alone decides; these were not tuned."""

_NAMED = 0.5  # what naming an aspect says of it, where judging it says 1


class Hit(BaseModel):
    """Hold a chosen sentence and why it was chosen.

    score: the weighted mean of `parts`, see `Weights`, to six decimals. aspects: those of the
    sentence that matter to the pair, most wanted first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: Sentence
    score: float
    parts: Mapping[Part, float]
    aspects: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pool:
    """Hold the sentences to choose from, n, in the order of their ids, and each one's measures.

    vectors: (n, d) of length 1; parts: n numbers each, all but the aspects; spoken: how much each
    sentence says of an aspect, 1 where it judges it and 1/2 where it names it; shared: the share
    of the item's reviews that speak of each; tones: of each review, None where it has none.
    """

    sentences: tuple[Sentence, ...]
    vectors: NDArray[np.float32]
    parts: Mapping[Part, Floats]
    spoken: tuple[Mapping[str, float], ...]
    shared: Mapping[str, float]
    asked: Query
    tones: tuple[Tone | None, ...]
    weights: Weights = WEIGHTS

    def choose(
        self, n: int, tone: Tone | None = None, weights: Weights | None = None
    ) -> tuple[Hit, ...]:
        """Return up to n sentences that may be quoted, are good and differ, the best first.

        tone: only of such reviews; their sentences' own polarity then counts for or against them.
        Raises `DataError` where n is below 1.
        """
        if n < 1:
            raise DataError(f"n is {n}: ask for at least 1 sentence")
        weights = weights or self.weights
        sign = {"favourable": 1.0, "critical": -1.0, None: 0.0}[tone]
        wanted = weights.wanted(self.shared, self.asked.own, self.asked.persona)
        base = {
            **self.parts,
            "polarity": sign * self.parts["polarity"],
            "aspects": np.zeros(len(self.sentences)),
        }
        told = np.array([coverage(named, wanted) for named in self.spoken])
        parts = {**base, "aspects": told}
        scores = weights.scores(parts)
        rows = [row for row in range(len(scores)) if tone is None or self.tones[row] == tone]
        ranked = diverse(
            weights.scores(base)[rows],
            [self.spoken[row] for row in rows],
            wanted,
            self.vectors[rows],
            [self.sentences[row].review for row in rows],
            weights,
        )
        quotable = (rows[at] for at in ranked if self.sentences[rows[at]].quotable)
        return tuple(
            Hit(
                sentence=self.sentences[row],
                score=float(scores[row]),
                parts={part: float(parts[part][row]) for part in PARTS},
                aspects=_first(self.spoken[row], wanted),
            )
            for row in islice(quotable, n)
        )


def retrieve(
    ws: Workspace,
    user: str,
    item: str,
    *,
    about: str | None = None,
    n: int = 2,
    tone: Tone | None = None,
) -> tuple[Hit, ...]:
    """Return up to n sentences of the item's reviews that speak to the user, the best first.

    about: a question in the place of what is known of the user, unless blank. tone: of reviews, by
    their ratings; those without a rating have none. For a user without history, and where the
    model is not known, the item's most telling and helpful sentences are found. Where opinions were
    not read, everything about aspects is 0. Deterministic: equal scores go by review and place.

    Raises:
        DataError: n is below 1.
        MissingPartError: there is no review index.
    """
    return pool(ws, user, item, about).choose(n, tone)


def pool(ws: Workspace, user: str, item: str, about: str | None = None) -> Pool:
    """Return every sentence that may be evidence, measured; raises as `retrieve`."""
    stored, rows = ws.store().vectors_of_item(item)
    kept = ws.item_sentences(user, item, stored)
    if not kept:
        nothing = {part: np.zeros(0) for part in PARTS}
        return Pool((), rows[:0], nothing, (), {}, Query(""), ())
    given = ws.measured.get(kept, lambda: _measured(ws, kept, dict(zip(stored, rows, strict=True))))
    asks = bool(about and about.strip())
    asked = question(ws, about) if about and asks else query(ws, user, item)
    # what others speak of is no answer to a question
    shared = dict(asked.own) if asks else given.shared
    parts = {**given.parts, "vector": np.zeros(len(kept)), "terms": given.terms(asked.text)}
    if asks:
        parts["central"] = np.zeros(len(kept))
    if asked.text:
        parts["vector"] = cosines(given.vectors, ws.store().embed([asked.text])[0])
    weights = QUESTION if asks else WEIGHTS
    return Pool(kept, given.vectors, parts, given.spoken, shared, asked, given.tones, weights)


@dataclass(frozen=True, eq=False)
class Measured:
    """Hold what sentences of an item say whoever asks; see `Pool`. terms: `bm25` over them."""

    vectors: NDArray[np.float32]
    parts: Mapping[Part, Floats]
    spoken: tuple[Mapping[str, float], ...]
    shared: Mapping[str, float]
    tones: tuple[Tone | None, ...]
    terms: Callable[[str], Floats]


def _measured(
    ws: Workspace, kept: Sequence[Sentence], row_of: Mapping[Sentence, NDArray[np.float32]]
) -> Measured:
    vectors = np.stack([row_of[sentence] for sentence in kept])
    opinions = _opinions(ws, kept[0].item)
    spoken = tuple(
        dict.fromkeys(named(ws, s.text), _NAMED) | dict.fromkeys(opinions.get(s.id, ()), 1.0)
        for s in kept
    )
    texts = [s.text for s in kept]
    parts: dict[Part, Floats] = {
        "central": cosines(vectors, vectors.mean(axis=0)),
        "polarity": _polarity([opinions.get(s.id, {}) for s in kept]),
        "helpful": helpfulness([s.helpful for s in kept]),
        "length": lengths(texts),
    }
    tones = tuple(tone_of(ws, s.rating) for s in kept)
    return Measured(vectors, parts, spoken, _shared(kept, spoken), tones, bm25(texts))


def _opinions(ws: Workspace, item: str) -> dict[str, dict[str, int]]:
    """Return the polarity of each aspect that a sentence of the item judges."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for opinion in ws.opinions.of_item(item) if ws.opinions else ():
        found[opinion.sentence][opinion.aspect] = opinion.polarity
    return found


def _shared(sentences: Sequence[Sentence], spoken: Sequence[Collection[str]]) -> dict[str, float]:
    """Return the share of the item's reviews that speak of each aspect, 0..1."""
    reviews: dict[str, set[str]] = defaultdict(set)
    for sentence, aspects in zip(sentences, spoken, strict=True):
        for aspect in aspects:
            reviews[aspect].add(sentence.review)
    every = len({sentence.review for sentence in sentences})
    return {aspect: len(found) / every for aspect, found in reviews.items()}


def _polarity(opinions: Sequence[Mapping[str, int]]) -> Floats:
    """Return the mean polarity of each sentence's opinions, -1..1; 0 where it has none."""
    return np.array([sum(found.values()) / max(1, len(found)) for found in opinions])


def _first(spoken: Collection[str], wanted: Mapping[str, float]) -> tuple[str, ...]:
    """Return the aspects of a sentence that are wanted, most wanted first."""
    found = (aspect for aspect in spoken if wanted.get(aspect, 0.0) > 0)
    return tuple(sorted(found, key=lambda aspect: (-wanted[aspect], aspect)))
