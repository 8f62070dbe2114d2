"""Rank the held-out last item of every user: the persona model beside popularity and EASE."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whythis.bench.result import Result, arguments, report, tell
from whythis.downloads import locate
from whythis.recsys.config import FitConfig
from whythis.recsys.fitting import sequences, train_split
from whythis.recsys.interactions import Dataset
from whythis.recsys.metrics import hit_rate, ndcg, rank_of
from whythis.recsys.movielens import read_ml100k
from whythis.recsys.split import leave_last_out
from whythis.recsys.structure import ease
from whythis.recsys.tables import read_table
from whythis.recsys.training import Indices, events_matrix, held_out_ranks
from whythis.recsys.vocabulary import Vocabulary

_RESAMPLES = 2000


def main(argv: Sequence[str]) -> int:
    """Train without each user's last two events, choose on the first of them, test on the other."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--personas", type=int, default=FitConfig().personas)
    options = parser.parse_args(argv)
    config = FitConfig(
        personas=options.personas, seed=options.seed, steps=100 if options.quick else 600
    )
    return report(measure(_read(options.data), config), options)


def measure(dataset: Dataset, config: FitConfig) -> Result:
    """Return HR@10 and NDCG@10 of all rankers on the same users, histories and candidates.

    Candidates are all items outside the history; the histories hold everything before the held-out
    event. EASE's ridge is chosen on validation. Intervals: paired bootstrap over users, 95 %.
    """
    split = leave_last_out(dataset, config.seed)
    items = Vocabulary("item", tuple(dataset.items["item"]))
    users = sorted(set(split.test["user"]))
    train = sequences(split.train, users, items)
    last = dict(zip(split.valid["user"], split.valid["item"], strict=True))
    test = dict(zip(split.test["user"], split.test["item"], strict=True))
    valid_items = [items.index(last[u]) for u in users]
    histories = [np.append(h, v) for h, v in zip(train, valid_items, strict=True)]
    targets = [items.index(test[u]) for u in users]

    counts = np.asarray(events_matrix(train, len(items)).sum(0)).ravel()
    tell("popularity and EASE ...")
    ranks = {"popularity": _ranks(lambda _: counts, histories, targets)}
    started = time.perf_counter()
    ranks["EASE"] = _ease_ranks(train, valid_items, histories, targets, len(items))
    seconds = {"popularity": 0.0, "EASE": time.perf_counter() - started}
    for k in sorted({1, config.personas}):
        tell(f"personas, K = {k} ...")
        started = time.perf_counter()
        model = train_split(dataset, split, config.model_copy(update={"personas": k})).model
        seconds[f"personas K={k}"] = time.perf_counter() - started
        ranks[f"personas K={k}"] = held_out_ranks(model, histories, targets, config.window)
    ours = f"personas K={config.personas}"
    figures: dict[str, float] = {"users": float(len(users))}
    rows = [("ranker", "HR@10", "NDCG@10", "fit s", f"NDCG@10 of {ours} minus it, 95 %")]
    for name, r in ranks.items():
        low, high = _interval(_gains(ranks[ours]) - _gains(r), config.seed)
        figures |= {f"{name} hr@10": hit_rate(r), f"{name} ndcg@10": ndcg(r)}
        figures[f"{name} fit s"] = round(seconds[name], 1)
        apart = "" if name == ours else f"[{low:+.4f}, {high:+.4f}]"
        rows.append((name, f"{hit_rate(r):.4f}", f"{ndcg(r):.4f}", f"{seconds[name]:.0f}", apart))
    return Result("accuracy", dataset.name, config.seed, figures, rows=rows)


def _read(name: str) -> Dataset:
    if name == "ml-100k":
        return read_ml100k(locate(name))
    return read_table(Path(name), user="user", item="item", rating="rating", time="time")


def _ranks(
    score: Callable[[Indices], npt.NDArray[np.floating]],
    histories: Sequence[Indices],
    targets: Sequence[int],
) -> npt.NDArray[np.int64]:
    return np.asarray(
        [rank_of(score(h), t, h) for h, t in zip(histories, targets, strict=True)], dtype=np.int64
    )


def _ease_ranks(
    train: Sequence[Indices],
    valid_items: Sequence[int],
    histories: Sequence[Indices],
    targets: Sequence[int],
    n: int,
) -> npt.NDArray[np.int64]:
    events = events_matrix(train, n)
    best = max(
        (50.0, 100.0, 200.0, 400.0, 800.0),
        key=lambda l2: ndcg(_ranks(_rows(ease(events, l2)), train, valid_items)),
    )
    return _ranks(_rows(ease(events, best)), histories, targets)


def _rows(weights: npt.NDArray[np.float32]) -> Callable[[Indices], npt.NDArray[np.floating]]:
    return lambda history: weights[history].sum(0)


def _gains(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.where(ranks <= 10, 1.0 / np.log2(1.0 + ranks), 0.0)


def _interval(differences: npt.NDArray[np.float64], seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(1), [2.5, 97.5])
    return float(low), float(high)
