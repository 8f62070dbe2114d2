"""Time what `whythis index` does: sentences with vectors, then aspects; then one more review.

All reviews of the data set but the last are indexed in a new folder, and then the last is added.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whythis.bench import datasets
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.recsys.errors import DataError
from whythis.tools.reviews.embedding import Encoder, MiniLM
from whythis.tools.reviews.opinions import OpinionTable
from whythis.tools.reviews.store import ReviewStore

QUICK = 500  # reviews
BUDGET = 180.0
"""The seconds that 10,000 reviews may take on two processors; more reviews may take more."""


class Counting:
    """Encode with another encoder, and count the texts."""

    def __init__(self, encoder: Encoder) -> None:
        """Start at none."""
        self._encoder = encoder
        self.name, self.dim = encoder.name, encoder.dim
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text."""
        self.texts += len(texts)
        return self._encoder.encode(texts)


def main(argv: Sequence[str]) -> int:
    """Index the reviews of a data set, `--quick`: its first 500."""
    options = arguments(__doc__, "musical-instruments").parse_args(argv)
    reviews = datasets.read(options.data).reviews
    chosen = reviews.head(QUICK) if options.quick else reviews
    return report(measure(chosen, options.data, options.seed), options)


def measure(reviews: pd.DataFrame, data: str, seed: int = 0) -> Result:
    """Return the seconds of either stage for all reviews but one, and for that one.

    Raises `DataError` where there are fewer than two reviews.
    """
    if len(reviews) < 2:
        raise DataError(f"{data} has {len(reviews)} reviews; give at least 2 to index")
    first, used = reviews.iloc[:-1], _processor_seconds()
    with tempfile.TemporaryDirectory() as place:
        encoder = Counting(MiniLM())
        sentences_s, aspects_s, sentences = _built(Path(place), first, encoder)
        figures = {
            "reviews": float(len(first)),
            "sentences": float(sentences),
            "sentences s": sentences_s,
            "aspects s": aspects_s,
            "total s": sentences_s + aspects_s,
            "processor s": _processor_seconds() - used,
        }
        before = encoder.texts
        sentences_s, aspects_s, _ = _built(Path(place), reviews, encoder)
    figures |= {
        "one more review s": sentences_s + aspects_s,
        "one more review, sentences encoded": float(encoder.texts - before),
    }
    budget = BUDGET * max(1.0, len(first) / 10_000)
    return Result("indexing", data, seed, figures, [Target("total s", "<=", round(budget, 1))])


def _built(folder: Path, reviews: pd.DataFrame, encoder: Encoder) -> tuple[float, float, int]:
    """Return the seconds for the sentences and for the aspects, and the number of sentences."""
    started = time.perf_counter()
    with ReviewStore.build(folder, reviews, encoder) as store:
        middle = time.perf_counter()
        tell(f"{store.count} sentences: {middle - started:.1f} s")
        OpinionTable.build(folder, store)
        ended = time.perf_counter()
        tell(f"aspects: {ended - middle:.1f} s")
        return middle - started, ended - middle, store.count


def _processor_seconds() -> float:
    """Return the seconds of processors that this process and those it waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
