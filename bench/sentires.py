"""Find who is who in the Sentires features of Musical Instruments, whose users are numbers.

The numbers follow no order of the review file's users, but the file's order of the reviews from
which Sentires took something: a user's number is the place of the first such review. So users are
aligned with reviews by dynamic programming: numbers in order, each to a later review than the last,
such that the features stand in that user's reviews. It is done twice, each time with one half of
every user's features; only users whom both halves find are taken.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from whythis.recsys.errors import DataError

_MISSING = 3.0  # what a feature costs that the user never wrote
_ELSEWHERE = 2.0  # what it costs that the review itself holds none of the features


class Aligned(NamedTuple):
    """Hold the sentiment of features (-1..1) by reviewer, and how sure it is who is who.

    of: users in the set; present: share of the features of one half that stand in the reviews of
    the user found by the other half, over all users; chance: the same with the users shuffled.
    """

    features: Mapping[str, Mapping[str, float]]
    of: int
    present: float
    chance: float


def read_sentires(path: Path, reviews: pd.DataFrame, seed: int) -> Aligned:
    """Return the set's features by reviewer; reviews: user and text, in the order of the file.

    Raises `DataError` where the file is not what it should be.
    """
    try:
        held = json.loads(gzip.decompress(path.read_bytes()))
        names = {int(number): str(name) for name, number in held["features"].items()}
        given = [
            {int(f): float(v) for f, v in held["user_feature_sentiment"][str(k)].items()}
            for k in range(len(held["user_feature_sentiment"]))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no features of users ({error!r}); fetch it again") from error
    stands = _stands([names[n] for n in range(len(names))], reviews["text"])
    users = pd.factorize(reviews["user"])
    wrote = np.zeros((len(users[1]), len(names)), dtype=bool)
    np.logical_or.at(wrote, users[0], stands)
    rng = np.random.default_rng(seed)
    mixed = [rng.permutation(sorted(f)) for f in given]
    halves = [[f[::2] for f in mixed], [f[1::2] for f in mixed]]
    found = [users[0][_in_order(half, wrote, stands, users[0])] for half in halves]
    sure = [k for k in range(len(given)) if found[0][k] == found[1][k] and len(given[k]) > 1]
    features = {
        str(users[1][found[0][k]]): {names[f]: v for f, v in given[k].items()} for k in sure
    }
    shuffled = rng.permutation(found[0])
    return Aligned(
        features, len(given), _share(found[0], halves[1], wrote), _share(shuffled, halves[1], wrote)
    )


def _stands(names: Sequence[str], texts: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """Return which text holds which name as whole words: reviews x names."""
    spaced = [f" {' '.join(_words(text))} " for text in texts]
    return np.array([[f" {name} " in text for name in names] for text in spaced])


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def _in_order(
    features: Sequence[npt.NDArray[np.int64]],
    wrote: npt.NDArray[np.bool_],
    stands: npt.NDArray[np.bool_],
    users: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return a review for each user of the set, each after the last, of the best total score."""
    rare = -np.log(wrote.mean(0) + 1e-3)
    best, steps = np.zeros(len(users)), []
    for k, some in enumerate(features):
        fits = (wrote[:, some] * rare[some]).sum(1) - _MISSING * (~wrote[:, some]).sum(1)
        score = fits[users] - _ELSEWHERE * ~stands[:, some].any(1)
        if k:
            most = np.maximum.accumulate(best)
            first = np.maximum.accumulate(np.where(best == most, np.arange(len(best)), 0))
            steps.append(np.r_[0, first[:-1]])
            score = score + np.r_[-np.inf, most[:-1]]
        best = score
    path = [int(best.argmax())]
    for step in reversed(steps):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1])


def _share(
    users: npt.NDArray[np.int64],
    features: Sequence[npt.NDArray[np.int64]],
    wrote: npt.NDArray[np.bool_],
) -> float:
    pairs = [wrote[u, f] for u, some in zip(users, features, strict=True) for f in some]
    return float(np.mean(pairs))
