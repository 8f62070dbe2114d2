"""Fit a multinomial logistic regression with an L2 penalty, and tell its probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """Hold the weights (d, k) and the intercepts (k,) of k classes."""

    weights: Floats
    intercepts: Floats

    @classmethod
    def fit(cls, rows: Floats, classes: NDArray[np.int64], k: int, penalty: float) -> Self:
        """Minimise the summed cross-entropy plus `penalty`/2 times the squared weights.

        rows: (n, d). classes: (n,), each 0..k-1. The same input gives the same weights; the
        objective is convex, the start zero (Hastie, Tibshirani and Friedman, 2009, 4.4).
        """
        from scipy.optimize import minimize
        from scipy.special import logsumexp

        d = rows.shape[1]
        wanted = np.eye(k)[classes]

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights, intercepts = flat[: d * k].reshape(d, k), flat[d * k :]
            points = rows @ weights + intercepts
            total = logsumexp(points, axis=1, keepdims=True)
            off = np.exp(points - total) - wanted
            value = total.sum() - (points * wanted).sum() + penalty / 2 * (weights**2).sum()
            slope = np.concatenate([(rows.T @ off + penalty * weights).ravel(), off.sum(0)])
            return float(value), slope

        found = minimize(
            loss, np.zeros((d + 1) * k), jac=True, method="L-BFGS-B", options={"maxiter": 200}
        ).x
        return cls(found[: d * k].reshape(d, k), found[d * k :])

    def shares(self, row: Floats) -> Floats:
        """Return the probability of each class, (k,), for one row (d,)."""
        points = row @ self.weights + self.intercepts
        grown = np.exp(points - points.max())
        return np.asarray(grown / grown.sum(), dtype=np.float64)
