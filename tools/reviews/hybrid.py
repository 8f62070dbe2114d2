"""Weigh an item's sentences by several measures at once, and choose a few that differ.

Every measure is a number in 0..1 (polarity: -1..1) that can be shown; a sentence's score is their
weighted sum. The choice is by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]

Part = Literal["vector", "central", "terms", "aspects", "polarity", "helpful", "length"]
"""What a score is made of; see `Weights`."""

PARTS: tuple[Part, ...] = get_args(Part)

_DECIMALS = 6
_WORD = re.compile(r"\w+")
_TELLING = (4, 35)  # words of a sentence that says something and can be quoted
_BLAND, _WORDY = 1, 80  # at and beyond these, it is as good as nothing
_VOTES = 3.0  # this many helpful votes count half of what any number can


class Weights(BaseModel):
    """Weigh the measures of a sentence; only their proportions matter.

    The values were chosen on one half of the users of Amazon Musical Instruments, see
    `whythis bench retrieval`; the other half, and the other data set, decided nothing.

    vector: cosine of the sentence to the query.
    central: cosine of the sentence to the mean of the item's sentences.
    terms: BM25 of the sentence for the query's words, as a part of the item's best.
    aspects: 1 - Π(1 - s w) over the aspects of the sentence, s = 1 where it judges one and 1/2
        where it only names it, w how much the pair wants it; see `wanted`.
    polarity: of its opinions, for or against as the tone asks; 0 where no tone is asked for.
    helpful: votes / (votes + 3); 0 where unknown.
    length: 1 for 4 to 35 words, less for those that are too short to say anything or too long.
    own, persona: what the user's own and the persona's care adds to how much an aspect is wanted.
    relevance: of the next sentence, against its likeness to those chosen; 1: likeness is no matter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector: float = Field(0.1, ge=0)
    central: float = Field(1.0, ge=0)
    terms: float = Field(0.1, ge=0)
    aspects: float = Field(1.0, ge=0)
    polarity: float = Field(0.2, ge=0)
    helpful: float = Field(0.1, ge=0)
    length: float = Field(0.25, ge=0)
    own: float = Field(1.0, ge=0)
    persona: float = Field(1.0, ge=0)
    relevance: float = Field(0.9, gt=0, le=1)

    def share(self, part: Part) -> float:
        """Return the share of a measure in the weighted mean, 0..1."""
        total = sum(float(getattr(self, other)) for other in PARTS)
        return float(getattr(self, part)) / (total or 1.0)

    def scores(self, parts: Mapping[Part, Floats]) -> Floats:
        """Return the weighted mean of the measures, one number a sentence, to six decimals."""
        # Rounded: equal sentences must tie whatever the order of this machine's sums.
        return np.round(sum(self.share(part) * parts[part] for part in PARTS), _DECIMALS)

    def wanted(
        self,
        shared: Mapping[str, float],
        own: Mapping[str, float],
        persona: Mapping[str, float],
    ) -> dict[str, float]:
        """Return min(1, shared (1 + own + persona)) for each aspect, the latter two weighted."""
        return {
            a: min(1.0, n * (1 + self.own * own.get(a, 0.0) + self.persona * persona.get(a, 0.0)))
            for a, n in shared.items()
        }


def bm25(texts: Sequence[str]) -> Callable[[str], Floats]:
    """Return what tells how well each text answers a query's words, 1 for the best of them.

    BM25 (Lucene's form, k1 = 1.5, b = 0.75) over these texts alone; 0 where no word is shared.
    """
    import bm25s

    def words(texts: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            list(texts), stopwords="en", return_ids=False, show_progress=False
        )
        return found

    tokens = words(texts)
    index = bm25s.BM25()
    if any(tokens):
        index.index(tokens, show_progress=False)

    def answer(query: str) -> Floats:
        asked = list(dict.fromkeys(words([query])[0])) if any(tokens) else []
        known = index.get_tokens_ids(asked) if asked else []
        if not known:
            return np.zeros(len(texts))
        scores = np.asarray(index.get_scores_from_ids(known), dtype=np.float64)
        best = float(scores.max())
        return scores / best if best > 0 else scores

    return answer


def cosines(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> Floats:
    """Return the cosine of unit rows, (n, d), to a vector of any length, (d,); below 0 is 0."""
    length = float(np.linalg.norm(query))
    if not length:
        return np.zeros(len(vectors))
    found = vectors.astype(np.float64) @ (query.astype(np.float64) / length)
    return np.clip(np.round(found, _DECIMALS), 0.0, 1.0)


def lengths(texts: Sequence[str]) -> Floats:
    """Return how well each text's length suits a quotation, 0..1, straight between the limits."""
    counts = [len(_WORD.findall(text)) for text in texts]
    xs, ys = (_BLAND, *_TELLING, _WORDY), (0.0, 1.0, 1.0, 0.0)
    return np.asarray(np.interp(counts, xs, ys), dtype=np.float64)


def helpfulness(votes: Sequence[float | None]) -> Floats:
    """Return votes / (votes + 3), 0..1; 0 where unknown."""
    known = np.array([v or 0.0 for v in votes], dtype=np.float64).clip(min=0.0)
    return known / (known + _VOTES)


def coverage(spoken: Mapping[str, float], wanted: Mapping[str, float]) -> float:
    """Return 1 - Π(1 - s w) over the aspects that a sentence speaks of, 0..1.

    spoken: how much it says of each, s; wanted: the weight w of each; both 0..1.
    """
    return 1.0 - prod(1.0 - s * wanted.get(aspect, 0.0) for aspect, s in spoken.items())


def diverse(
    base: Floats,
    spoken: Sequence[Mapping[str, float]],
    wanted: Mapping[str, float],
    vectors: NDArray[np.float32],
    reviews: Sequence[str],
    weights: Weights,
) -> Iterator[int]:
    """Yield all rows, each the best left of relevance * score - (1 - relevance) * likeness.

    base: the scores without aspects, which are added here: of what a row yielded before has said
    of an aspect, a later row gets nothing again (no measure of likeness by aspects is needed).
    likeness: the largest cosine to a row yielded before, where relevance is below 1. Each review
    gives one row before any gives another. Equal values are decided by the order of the rows.
    """
    left, likeness = list(range(len(base))), np.zeros(len(base))
    aspects = np.array([coverage(named, wanted) for named in spoken])
    told: dict[str, float] = {}
    quoted: set[str] = set()
    share, relevance = weights.share("aspects"), weights.relevance
    while left:
        fresh = [row for row in left if reviews[row] not in quoted] or left
        scores = base[fresh] + share * aspects[fresh]
        worth = np.round(relevance * scores - (1 - relevance) * likeness[fresh], _DECIMALS)
        best = fresh[int(np.argmax(worth))]
        yield best
        left.remove(best)
        quoted.add(reviews[best])
        if relevance < 1:
            likeness = np.maximum(likeness, cosines(vectors, vectors[best]))
            told |= {a: max(s, told.get(a, 0.0)) for a, s in spoken[best].items()}
            for row in left:
                if not spoken[best].keys().isdisjoint(spoken[row]):
                    new = {a: max(0.0, s - told.get(a, 0.0)) for a, s in spoken[row].items()}
                    aspects[row] = coverage(new, wanted)
