"""Decide by its form whether a review's sentence may be quoted to people.

A quotation is somebody's voice on the item. What holds a link, markup, a slot, code, a speaker's
mark or hidden characters is none, and could act where the answer is shown or read next; a quotation
mark inside could end the quotation early. Such sentences still count as reviews; they are not
quoted. What a plain sentence says is not judged: an order in plain words, in any language, may be
quoted, and does nothing between quotation marks. Only the commonest English ways of speaking to a
language model are left out, since no reader wants to hear them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType

from whythis.tools.reviews.sentences import QUOTABLE

_LONGEST_WORD = 40
_MARKS_ON_A_LETTER = 3
_LETTERS = 0.5  # the least part of the characters that are letters or blanks
_JOINERS = "\u200c\u200d"  # Persian words and family emoji need them
_BLANK_LETTERS = "\u034f\u115f\u1160\u180b\u180c\u180d\u3164\uffa0"

_FORMS = MappingProxyType(
    {
        "it holds a link or an address": re.compile(
            r"//|\bwww\.|\b(?:javascript|data|mailto|tel|vbscript):|\S@\S"
            r"|\[\.\]|\b[\w-]+\.(?:com|example|gov|info|io|net|org)\b"
            r"|\bdot (?:com|net|org|example)\b",
            re.IGNORECASE,
        ),
        "it holds a speaker's mark": re.compile(
            r"<\||\|>|\[/?INST|<<|>>|\b(?:system|assistant|human|user|model|result of \w+)\s*:"
            r"|\"role\"",
            re.IGNORECASE,
        ),
        "it holds markup": re.compile(
            r"<[!/?a-z%|#]|[a-z\"'/]>|\b\w+=[\"']|&(?:#|[a-z]{2,8};)"
            r"|\]\]|\]\(|\]:|\[/|\[[a-z_]+(?:[ =]\S+)?\]|^\s*[#>|=]|``|\*\*",
            re.IGNORECASE,
        ),
        "it holds braces, a slot or code": re.compile(
            r"[{}\\`]|\$[a-z_({]|%[(\d]*[sdr]\b|[!#@]\{|__\w|\w\(\)|;\s*--|!!\w|\.\./|\bf[\"']|\"\s*:\s*\""
            r"|\b\w+\('|\b(?:drop table|rm -)",
            re.IGNORECASE,
        ),
        "it holds a mark of our own": re.compile(
            r"\((?:sample )?review\b|\(source\b|[✓✗▲▼●]|\bverdict\b|\b(?:claim|evidence) [a-z]?\d"
            r"|\[\w?\d+\]|\bend quote\b|\bbegin quote\b",
            re.IGNORECASE,
        ),
        "it speaks to a language model": re.compile(
            r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules?"
            r"|previous|everything you)\b"
            r"|\b(?:system prompt|your instructions|language model|llms?|ai agents?|chatbot"
            r"|when the assistant|you are (?:now|in a test))\b",
            re.IGNORECASE,
        ),
    }
)
# Ours are “ and ”; whatever looks like a pair could end a quotation.
_QUOTES = re.compile("[“”„‟«»‹›「」『』〝〞〟❝❞＂″]|''")
_CLOSING = re.compile(r"\"(?=\s*[(,;:]\s*(?:review|rated|and|while|says))", re.IGNORECASE)


@lru_cache(maxsize=1 << 16)
def unquotable(text: str) -> str | None:
    """Return why a sentence may not be quoted, or None where it may. Time is linear in the text."""
    if len(text) > QUOTABLE:
        return f"it is longer than the {QUOTABLE} characters that are quoted"
    return _characters(text) or _quotation(text) or _form(text)


def _characters(text: str) -> str | None:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
            return "it holds a control character"
        if character in _BLANK_LETTERS or (category == "Cf" and character not in _JOINERS):
            return "it holds a hidden character"
        marks = marks + 1 if category == "Mn" else 0
        if marks > _MARKS_ON_A_LETTER:
            return "it piles marks on a letter"
    if unicodedata.normalize("NFKC", text).casefold() != unicodedata.normalize(
        "NFC", text
    ).casefold() and any(_styled(character) for character in text):
        return "it is written in letters made to look like others"
    if any(_mixed(word) for word in text.split()):
        return "it mixes alphabets in a word"
    if any(len(word) > _LONGEST_WORD for word in text.split()):
        return f"it holds a word of more than {_LONGEST_WORD} characters"
    plain = sum(c.isalpha() or c.isspace() or unicodedata.category(c) == "Mc" for c in text)
    if plain < _LETTERS * len(text):
        return "it is hardly made of words"
    return None


def _styled(character: str) -> bool:
    """Return whether a character is a letter in disguise: full width, in a ring, mathematical."""
    name = unicodedata.name(character, "")
    return name.startswith(("FULLWIDTH LATIN", "CIRCLED LATIN", "MATHEMATICAL", "PARENTHESIZED"))


def _mixed(word: str) -> bool:
    """Return whether Latin letters stand beside Greek or Cyrillic ones that look like them."""
    names = {unicodedata.name(c, "").partition(" ")[0] for c in word if c.isalpha()}
    return "LATIN" in names and bool(names & {"CYRILLIC", "GREEK"})


def _quotation(text: str) -> str | None:
    if _QUOTES.search(text) or text.count('"') % 2 or _CLOSING.search(text):
        return "it holds a quotation mark that could end the quotation"
    return None


def _form(text: str) -> str | None:
    return next((reason for reason, form in _FORMS.items() if form.search(text)), None)
