"""Measure which features generated texts speak of, as PETER and ERRA do: FMR, FCR and DIV.

Brought in by NETE (Li, Zhang, Chen, CIKM 2020); computed here as in the published code of PETER
(ACL 2021), which ERRA's (ACL 2023) repeats. A feature is a thing that reviews speak of, such as
"service" or "strap".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

Features = frozenset[str]


def detected(texts: Sequence[Collection[str]], features: Features) -> list[frozenset[str]]:
    """Return the features that are among each text's words."""
    return [frozenset(features.intersection(text)) for text in texts]


def matching_ratio(found: Sequence[Features], wanted: Sequence[str]) -> float:
    """Return FMR, the share of texts that hold the one feature of their reference, 0..1.

    Raises `ValueError` where the two differ in number or there are none.
    """
    if len(found) != len(wanted) or not found:
        raise ValueError(f"{len(found)} texts and {len(wanted)} features: give each text one")
    return sum(one in text for text, one in zip(found, wanted, strict=True)) / len(found)


def coverage_ratio(found: Sequence[Features], features: Features) -> float:
    """Return FCR, the share of all features that stand in at least one text, 0..1.

    Raises `ValueError` where there are no features.
    """
    if not features:
        raise ValueError("there are no features; give at least one")
    return len(frozenset().union(*found) & features) / len(features)


def diversity(found: Sequence[Features]) -> float:
    """Return DIV, the mean number of features that two texts share; less is more diverse.

    2/(N(N - 1)) sum_{i<j} |F_i ∩ F_j|, computed feature by feature: a feature of c texts is shared
    by c(c - 1)/2 pairs. Raises `ValueError` for fewer than two texts.
    """
    if len(found) < 2:
        raise ValueError(f"{len(found)} texts make no pair; give at least two")
    counts = Counter(feature for text in found for feature in text)
    return sum(n * (n - 1) for n in counts.values()) / (len(found) * (len(found) - 1))
