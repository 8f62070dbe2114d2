"""Hold an answer with everything needed to check it again: the one record every surface shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from whythis.claims.kinds import Claim, PersonaEffect
from whythis.recsys.errors import DataError
from whythis.tools.evidence import Evidence

SCHEMA = "whythis/explanation/2"
Outcome = Literal["verified", "refuted", "uncheckable"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Frozen):
    """Say whether a claim held when it was executed again, and why in plain words."""

    outcome: Outcome
    reason: str


class Sentence(_Frozen):
    """Hold one released sentence: its text, its place in the answer, its claims, its writer.

    `draft`: the text with its slots, as it was checked; filled, it is `text`.
    """

    text: str
    draft: str
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
    repair (None without a language model). coverage: sum of the positive persona effects
    told over all found, 1 where there is none.
    """

    claim_precision_draft: float | None
    coverage: float
    rounds: int
    tokens: int
    ms: dict[str, float]


class Explanation(_Frozen):
    """Answer one question about one recommendation; every sentence cites claims, every claim
    carries its verdict, and the hashes say of which model, data and code."""

    schema_: str = SCHEMA
    user: str
    item: str
    title: str
    question: str
    model_hash: str
    data_hash: str
    code_hash: str
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

    @classmethod
    def from_json(cls, saved: object) -> Explanation:
        """Return the explanation whose public JSON form is `saved`, to the last field.

        Its form is checked, not its truth. Raises `DataError` for anything else.
        """
        schema = saved.get("schema") if isinstance(saved, Mapping) else None
        if not isinstance(saved, Mapping) or schema is None:
            raise DataError(
                f"this is no explanation: it has no schema, where {SCHEMA!r} must stand"
            )
        if schema != SCHEMA:
            raise DataError(
                f"the schema is {str(schema)[:60]!r}, not {SCHEMA!r}: make the explanation again"
            )
        return strictly(
            saved,
            "explanation",
            lambda plain: cls.model_validate_json(
                json.dumps(_records(plain), allow_nan=False), strict=True
            ),
        )


class _Saved(Protocol):
    def as_json(self) -> dict[str, Any]: ...


_Record = TypeVar("_Record", bound=_Saved)


def strictly(
    saved: Mapping[str, Any], what: str, read: Callable[[Mapping[str, Any]], _Record]
) -> _Record:
    """Return the record that `read` makes of its public form, which it must give back.

    Raises `DataError`, naming `what` it should be, for anything else.
    """
    try:
        found = read(saved)
        same = found.as_json() == saved
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = " > ".join(str(part)[:40] for part in first["loc"]) or "the record"
        raise DataError(f"this is no {what}: at {where!r}, {first['msg']}") from None
    except RecursionError:
        raise DataError(f"this is no {what}: it is nested too deep") from None
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise DataError(f"this is no {what}: {str(error)[:80]!r}") from None
    if not same:
        raise DataError(f"this is no {what}: it holds less or more than one does")
    return found


def _records(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public form with claims, verdicts and evidence as the fields have them."""
    plain = {key: value for key, value in saved.items() if key != "schema"}
    claims, verdicts = [], {}
    for id_, claim in plain["claims"].items():
        told = {key: value for key, value in claim.items() if key not in ("verdict", "reason")}
        claims.append({**told, "id": id_})
        verdicts[id_] = {"outcome": claim["verdict"], "reason": claim["reason"]}
    evidence = [{**record, "id": id_} for id_, record in plain["evidence"].items()]
    return {
        **plain,
        "schema_": saved["schema"],
        "claims": claims,
        "verdicts": verdicts,
        "evidence": evidence,
    }


def bars(found: Iterable[Evidence]) -> tuple[PersonaBar, ...]:
    """Return a bar for each persona whose effect was measured."""
    seen = {str(e.value["persona"]): e.value for e in found if e.kind == "persona_effect"}
    return tuple(
        PersonaBar.model_validate(
            {key: value[key] for key in ("name", "share", "effect", "titles")}
        )
        for value in seen.values()
    )


def coverage(found: Iterable[Evidence], told: Iterable[Claim]) -> float:
    """Return the part of what speaks for the item that the claims tell: 0..1.

    That is, the sum of the positive persona effects told over that of all found; 1 where nothing
    speaks for it.
    """
    sizes: dict[Any, float] = {
        e.value["persona"]: max(0.0, float(e.value["effect"]))  # type: ignore[arg-type]
        for e in found
        if e.kind == "persona_effect"
    }
    total = sum(sizes.values())
    shown = sum(sizes.get(c.subject.persona, 0.0) for c in told if isinstance(c, PersonaEffect))
    return min(1.0, shown / total) if total else 1.0
