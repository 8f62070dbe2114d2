"""Take texts apart into statements and count which of them a reference review makes too.

A statement is an aspect (a noun or a compound) and how the text speaks of it: well, badly or
neither, by `whythis.tools.reviews.parsing`. It is supported by a reference that speaks of the same
aspect and not the other way round; a text that does not judge contradicts none that does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from whythis.tools.reviews.parsing import read_texts
from whythis.tools.reviews.sentences import split

_COMMON = 0.5  # share of texts from which a noun says nothing of any one of them: "user"


class Statement(NamedTuple):
    """Hold an aspect and the polarity: 1 well, -1 badly, 0 neither or both."""

    aspect: str
    polarity: int


class Agreement(NamedTuple):
    """Hold how many statements each side makes, and how many the other makes too."""

    generated: int
    supported: int
    reference: int
    covered: int

    @property
    def precision(self) -> float | None:
        """Return supported / generated, 0..1; None where nothing is stated."""
        return self.supported / self.generated if self.generated else None

    @property
    def recall(self) -> float | None:
        """Return covered / reference, 0..1; None where the reference states nothing."""
        return self.covered / self.reference if self.reference else None


def statements(texts: Sequence[str]) -> list[tuple[Statement, ...]]:
    """Return what each text states, an aspect once, in the order of first mention.

    The polarity of an aspect is the sign of all judgements of it in the text together. Raises
    `MissingPartError` where the English model is not installed.
    """
    pieces = [[span.text for span in split(text)] for text in texts]
    readings = read_texts(piece for text in pieces for piece in text)
    found = []
    for text in pieces:
        signs: dict[str, int] = {}
        for _ in text:
            reading = next(readings)
            for aspect in reading.nouns:
                signs.setdefault(aspect, 0)
            for judgement in reading.judged:
                signs[judgement.aspect] += judgement.polarity
        found.append(tuple(Statement(a, (n > 0) - (n < 0)) for a, n in signs.items()))
    return found


def agreement(generated: Collection[Statement], reference: Collection[Statement]) -> Agreement:
    """Count the statements of each side that stand in the other."""
    return Agreement(
        len(generated),
        sum(_stands(one, reference) for one in generated),
        len(reference),
        sum(_stands(one, generated) for one in reference),
    )


def vocabulary(texts: Sequence[Collection[Statement]], least: int) -> frozenset[str]:
    """Return the aspects of at least `least` texts and of at most half of them."""
    counts = Counter(aspect for text in texts for aspect in {one.aspect for one in text})
    most = _COMMON * len(texts)
    return frozenset(aspect for aspect, n in counts.items() if least <= n <= most)


def about(text: Sequence[Statement], aspects: Collection[str]) -> tuple[Statement, ...]:
    """Return the statements about these aspects, in order."""
    return tuple(one for one in text if one.aspect in aspects)


def _stands(statement: Statement, among: Collection[Statement]) -> bool:
    return any(
        one.aspect == statement.aspect and one.polarity * statement.polarity >= 0 for one in among
    )
