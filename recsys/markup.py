"""Read the text of a web page's part as a reader sees it: no tags, no entities, nothing hidden.

By rules of our own where `html.parser` would do, since its time is quadratic on hostile text; the
entities are those of `html.unescape`.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Quantifiers take nothing back and no class crosses a "<", so that the time is linear.
_TAG = re.compile(
    "<!--.*?(?:-->|\\Z)|<[!?][^<>]*+>?"
    "|<(?P<end>/?)(?P<name>[a-zA-Z][^\\s<>/\"']*+)(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+>",
    re.DOTALL,
)
_HIDDEN = re.compile(
    "head|iframe|math|noscript|object|script|select|style|svg|template|textarea|title"
)
_LINES = re.compile(
    "address|article|aside|blockquote|br|center|d[dlt]|div|fieldset|figure|footer|form|h[1-6r]"
    "|header|li|main|nav|ol|p|pre|section|table|td|th|tr|ul"
)
# Amazon's own marks: [[VIDEOID:abc]] shows a film, [[ASIN:B000 A name]] the name of a product.
_MARK = re.compile(r"\[\[(?:VIDEOID:[^\[\]]*+|ASIN:[^\s\[\]]*+\s*+(?P<name>[^\[\]]*+))\]\]")
_BLANKS = re.compile(r"[^\S\n]+")
_AMPERSANDS = re.compile("&(?:amp;|#0*38;|#[xX]0*26;)++", re.IGNORECASE)
_JOINERS = "\u200c\u200d"  # they shape letters and emoji
_PASSES = 4


def shown_text(text: str) -> str:
    """Return what a browser shows of a text: tags, comments and hidden elements are left out.

    Line breaks and blocks become newlines, other tags nothing; runs of blanks become one. Entities
    are read until none is left, so that no markup appears by reading once more what this returns
    (`&amp;lt;b&gt;`); after four rounds what still looks like markup loses its signs. Characters
    that show nothing, such as zero-width spaces, are removed.
    """
    for _ in range(_PASSES):
        if (seen := _read(text)) == text:
            return seen
        text = seen
    return _read(re.sub(r"[<>&\[\]]", "", text))


def _read(text: str) -> str:
    text = html.unescape(_AMPERSANDS.sub("&", _without_tags(text)))
    text = _MARK.sub(lambda mark: mark["name"] or "", text)
    visible = (c for c in text if c in _JOINERS or unicodedata.category(c) != "Cf")
    return _BLANKS.sub(" ", "".join(visible))


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    kept: list[str] = []
    hidden, at = "", 0  # the name of the element that is not shown
    for tag in _TAG.finditer(text):
        if not hidden:
            kept.append(text[at : tag.start()])
        at, name = tag.end(), (tag["name"] or "").lower()
        if hidden:
            hidden = "" if tag["end"] and name == hidden else hidden
        elif _HIDDEN.fullmatch(name) and not tag["end"]:
            hidden = "" if tag[0].endswith("/>") else name
        elif _LINES.fullmatch(name):
            kept.append("\n")
    kept.append("" if hidden else text[at:])
    return "".join(kept)
