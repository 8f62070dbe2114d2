"""Read the sentences of a review index from its database file, and find words in them."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

_ROWS = "SELECT id, key, COALESCE(string_value, float_value, int_value) FROM embedding_metadata"


def stored(index: Path) -> list[dict[str, Any]]:
    """Return the fields of each stored sentence; its text stands under "chroma:document"."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)) as database:
        for id_, key, value in database.execute(_ROWS):
            found[id_][key] = value
    return list(found.values())


def with_word(sentences: Sequence[Mapping[str, Any]], word: str) -> list[Mapping[str, Any]]:
    """Return the sentences in which a word stands as a whole, whatever its case."""
    whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    return [s for s in sentences if whole.search(_folded(s["chroma:document"]))]


def of_others(sentences: Sequence[Mapping[str, Any]], user: str, item: str) -> list[dict[str, Any]]:
    """Return an item's sentences but the user's own and repeated ones, their own ones' too."""
    stands = [s for s in sentences if s["item"] == item]
    told = {_folded(s["chroma:document"]) for s in stands if s["user"] == user}
    kept = []
    for s in sorted(stands, key=lambda s: (s["review"], s["start"])):
        if (text := _folded(s["chroma:document"])) not in told:
            told.add(text)
            kept.append(dict(s))
    return kept


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("’", "'").casefold())
