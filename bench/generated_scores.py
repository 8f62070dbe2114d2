"""Hold every yardstick of generated reviews to one set of texts and their references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from whythis.bench.generated_features import coverage_ratio, detected, diversity, matching_ratio
from whythis.bench.generated_metrics import (
    bleu,
    entropy,
    peter_rouge,
    repeated_share,
    rouge,
    tokens,
    unique_ratio,
)
from whythis.bench.ranking import interval
from whythis.bench.statements import Statement, about, agreement, statements

Floats = npt.NDArray[np.float64]

COLUMNS = (
    "words",
    "BLEU-1",
    "BLEU-4",
    "ROUGE-1",
    "ROUGE-2",
    "ROUGE-L",
    "USR",
    "FMR",
    "FCR",
    "DIV",
    "statement precision",
    "statement recall",
    "repeated words",
)
"""What the table for people shows of the figures of each set of texts."""


class Read(NamedTuple):
    """Hold texts with what they state about the aspects that count."""

    texts: Sequence[str]
    stated: Sequence[tuple[Statement, ...]]


@dataclass(frozen=True, eq=False)
class Scored:
    """Hold the figures of one set of texts, and per text what is compared in pairs.

    rouge: ROUGE-1 F1, 0..100; recall: statement recall, 0..1, NaN where the reference states
    nothing.
    """

    figures: dict[str, float]
    rouge: Floats
    recall: Floats


def read(texts: Sequence[str], aspects: frozenset[str]) -> Read:
    """Return the texts with their statements about these aspects."""
    return Read(texts, [about(text, aspects) for text in statements(texts)])


def scored(generated: Read, references: Read, aspects: frozenset[str]) -> Scored:
    """Score each text against the reference in the same place.

    Features are the aspects; the one feature of a reference is the aspect that it names first, and
    FMR is over the references that name one (0 where none does). Statement precision and recall are
    of all texts together. Raises `ValueError` for fewer than two texts or no aspects.
    """
    own, wanted = ([tokens(text) for text in side.texts] for side in (generated, references))
    ratios, peters = rouge(own, wanted), peter_rouge(own, wanted)
    found = detected([[s.aspect for s in text] for text in generated.stated], aspects)
    named = [
        (features, reference[0].aspect)
        for features, reference in zip(found, references.stated, strict=True)
        if reference
    ]
    agreed = [agreement(*pair) for pair in zip(generated.stated, references.stated, strict=True)]
    said = sum(one.generated for one in agreed)
    asked = sum(one.reference for one in agreed)
    figures = {
        "texts": float(len(own)),
        "words": float(np.mean([len(text) for text in own])),
        "BLEU-1": bleu(own, wanted, 1),
        "BLEU-4": bleu(own, wanted, 4),
        **{f"ROUGE-{n[5:]}": float(values.mean()) for n, values in ratios.items()},
        **{f"ROUGE-{n[5:]} as PETER": float(values.mean()) for n, values in peters.items()},
        "USR": unique_ratio(own),
        "FMR": matching_ratio(*zip(*named, strict=True)) if named else 0.0,
        "FCR": coverage_ratio(found, aspects),
        "DIV": diversity(found),
        "ENTR-1": entropy(own, 1),
        "statements": said / len(own),
        "statement precision": sum(one.supported for one in agreed) / max(1, said),
        "statement recall": sum(one.covered for one in agreed) / max(1, asked),
        "repeated words": float(np.mean([repeated_share(text) for text in own])),
    }
    recalls = [float("nan") if one.recall is None else one.recall for one in agreed]
    return Scored(figures, ratios["rouge1"], np.asarray(recalls))


def compared(one: Scored, other: Scored, seed: int) -> dict[str, float]:
    """Return the mean differences of the same pairs, with their 95 % bootstrap intervals."""
    figures: dict[str, float] = {}
    for name, difference in (
        ("ROUGE-1", one.rouge - other.rouge),
        ("statement recall", one.recall - other.recall),
    ):
        known = difference[~np.isnan(difference)]
        low, high = interval(known, seed)
        figures |= {name: float(known.mean()), f"{name}, low": low, f"{name}, high": high}
    return figures


def table(systems: dict[str, Scored]) -> list[list[str]]:
    """Return the rows of the table for people, headings first."""
    rows = [["texts", "number", *COLUMNS]]
    for name, system in systems.items():
        values = [f"{system.figures[column]:.3g}" for column in COLUMNS]
        rows.append([name, f"{system.figures['texts']:.0f}", *values])
    return rows
