"""Keep what a probe found as immutable records: value, source, and how to find it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue


class Probe(BaseModel):
    """Name the tool call that found a piece of evidence, so that anyone can repeat it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    args: dict[str, JsonValue]


class Evidence(BaseModel):
    """Hold one finding; its id is a hash of everything else in it.

    `source` says what was asked: `model:<hash>`, `data:<hash>` or `reviews:<source name>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    value: dict[str, JsonValue]
    source: str
    probe: Probe


def evidence(
    kind: str, value: Mapping[str, JsonValue], *, source: str, probe: str, **args: JsonValue
) -> Evidence:
    """Return a record whose id follows from its content: equal findings have equal ids.

    Raises `ValueError` where a number is not finite: JSON has no word for it.
    """
    content = json.dumps([kind, value, source, probe, args], sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(content.encode()).hexdigest()[:10]
    return Evidence(
        id=f"e-{digest}",
        kind=kind,
        value=dict(value),
        source=source,
        probe=Probe(name=probe, args=args),
    )
