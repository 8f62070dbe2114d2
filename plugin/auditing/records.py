"""Hold what an audit found: the form every surface and the batch mode show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

SCHEMA = "whythis/audit/1"
Supported = Literal["supported", "refuted", "uncheckable"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """Hold one assertion read in a sentence, and what the recommender or the data say of it.

    `kind`: the kind of claim it was checked as. `found`: the values that were executed or looked
    up, whether they agree with what was said or not. `source`: the model, data or reviews asked.
    """

    said: str
    kind: str
    outcome: Supported
    reason: str
    found: dict[str, JsonValue]
    source: str


class Judged(_Frozen):
    """Hold a sentence with its verdict, the reason, and what was read in it.

    `reading`: a language model's restatement, where one helped to read the sentence. Such a reading
    can refute a sentence, never support it.
    """

    text: str
    start: int
    end: int
    verdict: Supported
    reason: str
    findings: tuple[Finding, ...] = ()
    reading: str | None = None


class Summary(_Frozen):
    """Count the sentences by verdict; `precision` is the supported part, None of no sentence."""

    sentences: int
    supported: int
    refuted: int
    uncheckable: int
    precision: float | None


class Audit(_Frozen):
    """Judge a text about one recommendation, sentence by sentence."""

    schema_: str = SCHEMA
    user: str
    item: str
    title: str
    model_hash: str
    data_hash: str
    reader: str
    sentences: tuple[Judged, ...]
    summary: Summary

    def as_json(self) -> dict[str, JsonValue]:
        """Return the public JSON form."""
        plain: dict[str, JsonValue] = self.model_dump(mode="json")
        return {"schema": plain.pop("schema_"), **plain}


def summarised(sentences: tuple[Judged, ...]) -> Summary:
    """Return the counts of the verdicts."""
    counts = {v: sum(s.verdict == v for s in sentences) for v in ("supported", "refuted")}
    total = len(sentences)
    return Summary(
        sentences=total,
        supported=counts["supported"],
        refuted=counts["refuted"],
        uncheckable=total - counts["supported"] - counts["refuted"],
        precision=counts["supported"] / total if total else None,
    )
