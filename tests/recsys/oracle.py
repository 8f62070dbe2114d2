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
    weights: list[list[float]]  # one row an event, one column a persona
    personas: list[list[float]]  # one row a persona
    matches: list[float]
    shares: list[float]
    contributions: list[list[float]]  # one row an event, one column a persona


def weights_of(model: PersonaModel) -> Weights:
    """Return the model's weights by name, as float64."""
    return {
        name: value.detach().numpy().astype(np.float64)
        for name, value in model.state_dict().items()
    }


def weight(weights: Weights, kernel: str, item: int, candidate: int) -> float:
    """Return the weight that an item has with a candidate: B ("together") or beta N ("next")."""
    row = zip(weights[f"{kernel}_items"][item], weights[kernel][item], strict=True)
    return sum(float(value) for column, value in row if column == candidate)


def parts(
    weights: Weights,
    history: Sequence[int],
    item: int,
    keep: Collection[int] | None = None,
    attention: str = "cosine",
) -> Parts:
    """Return the parts of an item's score for a history; only personas in `keep` take part."""
    personas = range(weights["membership"].shape[1])
    keep = personas if keep is None else keep
    member = weights["membership"]
    ages = [len(history) - 1 - place for place in range(len(history))]
    g = [math.exp(-float(weights["forgetting"]) * age) for age in ages]
    fresh = [math.exp(-age / float(weights["reach"])) for age in ages]
    # what every event does for the candidate, whatever the persona
    pull = [
        g[t] * weight(weights, "together", i, item) + fresh[t] * weight(weights, "next", i, item)
        for t, i in enumerate(history)
    ]
    size = float(weights["scale"]) / math.sqrt(sum(g)) if history else 0.0

    masses, mixes, vectors, matches, logits = [], [], [], [], []
    for k in personas:
        held = [g[t] * member[i][k] for t, i in enumerate(history)]
        mass = sum(held) / sum(g) if history else 0.0
        mix = [h / sum(held) if mass else 0.0 for h in held]
        x = [
            sum(w * weights["history_side"][i][c] for w, i in zip(mix, history, strict=True))
            for c in range(weights["history_side"].shape[1])
        ]
        match = sum(member[i][k] * pull[t] for t, i in enumerate(history)) * size
        match = match / mass if mass else 0.0
        fit = {
            "cosine": _cosine(x, weights["candidate_side"][item]),
            "dot": match,
            "none": 0.0,
        }[attention]
        masses.append(mass)
        mixes.append(mix)
        vectors.append(x)
        matches.append(match)
        logits.append(math.log(max(mass, 1e-12)) + float(weights["temperature"]) * fit)

    top = max((logits[k] for k in keep), default=0.0)
    total = sum(math.exp(logits[k] - top) for k in keep)
    shares = [math.exp(logits[k] - top) / total if k in keep else 0.0 for k in personas]
    score = sum(a * r for a, r in zip(shares, matches, strict=True)) + float(weights["bias"][item])
    return Parts(
        score=score,
        masses=masses,
        weights=[[mixes[k][t] for k in personas] for t in range(len(history))],
        personas=vectors,
        matches=matches,
        shares=shares,
        contributions=[
            [
                shares[k] * size / masses[k] * member[i][k] * pull[t] if member[i][k] else 0.0
                for k in personas
            ]
            for t, i in enumerate(history)
        ],
    )


def scores(weights: Weights, history: Sequence[int], attention: str = "cosine") -> list[float]:
    """Return the score of every item for a history."""
    items = range(len(weights["bias"]))
    return [parts(weights, history, item, attention=attention).score for item in items]


def rank(scored: Sequence[float], item: int, hidden: Collection[int]) -> int:
    """Return the place of an item among those not hidden, best first, ties in index order."""
    shown = [i for i in range(len(scored)) if i not in hidden or i == item]
    return 1 + sorted(shown, key=lambda i: (-scored[i], i)).index(item)


def _dot(left: Iterable[float], right: Iterable[float]) -> float:
    return sum(float(a) * float(b) for a, b in zip(left, right, strict=True))


def _cosine(left: Sequence[float], right: Sequence[float]) -> float:
    lengths = math.sqrt(_dot(left, left)) * math.sqrt(_dot(right, right))
    return _dot(left, right) / lengths if lengths else 0.0
