"""Split text into sentences as exact spans, by rules, in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Raise it when a text is split otherwise.
RULES = 2
MAX_CHARACTERS = 600
QUOTABLE = 240
"""A longer sentence counts and is found, but is not quoted: a part of it might mislead."""

# Every alternative consumes what it looks at and takes nothing back (possessive quantifiers), so
# that no text, however hostile, is scanned twice.
_MARK = re.compile(
    "(?P<full>[。！？｡]++)[\"'”’»）」』)\\]]*+\\s*+"
    "|(?P<stop>[.!?…؟।]++)(?P<close>[\"'”’»)\\]*_]*+)(?P<gap>\\s*+)"
    "|(?P<line>[\n\r\x85\u2028\u2029]\\s*+)"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_LAST_TOKEN = re.compile(r"[\w.&-]*$")
_ACRONYM = re.compile(r"[^\W\d_]{1,2}(\.[^\W\d_]{1,2})+")
_OPENERS = "\"'“‘«([*_¿¡"

# Wrapped lines are long; shorter ones were ended on purpose.
_WRAPPED = 40

# Always followed by the name or the thing they belong to.
_TITLE = re.compile(
    r"adm|capt|cf|cmdr|col|dr|e\.g|eg|gen|gov|hon|i\.e|lt|maj|messrs|mlle|mme|mr|mrs|ms|mt|prof|rep"
    "|rev|sen|sgt|st|viz|vs"
)
# Abbreviations that may also close a sentence: a capital after them begins the next one.
_SHORT = re.compile(
    "al|approx|apr|aug|ave|blvd|c|ca|ch|co|corp|dec|dept|ed|eps|est|etc|feat|feb|fig|ft|hr|hrs|inc"
    "|jan|jr|lb|lbs|ltd|max|min|mins|misc|nov|oct|orig|oz|p|pp|pt|sec|secs|sep|sept|sq|sr|vol|vols"
    "|yr|yrs"
)
_NUMBERED = re.compile("no|nos|nr")


@dataclass(frozen=True, slots=True)
class Span:
    """Hold one sentence: `text` is exactly the characters [start, end) of the text it is from."""

    start: int
    end: int
    text: str


@lru_cache(maxsize=1 << 16)
def folded(text: str) -> str:
    """Return text as words are compared in it: case, accents' form and apostrophes alike."""
    return unicodedata.normalize("NFC", text.replace("’", "'").casefold())


def split(text: str) -> tuple[Span, ...]:
    """Return the sentences of a text, in order.

    The spans are disjoint, begin and end in a character that is not blank, together hold every
    character that is not blank, and are at most `MAX_CHARACTERS` long: a longer run is cut at a
    blank, or where there is none at the limit, into pieces of at least half of that. Time is
    linear in the text.
    """
    spans: list[Span] = []
    start = 0
    for end in (*_ends(text), len(text)):
        spans.extend(_pieces(text, start, end))
        start = end
    return tuple(spans)


def _ends(text: str) -> Iterator[int]:
    """Yield the positions behind each sentence, the last one excepted."""
    start = line = _after_blanks(text, 0)
    for mark in _MARK.finditer(text):
        gap = mark["line"] or mark["gap"] or ""
        if mark.end() > start and mark.end() < len(text) and _is_end(text, start, line, mark):
            yield mark.end()
            start = mark.end()
        if _LINE_BREAK.search(gap):
            line = mark.end()


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _is_end(text: str, start: int, line: int, mark: re.Match[str]) -> bool:
    following = text[mark.end()]
    if mark["full"]:
        return True
    if mark["line"]:
        wrapped = following.islower() and mark.start() - line >= _WRAPPED
        return not wrapped or _breaks(mark["line"]) > 1
    gap = mark["gap"]
    token = _token(text, start, mark.start())
    if not gap:
        return _is_missing_blank(text, mark, token)
    if _breaks(gap) > 1:
        return True
    if following in ".!?…":  # ". . ." ends at its last dot
        return False
    first = _first_word_character(text, mark.end())
    if mark["stop"] == "." and not mark["close"] and _is_abbreviation(token, first):
        return False
    if _breaks(gap):
        return True
    if mark["stop"] == "." and token.isdigit() and mark.start() - len(token) == start:
        return False  # the number of a list entry
    trails_off = mark["stop"].endswith(("..", "…"))
    return not (first.islower() and (mark["close"] or trails_off))


def _breaks(gap: str) -> int:
    return len(_LINE_BREAK.findall(gap))


def _token(text: str, start: int, end: int) -> str:
    """Return the word that ends at `end`; only its last characters matter."""
    found = _LAST_TOKEN.search(text[max(start, end - 12) : end])
    return found.group() if found else ""


def _first_word_character(text: str, position: int) -> str:
    for character in text[position : position + 4]:
        if character not in _OPENERS:
            return character
    return text[position]


def _is_abbreviation(token: str, first: str) -> bool:
    word = token.lower()
    if _TITLE.fullmatch(word) or _ACRONYM.fullmatch(word):
        return True
    if _SHORT.fullmatch(word):
        return first.islower() or first.isdigit()
    if _NUMBERED.fullmatch(word):
        return first.isdigit()
    return len(token) == 1 and token.isupper() and token != "I"  # an initial


def _is_missing_blank(text: str, mark: re.Match[str], token: str) -> bool:
    """Tell whether "end.Start" was meant as "end. Start"; file names and numbers are not."""
    after = text[mark.end() : mark.end() + 2]
    begins = len(after) == 2 and after[0].isupper() and after[1].islower()
    ended = mark["close"] or (len(token) > 1 and token.isalpha() and token.islower())
    return bool(begins and ended and not _TITLE.fullmatch(token))


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield [start, end) without its outer blanks, cut so that no piece is over the limit."""
    end = start + len(text[start:end].rstrip())
    while start < end:
        start = _after_blanks(text, start)
        cut = end if end - start <= MAX_CHARACTERS else _last_blank(text, start, end)
        piece = text[start:cut].rstrip()
        yield Span(start, start + len(piece), piece)
        start = cut


def _last_blank(text: str, start: int, end: int) -> int:
    # All pieces of a sentence stay too long to be quoted, so that no part passes for a whole.
    least = MAX_CHARACTERS // 2
    limit = min(start + MAX_CHARACTERS, end - least)
    blanks = (at for at in range(limit, start + least, -1) if text[at].isspace())
    return next(blanks, limit)
