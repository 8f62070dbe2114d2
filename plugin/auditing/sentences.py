"""Split a text into sentences, leaving quotations and titles whole."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Sequence

from whythis.auditing.mentions import Mention

_END = re.compile(r"(?:[.!?]+[)\]”\"’]*|\n\s*(?:[-*•]\s+)?|\Z)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|no|nr|mr|mrs|ms|dr|st|approx)|\b[A-Z])$", re.IGNORECASE
)
LONGEST = 600
"""Characters of a sentence that is read, names and quotations aside; nobody writes longer ones."""


def sentences(
    text: str, found: Sequence[Mention], questions: Collection[str] = ()
) -> list[tuple[int, int]]:
    """Return the spans of the sentences, in order, white space trimmed, none empty.

    A stop inside a mention (a title, a quotation, a number) ends nothing, nor does one after which
    no white space follows, nor that of an abbreviation. A question that begins with one of
    `questions` goes with the sentence after it.
    """
    spans, start = [], 0
    coming, near = deque(sorted(found, key=lambda m: m.start)), list[Mention]()
    for match in _END.finditer(text):
        stop, end = match.span()
        while coming and coming[0].start < end:
            near.append(coming.popleft())
        near = [m for m in near if stop < m.end]
        if any(m.symbol != "QUOTE" or m.start < stop < m.end - 1 for m in near):
            continue
        mark = match.group()
        if mark and not mark.isspace() and "\n" not in mark:
            if end < len(text) and not text[end].isspace():
                continue
            if mark == "?" and _asks(text[start:stop], questions) and text[end:].strip():
                continue
            if mark.startswith(".") and _ABBREVIATED.search(text[max(start, stop - 8) : stop]):
                continue
        if piece := text[start:end].strip():
            begin = start + text[start:end].index(piece[0])
            spans.append((begin, begin + len(piece)))
        start = end
    return spans


def _asks(sentence: str, questions: Collection[str]) -> bool:
    first = sentence.split(maxsplit=1)[:1]
    return bool(first) and first[0].casefold() in questions
