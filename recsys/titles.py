"""Say long titles shortly: shops put a description into them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 60
"""Characters of a title, or of a label made from one, that a sentence can hold."""

_LEAST = 20  # a natural break before this leaves too little of the title
_BREAK = re.compile(r"\s+[-–—|(]|[,;:]\s|\s\(")


def cut(text: str, most: int = LONGEST) -> str:
    """Return at most `most` characters: up to a break in the text, else whole words, and "…"."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    breaks = [m.start() for m in _BREAK.finditer(head) if m.start() >= _LEAST]
    end = breaks[-1] if breaks else head.rfind(" ")
    return (head[:end] if end >= _LEAST else head).rstrip(" ,;:-–—|(") + "…"


def short_titles(bare: Sequence[str], full: Sequence[str]) -> list[str]:
    """Return each title as said in a sentence: bare where no other is called so, and cut.

    bare, full: without and with the year. Titles that would be alike are told in full.
    """
    counts = Counter(title.casefold() for title in bare)
    chosen = [b if counts[b.casefold()] == 1 else f for b, f in zip(bare, full, strict=True)]
    cuts = [cut(title) for title in chosen]
    alike = Counter(title.casefold() for title in cuts)
    return [c if alike[c.casefold()] == 1 else t for c, t in zip(cuts, chosen, strict=True)]
