"""Turn answers into what goes over the wire, and into the figures that are kept of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from whythis.conversation.reply import Reply
from whythis.explanation import Explanation
from whythis.server.keys import Caller


@dataclass(frozen=True)
class Figures:
    """Hold what may be counted of an answer; none of it names anybody.

    model: the language model that worded it, or "none". verdicts: (kind of claim, outcome).
    """

    model: str
    tokens: int
    sentences: int
    failed: bool
    verdicts: tuple[tuple[str, str], ...]


def figures(answer: Explanation | Reply) -> Figures:
    """Return the figures of an answer."""
    told = answer if isinstance(answer, Explanation) else answer.explanation
    return Figures(
        model="none" if told is None else told.llm,
        tokens=0 if told is None else told.metrics.tokens,
        sentences=len(answer.sentences),
        failed=told is not None and told.llm_error is not None,
        verdicts=tuple(
            (claim.kind, answer.verdicts[claim.id].outcome)
            for claim in answer.claims
            if claim.id in answer.verdicts
        ),
    )


def encoded(plain: object) -> bytes:
    """Return JSON in UTF-8."""
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def reply(content: bytes) -> Response:
    """Return JSON that is encoded already."""
    return Response(content, media_type="application/json")


def seen_by(caller: Caller, plain: dict[str, Any]) -> dict[str, Any]:
    """Return an answer's JSON without the ids of reviewers whom a caller may not see.

    What they wrote is told, as it is to everybody; who wrote it is not.
    """
    if caller.users is None:
        return plain
    evidence = {id_: record_for(caller, one) for id_, one in plain["evidence"].items()}
    plain = {**plain, "evidence": evidence}
    inner = plain.get("explanation")
    return {**plain, "explanation": seen_by(caller, inner)} if inner else plain


def record_for(caller: Caller, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a piece of evidence without the id of a reviewer whom the caller may not see."""
    value = record["value"]
    by = value.get("reviewer") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or by is None or caller.sees(by):
        return dict(record)
    return {**record, "value": {**value, "reviewer": "another"}}
