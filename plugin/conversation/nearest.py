"""Route a question by examples: its meaning and what the rules see of it, weighed by regression."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from whythis.conversation.examples import LABELS, Examples, load_examples
from whythis.conversation.intents import INTENTS, Context, Route
from whythis.conversation.items import Catalogue
from whythis.conversation.logistic import Floats, Logistic
from whythis.conversation.phrases import Phrases
from whythis.conversation.reading import Reading, masked
from whythis.conversation.routing import THRESHOLD, Guess, Rules, settled
from whythis.tools.reviews.embedding import Encoder, MiniLM

# Chosen by cross-validation on the examples.
_MEANING = 4.0  # how much the sentence's vector counts beside the rest
_RULED = 2.0  # how much the rules' points count
_PENALTY = 0.4
_ENOUGH = 0.4  # probability at which a guess is as often right as wrong
_MOST = 6.0  # points of the rules above which nothing more is gained
_TASTES = ("horror and thriller", "romance and comedy", "war and drama")  # in the examples


class Nearest:
    """Route by labelled examples; the same every time, on this machine, safe in threads.

    A logistic regression reads the vector of the question, titles masked, with the points that the
    rules give to each intent, and how much is named. Items, tastes and what opinions are asked of
    come from the rules. Learns from the examples when the first question comes, which takes some
    seconds; raises `MissingPartError` where the sentence encoder is not installed.
    """

    name = "nearest"

    def __init__(
        self,
        rules: Rules | None = None,
        encoder: Encoder | None = None,
        examples: Examples | None = None,
    ) -> None:
        """Take other parts than the packaged ones; nothing is computed yet."""
        self._rules = rules or Rules()
        self._encoder = encoder or MiniLM()
        self._examples = examples
        self._lock = threading.Lock()
        self._learned: Logistic | None = None

    @property
    def phrases(self) -> Phrases:
        """Return the rules' phrases."""
        return self._rules.phrases

    def route(self, text: str, context: Context, catalogue: Catalogue) -> Route:
        """Return what a question asks for; only its beginning is read."""
        reading = self.read(text, context, catalogue)
        return settled(self.guess(reading), reading, context, self.phrases)

    def read(self, text: str, context: Context, catalogue: Catalogue) -> Reading:
        """Return what the question names or refers back to."""
        return self._rules.read(text, context, catalogue)

    def guess(self, reading: Reading) -> Guess:
        """Return the likeliest intent; the confidence is 0.5 where it may as well be another."""
        if not reading.words:
            return self._rules.guess(reading)
        (vector,) = self._encoder.encode([_plain(reading)])
        shares = self._logistic().shares(self._row(reading, vector.astype(np.float64)))
        # what is unclear takes its share, and so the confidence, from every intent
        best = int(np.argmax(shares[: len(INTENTS)]))
        cues = self._rules.cues(reading).get(INTENTS[best])
        return Guess(
            INTENTS[best], _confidence(float(shares[best])), cues.words if cues else frozenset()
        )

    def _logistic(self) -> Logistic:
        with self._lock:
            if self._learned is None:
                self._learned = self._learn(self._examples or load_examples())
            return self._learned

    def _learn(self, examples: Examples) -> Logistic:
        told = [
            (reading, LABELS.index(label))
            for label in LABELS
            for reading in self._readings(examples[label])
        ]
        vectors = self._encoder.encode([_plain(reading) for reading, _ in told]).astype(np.float64)
        rows = [self._row(one, vector) for (one, _), vector in zip(told, vectors, strict=True)]
        classes = np.array([label for _, label in told])
        return Logistic.fit(np.array(rows), classes, len(LABELS), _PENALTY)

    def _readings(self, texts: tuple[str, ...]) -> Iterator[Reading]:
        """Yield examples as they would be read in a talk about two items called X and Y."""
        catalogue = Catalogue(["x", "y"], ["X", "Y"], [None, None], [2, 1], self.phrases.plain)
        context = Context(user="", shown=("x", "y"), focus="x", personas=_TASTES)
        for text in texts:
            yield self.read(text, context, catalogue)

    def _row(self, reading: Reading, vector: Floats) -> Floats:
        cues = self._rules.cues(reading)
        points = [cues[intent].score if intent in cues else 0.0 for intent in INTENTS]
        names = sum(not one.pronoun for one in reading.named)
        words = len(reading.words)
        seen = (
            names == 1,
            names > 1,
            any(one.pronoun for one in reading.named),
            bool(reading.personas),
            reading.some_taste,
            words < 2,
            words < 3,
            words < 5,
            words > 8,
        )
        ruled = np.clip(points, 0.0, _MOST) / _MOST
        return np.concatenate([_MEANING * vector, _RULED * ruled, seen])


@lru_cache(maxsize=1)
def nearest() -> Nearest:
    """Return the router over the packaged examples, one for all, so that it learns once."""
    return Nearest()


def _plain(reading: Reading) -> str:
    return " ".join(masked(reading).lower().split())


def _confidence(share: float) -> float:
    """Return a probability on the scale where `THRESHOLD` stands for `_ENOUGH`."""
    if share < _ENOUGH:
        return THRESHOLD * share / _ENOUGH
    return THRESHOLD + (1 - THRESHOLD) * (share - _ENOUGH) / (1 - _ENOUGH)
