"""Find where a sentence may be changed: outside titles, names of tastes and quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from whythis.bench.ground_truth import GroundTruth
from whythis.bench.paraphrasing import Told

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_HIDDEN = "\0"


def masked(told: Told, truth: GroundTruth) -> str:
    """Return the text, each character of a title, taste or quotation replaced by U+0000."""
    rec = truth.ws.recommender
    names = [told.quote.text] if told.quote is not None else []
    for item in (truth.item, *told.named):
        names += [rec.title(item), rec.short_title(item)]
    names += [taste.name for taste in truth.tastes]
    text = _QUOTED.sub(lambda found: _HIDDEN * len(found[0]), told.text)
    for name in sorted(set(names), key=len, reverse=True):
        for start, end in occurrences(name, text):
            text = text[:start] + _HIDDEN * (end - start) + text[end:]
    return text


def occurrences(name: str, text: str) -> list[tuple[int, int]]:
    """Return where a name stands as a whole: (start, end) pairs."""
    if not name:
        return []
    left = r"\b" if name[0].isalnum() else ""
    right = r"\b" if name[-1].isalnum() else ""
    pattern = left + re.escape(name) + right
    return [found.span() for found in re.finditer(pattern, text)]


def exchanged(text: str, name: str, other: str) -> str | None:
    """Return the text with every occurrence of a name replaced, or None where there is none."""
    spans = occurrences(name, text)
    for start, end in reversed(spans):
        text = text[:start] + other + text[end:]
    return text if spans else None


def rewritten(told: Told, truth: GroundTruth, pattern: str, by: str) -> Iterator[str]:
    """Yield the text with one match of a pattern replaced, for each match outside what is masked.

    A match may reach over a masked part, as in "holds … back", but neither begins nor ends in it.
    """
    for found in re.finditer(pattern, masked(told, truth)):
        start, end = found.span()
        part = told.text[start:end]
        groups = {
            f"\\{n}": told.text[slice(*found.span(n))] for n in range(1, 1 + len(found.groups()))
        }
        changed = by
        for name, group in groups.items():
            changed = changed.replace(name, group)
        if changed != part:
            yield told.text[:start] + changed + told.text[end:]
