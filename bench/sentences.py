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


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("’", "'").casefold())
