"""Count the sentences of reviews in which a word stands: the item's, and the user's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from whythis.recsys.errors import DataError
from whythis.recsys.interactions import shown
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.probes import tones
from whythis.tools.reviews.sentences import folded
from whythis.tools.reviews.store import Sentence
from whythis.tools.workspace import Workspace

_WORD = re.compile(r"\w+(?:['-]\w+)*")
_LONGEST = 40


@dataclass(frozen=True)
class Mentions:
    """Count sentences with a word among `of`; `favourable`, `critical`: from such reviews.

    `source`: where all the sentences come from, "several" of more places than one.
    """

    sentences: int
    favourable: int
    critical: int
    of: int
    source: str


def count_mentions(ws: Workspace, user: str, item: str, word: str) -> Mentions:
    """Count over the item's sentences that may be evidence (`Workspace.item_sentences`).

    Raises `DataError` where `word` is not one word and `MissingPartError` without reviews.
    """
    pattern = _pattern(word)
    return _counted(ws, ws.item_sentences(user, item), pattern)


def count_own_words(ws: Workspace, user: str, item: str, word: str) -> Mentions:
    """Count over the user's earlier reviews of other items; raises as `count_mentions`."""
    pattern = _pattern(word)
    return _counted(ws, ws.own_sentences(user, item), pattern)


def mentions(ws: Workspace, user: str, item: str, word: str) -> tuple[Evidence, ...]:
    """Count the sentences of the item's reviews that hold a word; none where it has no reviews.

    The user's own review of the item is left out, as it would leak what is explained, and a
    wording that several reviews share counts once.
    """
    ws.recommender.candidate(user, item)
    found = count_mentions(ws, user, item, word)
    if not found.of:
        return ()
    value: dict[str, JsonValue] = {
        "word": folded(word),
        "sentences": found.sentences,
        "favourable": found.favourable,
        "critical": found.critical,
        "of": found.of,
        "source": found.source,
    }
    return (
        evidence(
            "mentions",
            value,
            source=f"reviews:{found.source}",
            probe="mentions",
            user=user,
            item=item,
            word=word,
        ),
    )


def own_words(ws: Workspace, user: str, item: str, word: str) -> tuple[Evidence, ...]:
    """Count the sentences of the user's own reviews of other items that hold a word.

    None where the user wrote no other review.
    """
    ws.recommender.candidate(user, item)
    found = count_own_words(ws, user, item, word)
    if not found.of:
        return ()
    return (
        evidence(
            "own_words",
            {"word": folded(word), "sentences": found.sentences, "of": found.of},
            source=f"reviews:{found.source}",
            probe="own_words",
            user=user,
            item=item,
            word=word,
        ),
    )


def _pattern(word: str) -> re.Pattern[str]:
    wanted = folded(word)
    if len(wanted) > _LONGEST or not _WORD.fullmatch(wanted):
        raise DataError(f"{shown(word)} is not one word of at most {_LONGEST} letters")
    return re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")


def _counted(ws: Workspace, sentences: Sequence[Sentence], pattern: re.Pattern[str]) -> Mentions:
    holding = [s for s in sentences if pattern.search(folded(s.text))]
    low, high = tones(ws)
    rated = [s.rating for s in holding if s.rating is not None]
    sources = sorted({s.source for s in sentences})
    return Mentions(
        sentences=len(holding),
        favourable=sum(rating >= high for rating in rated),
        critical=sum(rating <= low for rating in rated),
        of=len(sentences),
        source=sources[0] if len(sources) == 1 else "several",
    )
