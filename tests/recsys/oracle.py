"""Compute a score from raw weights with plain loops, as the formulas read: a second opinion."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whythis.recsys.model import PersonaModel

Weights = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Parts:
    """Hold the score of one item, taken apart."""

    score: float
    masses: list[float]
    shares: list[float]
    matches: list[float]
    contributions: list[list[float]]  # one row an event, one column a persona


def weights_of(model: PersonaModel) -> Weights:
    """Return the model's weights by name, as float64."""
    return {
        name: value.detach().numpy().astype(np.float64)
        for name, value in model.state_dict().items()
    }


def parts(
    weights: Weights, history: Sequence[int], item: int, keep: Collection[int] | None = None
) -> Parts:
    """Return the parts of an item's score for a history; only personas in `keep` take part."""
    personas = range(weights["membership"].shape[1])
    keep = personas if keep is None else keep
    width = weights["candidate_side"].shape[1]
    gains = []
    for place in range(len(history)):
        age = len(history) - 1 - place
        bucket = 0 if age == 0 else min(8, 1 + int(math.log2(age)))
        gains.append(math.exp(weights["recency"][bucket]))
    size = math.exp(weights["log_scale"]) * math.sqrt(sum(gains))
    candidate = weights["candidate_side"][item]
    asked = _turn(candidate, weights["item_map"])

    masses, matches, logits, mixes = [], [], [], []
    for k in personas:
        mine = [gain * weights["membership"][i][k] for gain, i in zip(gains, history, strict=True)]
        mass = sum(mine) / sum(gains) if history else 0.0
        mix = [w / sum(mine) for w in mine]
        x = [
            size * sum(m * weights["history_side"][i][c] for m, i in zip(mix, history, strict=True))
            for c in range(width)
        ]
        masses.append(mass)
        mixes.append(mix)
        matches.append(_dot(x, candidate))
        cosine = _cosine(_turn(x, weights["user_map"]), asked)
        logits.append(math.log(max(mass, 1e-12)) + float(weights["temperature"]) * cosine)

    total = sum(math.exp(logits[k]) for k in keep)
    shares = [math.exp(logits[k]) / total if k in keep else 0.0 for k in personas]
    contributions = [
        [
            shares[k] * size * mixes[k][event] * _dot(weights["history_side"][i], candidate)
            for k in personas
        ]
        for event, i in enumerate(history)
    ]
    score = sum(a * r for a, r in zip(shares, matches, strict=True)) + float(weights["bias"][item])
    return Parts(score, masses, shares, matches, contributions)


def scores(weights: Weights, history: Sequence[int]) -> list[float]:
    """Return the score of every item for a history."""
    return [parts(weights, history, item).score for item in range(len(weights["bias"]))]


def rank(scored: Sequence[float], item: int, hidden: Collection[int]) -> int:
    """Return the place of an item among those not hidden, best first, ties in index order."""
    shown = [i for i in range(len(scored)) if i not in hidden or i == item]
    return 1 + sorted(shown, key=lambda i: (-scored[i], i)).index(item)


def _dot(left: Iterable[float], right: Iterable[float]) -> float:
    return sum(float(a) * float(b) for a, b in zip(left, right, strict=True))


def _turn(row: Iterable[float], matrix: npt.NDArray[np.float64]) -> list[float]:
    return [_dot(row, matrix[:, column]) for column in range(matrix.shape[1])]


def _cosine(left: Sequence[float], right: Sequence[float]) -> float:
    lengths = math.sqrt(_dot(left, left)) * math.sqrt(_dot(right, right))
    return _dot(left, right) / lengths if lengths else 0.0
