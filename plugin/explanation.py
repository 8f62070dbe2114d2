"""Hold an answer with everything needed to check it again: the one record every surface shows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from whythis.claims import Claim
from whythis.tools.evidence import Evidence

SCHEMA = "whythis/explanation/1"
Outcome = Literal["verified", "refuted", "uncheckable"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Frozen):
    """Say whether a claim held when it was executed again, and why in plain words."""

    outcome: Outcome
    reason: str


class Sentence(_Frozen):
    """Hold one released sentence: its text, its place in the answer, its claims, its writer."""

    text: str
    start: int
    end: int
    claims: tuple[str, ...]
    writer: Literal["model", "realiser"]


class Dropped(_Frozen):
    """Hold a sentence that was not released, in the words of its writer, and the reason."""

    text: str
    reason: str


class PersonaBar(_Frozen):
    """Hold what a persona bar shows: its name, share 0..1, signed effect, and heaviest titles."""

    name: str
    share: float
    effect: float
    titles: tuple[str, ...]


class PromptRef(_Frozen):
    """Name the prompt file that the language model worked from, by content hash."""

    name: str
    hash: str


class Metrics(_Frozen):
    """Measure how the answer came about.

    claim_precision_draft: share of the model's own sentences that passed the checker before any
    repair (None without a language model). coverage: sum of |persona effects| told over found.
    """

    claim_precision_draft: float | None
    coverage: float
    rounds: int
    tokens: int
    ms: dict[str, float]


class Explanation(_Frozen):
    """Answer one question about one recommendation; every sentence cites claims, every claim
    carries its verdict, and the hashes say of which model and data."""

    schema_: str = SCHEMA
    user: str
    item: str
    title: str
    question: str
    model_hash: str
    data_hash: str
    prompt: PromptRef | None
    llm: str
    llm_error: str | None
    seed: int
    answer: str
    sentences: tuple[Sentence, ...]
    claims: tuple[Claim, ...]
    verdicts: dict[str, Verdict]
    evidence: tuple[Evidence, ...]
    dropped: tuple[Dropped, ...]
    personas: tuple[PersonaBar, ...]
    metrics: Metrics

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON form: claims and evidence by id, each claim with its verdict."""
        plain = self.model_dump(mode="json")
        verdicts = plain.pop("verdicts")
        plain["schema"] = plain.pop("schema_")
        plain["claims"] = {
            claim.pop("id"): {
                **claim,
                "verdict": verdicts[id_]["outcome"],
                "reason": verdicts[id_]["reason"],
            }
            for claim, id_ in [(c, c["id"]) for c in plain["claims"]]
        }
        plain["evidence"] = {e.pop("id"): e for e in plain["evidence"]}
        return plain
