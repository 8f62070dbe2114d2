"""Refuse sentences with adverbs in -ly, wherever they do not quote somebody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whythis.claims.kinds import Claim

_QUOTED = re.compile("“.*?”", re.DOTALL)
_IN_LY = re.compile(r"\b[a-z]{2,}ly\b")  # in lower case: names are no adverbs
_NONE = {"only", "family", "early", "likely", "lovely", "friendly", "reply", "supply"}


def adverb(text: str, claims: Sequence[Claim], also: str = "") -> str | None:
    """Return why a sentence may not be said, or None; `also`: one more word that may not be."""
    spoken = _QUOTED.sub("", text)
    found = [word for word in _IN_LY.findall(spoken) if word not in _NONE]
    if also and re.search(rf"\b{re.escape(also)}\b", spoken):
        found.append(also)
    return f"it says “{found[0]}”" if found else None
