"""Tell a language model what there is to say: the menu of claims, and the form of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from whythis.checker import Checked, Draft, Ledger
from whythis.language import Language
from whythis.realiser import canonical
from whythis.recsys.errors import LanguageModelError
from whythis.tools.evidence import Evidence
from whythis.words import SLOT, Cited

_BESIDE = frozenset({"persona_items", "persona_share"})
_MOST = 4
_TOLD = frozenset({"popularity", "rank"})  # known, but a poor use of a short answer


def menu(ledger: Ledger, language: Language, *, key: str) -> str:
    """Return for each claim one sentence that says it, in the form of an answer.

    What reviews say, what tastes and items are called, stays out: no foreign text reaches the
    model with the claims.
    """
    lines = []
    for id_ in _main(ledger):
        draft = canonical(id_, ledger, language, key=f"{key}/{id_}")
        if draft is not None:
            lines.append(json.dumps({"about": id_, "text": draft.text}))
    return "\n".join(lines)


def answer_schema(ledger: Ledger, about: Collection[str] | None = None) -> dict[str, Any]:
    """Return the JSON schema of an answer: sentences about enumerated claims (all, or `about`).

    Only the claims are enumerated. Texts stay free: a grammar that forbids a small model its next
    word makes it ramble, and whatever it writes is checked.
    """
    claims = [id_ for id_ in _main(ledger) if about is None or id_ in about]
    sentence = {
        "type": "object",
        "properties": {
            "about": {"type": "string", "enum": claims},
            "text": {"type": "string"},
        },
        "required": ["about", "text"],
        "additionalProperties": False,
    }
    least = min(3, len(claims)) if about is None else len(claims)
    return {
        "type": "object",
        "properties": {
            "sentences": {
                "type": "array",
                "items": sentence,
                "minItems": least,
                "maxItems": min(_MOST, len(claims)),
            }
        },
        "required": ["sentences"],
        "additionalProperties": False,
    }


def drafts(text: str) -> tuple[Draft, ...]:
    """Read an answer; sentences that were complete before it was cut short still count.

    Raises `LanguageModelError` where there is not one.
    """
    found = []
    for match in re.finditer(r'\{\s*"about"', text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, match.start())
        except ValueError:
            continue
        about, sentence = value.get("about"), value.get("text")
        if isinstance(about, str) and isinstance(sentence, str):
            others = [claim for claim, name in SLOT.findall(sentence) if name]
            claims = tuple(dict.fromkeys([about, *others]))
            found.append(Draft(_ended(sentence), claims))
    if not found:
        raise LanguageModelError(f"no sentence in the model's answer: {text[:80]!r}")
    return tuple(found[: 2 * _MOST])


def refusals(refused: Sequence[Checked], ledger: Ledger, language: Language) -> str:
    """Return the refused sentences with the reason and one that would pass, for the writer."""
    lines = []
    for one in refused:
        about = one.draft.claims[0]
        line = f"- about {about}: {json.dumps(one.draft.text)} because {one.reason}"
        model = canonical(about, ledger, language, key=one.draft.text)
        lines.append(f"{line}; this would do: {json.dumps(model.text)}" if model else line)
    return "\n".join(lines)


def brief(found: Iterable[Evidence]) -> str:
    """Return tool results in few words of ours: names and reviews are told through slots only."""
    lines = []
    for record in found:
        value: dict[str, Any] = record.value
        match record.kind:
            case "history_effect":
                change = value["rank_after"] - value["rank_before"]
                lines.append("it would fall" if change > 0 else "it would hold its place")
            case "review":
                lines.append(f"a {value['tone']} review found")
            case _:
                lines.append(record.kind.replace("_", " "))
    return "; ".join(lines) or "nothing found"


def _main(ledger: Ledger) -> dict[str, Cited]:
    return {i: c for i, c in ledger.verified.items() if c.claim.kind not in _BESIDE | _TOLD}


def _ended(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
