"""Fit and explain a large set: 10 million interactions, 200,000 users, 100,000 items."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.explain import explain
from whythis.recsys.config import FitConfig
from whythis.recsys.fitting import fit
from whythis.recsys.interactions import Dataset, make_dataset
from whythis.recsys.kernels import DENSE_LIMIT
from whythis.tools.workspace import open_workspace

NEIGHBOURS = 50
"""Weights that an item keeps: 100,000 items with 100 of either kind are 160 MB."""

_CHUNK = 10_000  # users drawn at a time
_CLUSTERS = 100
_OWN = 0.85  # of a user's events fall into the user's own clusters
_STAY = 0.8  # and of those, in the cluster of the event before
_REPEATS = 1.16  # as many more are drawn, for those that are left out
_ASKED = 50
_LISTS = 10


class Size(NamedTuple):
    """Hold about how large a set to make."""

    interactions: int
    users: int
    items: int


FULL = Size(10_000_000, 200_000, 100_000)
QUICK = Size(200_000, 4_000, DENSE_LIMIT + 1)
"""A fiftieth of the interactions and users, and just too many items to be solved at once."""


def main(argv: Sequence[str]) -> int:
    """Make the set, fit the source `history`, explain one recommendation, rank many lists."""
    options = arguments(__doc__, "synthetic").parse_args(argv)
    return report(measure(QUICK if options.quick else FULL, options.seed), options)


def measure(size: Size, seed: int) -> Result:
    """Return the seconds of every stage, the peak memory and the time of a top-10 list."""
    seconds: dict[str, float] = {}
    config = FitConfig(neighbours=NEIGHBOURS, seed=seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _timed("draw the events", seconds):
            events = drawn(size, seed)
        with _timed("make the dataset", seconds):
            dataset = named(events, size)
        interactions = len(dataset.interactions)
        del events
        with _timed("fit and save", seconds):
            figures = fit(dataset, folder, config, _progress).figures
        del dataset
        with _timed("load", seconds):
            ws = open_workspace(folder)
            rec = ws.owned()
        users = np.random.default_rng(seed).choice(rec.user_ids.ids, _ASKED, replace=False)
        with _timed("first list", seconds):
            first = rec.recommend(str(users[0]), _LISTS)
        with _timed("first explanation", seconds):
            explain(ws, str(users[0]), first[0].item)
        with _timed("second explanation", seconds):
            explain(ws, str(users[1]), rec.recommend(str(users[1]), _LISTS)[0].item)
        lists = []
        for user in users:
            started = time.perf_counter()
            rec.recommend(str(user), _LISTS)
            lists.append(1e3 * (time.perf_counter() - started))
    found = {f"{name} s": value for name, value in seconds.items()}
    found |= {
        "interactions": float(interactions),
        "users": float(size.users),
        "items": float(size.items),
        "all s": sum(seconds.values()),
        "peak memory GB": _peak(),
        "top-10 p50 ms": float(np.median(lists)),
        "valid ndcg@10": figures["valid_ndcg@10"],
    }
    targets = [
        Target("all s", "<=", 25 * 60.0),
        Target("peak memory GB", "<=", 24.0),
        Target("top-10 p50 ms", "<=", 20.0),
    ]
    return Result("size", "synthetic", seed, found, targets)


def drawn(size: Size, seed: int) -> tuple[npt.NDArray[np.int32], ...]:
    """Return (user, item, time) of every event, no item twice for a user.

    Items lie in clusters, popular by Zipf's law within each; a user has three clusters, stays in
    one for some events, and now and then takes any item.
    """
    parts = [
        _events(size, start, min(start + _CHUNK, size.users), seed)
        for start in range(0, size.users, _CHUNK)
    ]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def named(events: tuple[npt.NDArray[np.int32], ...], size: Size) -> Dataset:
    """Return the dataset of events, ids being texts; items without events are in it too."""
    user, item, at = events
    items = pd.Index([f"i{i:07}" for i in range(size.items)])
    users = pd.Index([f"u{u:07}" for u in range(size.users)])
    frame = pd.DataFrame(
        {"user": users.take(user), "item": items.take(item), "time": at.astype(np.float64)}
    )
    return make_dataset("synthetic", frame, items=pd.DataFrame({"item": items}))


def _events(
    size: Size, first: int, last: int, seed: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    rng = np.random.default_rng([seed, first])
    lengths = rng.lognormal(0.0, 0.7, last - first)
    lengths *= _REPEATS * size.interactions / size.users / np.exp(0.7**2 / 2)
    counts = np.clip(np.rint(lengths), 5, size.items // 4).astype(np.int64)
    user = np.repeat(np.arange(last - first), counts)
    # the cluster of an event is that of the event before, or another of the user's three
    fresh = rng.random(len(user)) > _STAY
    fresh[np.append(0, counts.cumsum()[:-1])] = True
    run = np.flatnonzero(fresh)[fresh.cumsum() - 1]  # where the run of each event began
    clusters = rng.integers(0, _CLUSTERS, (last - first, 3))
    cluster = clusters[user, rng.integers(0, 3, len(user))[run]]
    cluster = np.where(rng.random(len(user)) < _OWN, cluster, rng.integers(0, _CLUSTERS, len(user)))
    width = size.items // _CLUSTERS
    place = np.floor(width ** rng.random(len(user))).astype(np.int64) - 1  # Zipf: 1 / rank
    # scattered over the catalogue, the same way for every chunk
    order = np.random.default_rng(seed).permutation(size.items)
    item = order[cluster * width + np.minimum(place, width - 1)]
    kept = np.sort(np.unique(user * size.items + item, return_index=True)[1])
    at = 1_600_000_000 + kept  # seconds
    return user[kept].astype(np.int32) + first, item[kept].astype(np.int32), at.astype(np.int32)


def _progress(step: int, steps: int, best: float) -> None:
    tell(f"fit: {step} of {steps}, NDCG {best:.4f}")


@contextmanager
def _timed(stage: str, seconds: dict[str, float]) -> Iterator[None]:
    tell(f"{stage} ...")
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
    tell(f"{stage}: {seconds[stage]:.1f} s, at most {_peak():.1f} GB so far")


def _peak() -> float:
    """Return the most memory that this process has held, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
