"""Change a saved explanation in one place and keep the rest of it consistent."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from whythis.bench.ground_truth import GroundTruth
from whythis.bench.paraphrasing import Told, ordinal
from whythis.tools.evidence import evidence

Record = dict[str, Any]
"""An explanation in its public JSON form."""

_SLOT = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Answer:
    """Hold an explanation, what is true of it, and what each of its sentences tells.

    `others`: answers to take things from. `stale`: the claims' hashes and values as an older
    recommender has them, an explanation too; None where there is none.
    """

    saved: Record
    truth: GroundTruth
    told: Sequence[Told]
    others: Sequence[Answer] = ()
    stale: Record | None = None


Forgeries = Iterator[tuple[Record, str]]
"""Pairs of a record and what is false in it."""


def fresh(answer: Answer) -> Record:
    """Return a copy of the record that may be changed."""
    return copy.deepcopy(answer.saved)


def of_kind(answer: Answer, *kinds: str) -> Iterator[tuple[str, Record]]:
    """Yield the claims of these kinds, with their ids."""
    for id_, claim in answer.saved["claims"].items():
        if claim["kind"] in kinds:
            yield id_, claim


def forged(saved: Record, id_: str, field: str, value: object, deep: bool) -> Record:
    """Return the record with another value in a claim; `deep`: in its evidence and text too."""
    record = copy.deepcopy(saved)
    claim = record["claims"][id_]
    old = claim["value"][field]
    claim["value"][field] = value
    if deep:
        for cited in list(claim["evidence"]):
            _reissued(record, cited, old, value)
        for said, now in zip(_said(field, old), _said(field, value), strict=True):
            record = resaid(record, id_, said, now)
    return record


def sourced(saved: Record, model_hash: str) -> Record:
    """Return the record with evidence that names another model, its ids computed anew."""
    record = copy.deepcopy(saved)
    for cited, found in list(record["evidence"].items()):
        if found["source"].startswith("model:"):
            found["source"] = f"model:{model_hash}"
            _renamed(record, cited)
    return record


def resaid(
    record: Record, where: str | int, old: str | None, new: str, draft: str | None = None
) -> Record:
    """Change sentences, and place them in the answer again.

    where: the place of one sentence, whose text becomes `new` and its draft `draft`; or the id of a
    claim, in all sentences citing which `old` is replaced by `new`.
    """
    for place, sentence in enumerate(record["sentences"]):
        if where == place:
            sentence["text"] = new
            if draft is not None:
                sentence["draft"] = draft
        elif isinstance(where, str) and where in sentence["claims"] and old:
            sentence["text"] = _replaced(sentence["text"], old, new)
    answer = ""
    for sentence in record["sentences"]:
        sentence["start"] = len(answer) + bool(answer)
        answer = f"{answer} {sentence['text']}".strip()
        sentence["end"] = len(answer)
    record["answer"] = answer
    return record


def added(record: Record, text: str, draft: str | None, claims: tuple[str, ...]) -> Record:
    """Append a sentence."""
    sentence = copy.deepcopy(record["sentences"][-1])
    sentence |= {"text": text, "claims": list(claims)}
    record["sentences"].append(sentence)
    return resaid(record, len(record["sentences"]) - 1, None, text, draft)


def worded(saved: Record, place: int, pattern: str, by: str) -> Record | None:
    """Return the record with words changed in text and draft alike, where both have them once."""
    sentence = saved["sentences"][place]
    draft, text = sentence.get("draft"), sentence["text"]
    if draft is None:
        return None
    bare = _SLOT.sub(lambda found: "\0" * len(found[0]), draft)
    if len(re.findall(pattern, bare)) != 1 or len(re.findall(pattern, text)) != 1:
        return None
    found = re.search(pattern, bare)
    assert found is not None
    part = draft[slice(*found.span())]
    changed = draft[: found.start()] + re.sub(pattern, by, part) + draft[found.end() :]
    record = copy.deepcopy(saved)
    return resaid(record, place, None, re.sub(pattern, by, text), changed)


def _reissued(record: Record, cited: str, old: object, new: object) -> None:
    """Replace a value in a piece of evidence, wherever it stands in it by itself."""
    found = record["evidence"][cited]
    for key, value in found["value"].items():
        if type(value) is type(old) and value == old:
            found["value"][key] = new
    _renamed(record, cited)


def _renamed(record: Record, cited: str) -> None:
    found = record["evidence"].pop(cited)
    made = evidence(
        found["kind"],
        found["value"],
        source=found["source"],
        probe=found["probe"]["name"],
        **found["probe"]["args"],
    )
    record["evidence"][made.id] = found
    for claim in record["claims"].values():
        claim["evidence"] = [made.id if e == cited else e for e in claim["evidence"]]


def _said(field: str, value: object) -> tuple[str, ...]:
    """Return how a value is said in a sentence."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ("",)
    if isinstance(value, int):
        return ordinal(value), f"{value:,}"
    return (f"{100 * value:.0f} %",) if field == "share" else (f"{value:.1f}",)


def _replaced(text: str, old: str, new: str) -> str:
    if old[0].isdigit():
        return re.sub(rf"(?<![\d.,]){re.escape(old)}(?![\d]|[.,]\d)", lambda _: new, text)
    return text.replace(old, new)
