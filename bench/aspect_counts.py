"""Count again in which sentences and reviews an aspect is judged, without the package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whythis.bench.sentences import of_others

if TYPE_CHECKING:
    from whythis.bench.independent import Again

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def recounted(again: Again, claim: Mapping[str, Any]) -> tuple[dict[str, int], str | None]:
    """Return the counts of an aspect_count or own_aspect claim, and what is wrong beside them."""
    subject, told = claim["subject"], claim["value"]
    user, item, aspect = subject["user"], subject["item"], told["aspect"]
    stored: Sequence[dict[str, Any]] = again.sentences or ()
    of_item = claim["kind"] == "aspect_count"
    own = [s for s in stored if s["user"] == user and s["item"] != item]
    kept = {s["id"]: s for s in (of_others(stored, user, item) if of_item else own)}
    judged = [one for id_ in kept for one in again.judgements.get(id_, ()) if one.aspect == aspect]
    if not judged:
        return {}, f"nothing judges “{aspect}”"
    for one in judged:
        if not _stands(aspect, kept[one.sentence]["chroma:document"]):
            return {}, f"{one.sentence} does not hold “{aspect}”"
    if not of_item:
        reviews = {kept[one.sentence]["review"] for one in judged}
        return {"reviews": len(reviews), "of": len({s["review"] for s in own})}, None
    sources = {s["source"] for s in kept.values()}
    source = sources.pop() if len(sources) == 1 else "several"
    counts = {
        name: len({one.sentence for one in judged if one.polarity == sign})
        for name, sign in (("positive", 1), ("negative", -1))
    }
    wrong = None if source == told["source"] else f"the source is {source}"
    return counts | {"of": len(kept)}, wrong


def _stands(aspect: str, text: str) -> bool:
    joined = _WORD.findall(text.lower())
    words = {part for word in joined for part in (word, *word.split("-"))}
    return all(any(_alike(word, noun) for word in words) for noun in aspect.split())


def _alike(word: str, noun: str) -> bool:
    """Tell whether a word is the noun or a plural of it, by its ending alone."""
    if word in (noun, noun + "s", noun + "es"):
        return True
    if noun.endswith("y") and word == noun[:-1] + "ies":
        return True
    return word.endswith("ves") and noun in (word[:-3] + "f", word[:-3] + "fe")
