"""Time the retrieval of review sentences for a pair, with as many reviews as copies make.

The reviews are those that `whythis bench retrieval` indexes. Copies stand under other ids of
reviews, items and users: items keep their size, and the index grows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whythis.bench import datasets
from whythis.bench.held_out import held_out
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.tools.reviews.embedding import MiniLM
from whythis.tools.reviews.retrieval import retrieve
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import Workspace, open_workspace

PAIRS, _QUICK = 200, 50
_SMALL = 20_000  # reviews; the targets are for 10,000 and 50,000
_ID = ("id", "item", "user")


class Known:
    """Encode as the first index did, whose vectors are taken where it has the text."""

    def __init__(self, store: ReviewStore, items: Sequence[str]) -> None:
        """Read the vectors of the items' sentences."""
        self._real = MiniLM()
        self.name, self.dim = self._real.name, self._real.dim
        self._vectors: dict[str, NDArray[np.float32]] = {}
        for item in items:
            sentences, rows = store.vectors_of_item(item)
            self._vectors |= {s.text: row for s, row in zip(sentences, rows, strict=True)}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, (n, 384)."""
        known = [self._vectors.get(text) for text in texts]
        lacking = [text for text, row in zip(texts, known, strict=True) if row is None]
        fresh = iter(self._real.encode(lacking))
        rows = [next(fresh) if row is None else row for row in known]
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dim)


def main(argv: Sequence[str]) -> int:
    """Measure on a data set that `whythis bench retrieval` has indexed in the same folder."""
    parser = arguments(__doc__, "musical-instruments")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for fitted data")
    parser.add_argument(
        "--copies", type=int, default=1, help="of the reviews, default: %(default)s"
    )
    options = parser.parse_args(argv)
    dataset, wanted = held_out(datasets.read(options.data), options.seed)
    ws = open_workspace(options.work / f"{options.data}-held-out")
    asked = np.random.default_rng(options.seed).permutation(len(wanted))
    pairs = [wanted[at] for at in asked[: _QUICK if options.quick else PAIRS]]
    reviews = copied(dataset.reviews, options.copies)
    if options.copies > 1:
        ws = larger(ws, reviews, options.work / f"{options.data}-copies-{options.copies}")
    spent = [milliseconds(replace(ws, moment=held.time), held.user, held.item) for held in pairs]
    sizes = [len(ws.store().of_item(held.item)) for held in pairs]
    figures = {
        "retrieve p50 ms": float(np.median(spent)),
        "retrieve p90 ms": float(np.percentile(spent, 90)),
        "reviews": float(len(reviews)),
        "sentences": float(ws.store().count),
        "sentences of an item, p50": float(np.median(sizes)),
        "sentences of an item, largest": float(max(sizes)),
    }
    limit = 30.0 if len(reviews) <= _SMALL else 60.0
    targets = [Target("retrieve p50 ms", "<=", limit)]
    result = Result("retrieval_speed", options.data, options.seed, figures, targets)
    return report(result, options)


def copied(reviews: pd.DataFrame, copies: int) -> pd.DataFrame:
    """Return the reviews and their copies, each under ids of its own."""
    others = [
        reviews.assign(**{name: reviews[name] + f" copy {n}" for name in _ID})
        for n in range(1, copies)
    ]
    return pd.concat([reviews, *others], ignore_index=True)


def larger(ws: Workspace, reviews: pd.DataFrame, folder: Path) -> Workspace:
    """Return the workspace over an index of more reviews; what was indexed before stays."""
    tell(f"indexing {len(reviews)} reviews ...")
    items = list(ws.recommender.item_ids.ids)
    return replace(ws, reviews=ReviewStore.build(folder, reviews, Known(ws.store(), items)))


def milliseconds(ws: Workspace, user: str, item: str) -> float:
    """Return how long one retrieval of two sentences takes."""
    start = time.perf_counter()
    retrieve(ws, user, item)
    return 1e3 * (time.perf_counter() - start)
