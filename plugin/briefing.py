"""Tell a language model what there is to say: the menu of claims, and the form of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from whythis.checker import Checked, Draft, Ledger
from whythis.language import Language
from whythis.realiser import canonical
from whythis.recsys.errors import LanguageModelError
from whythis.slots import REQUIRED
from whythis.tools.evidence import Evidence
from whythis.words import SLOT, Cited

_BESIDE = frozenset({"persona_items", "persona_share"})
_QUOTE_SHOWN = 200
_MOST = 4
_TOLD = frozenset({"popularity", "rank"})  # known, but a poor use of a short answer


def menu(ledger: Ledger) -> str:
    """Return one line a claim: id, what it is, its slots."""
    lines = []
    for id_, cited in _main(ledger).items():
        names = [f"{{{id_}.{name}}}" for name in cited.slots]
        names += [
            f"{{{other}.{name}}}"
            for other, beside in _companions(ledger, cited).items()
            for name in sorted(REQUIRED[beside.claim.kind])
        ]
        lines.append(f"{id_} ({_gist(cited)}): {' '.join(names)}")
    return "\n".join(lines)


def answer_schema(
    ledger: Ledger, *, patterns: bool, about: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the JSON schema of an answer: sentences about enumerated claims (all, or `about`).

    With `patterns` each text is held to lower-case words and the claim's own slots, its required
    slot included, so that no other slot, digit, name or quotation can be decoded at all.
    """
    claims = {i: c for i, c in _main(ledger).items() if about is None or i in about}
    one_of = [
        {
            "type": "object",
            "properties": {
                "about": {"const": id_},
                "text": {"type": "string", "pattern": _pattern(id_, cited, ledger)}
                if patterns
                else {"type": "string"},
            },
            "required": ["about", "text"],
            "additionalProperties": False,
        }
        for id_, cited in claims.items()
    ]
    item: dict[str, Any] = {"oneOf": one_of}
    if not patterns:  # what strict endpoints accept everywhere
        item = {
            "type": "object",
            "properties": {
                "about": {"type": "string", "enum": list(claims)},
                "text": {"type": "string"},
            },
            "required": ["about", "text"],
            "additionalProperties": False,
        }
    sentences: dict[str, Any] = {"type": "array", "items": item}
    if patterns:
        least = min(3, len(one_of)) if about is None else len(one_of)
        sentences |= {"minItems": least, "maxItems": min(_MOST, len(one_of))}
    return {
        "type": "object",
        "properties": {"sentences": sentences},
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
    """Return tool results in few words; a review's text is quoted JSON, cut where it is long."""
    lines = []
    for record in found:
        value: dict[str, Any] = record.value
        match record.kind:
            case "history_effect":
                change = value["rank_after"] - value["rank_before"]
                lines.append("it would fall" if change > 0 else "it would hold its place")
            case "review":
                lines.append(f"{value['tone']}: {json.dumps(value['text'][:_QUOTE_SHOWN])}")
            case "persona_effect":
                # naming tastes here would only tempt a small model to write the names itself
                lines.append("taste measured")
            case _:
                lines.append(record.kind.replace("_", " "))
    return "; ".join(lines) or "nothing found"


def _main(ledger: Ledger) -> dict[str, Cited]:
    return {i: c for i, c in ledger.verified.items() if c.claim.kind not in _BESIDE | _TOLD}


def _companions(ledger: Ledger, cited: Cited) -> Mapping[str, Cited]:
    persona = cited.claim.subject.persona
    return {
        i: c
        for i, c in ledger.verified.items()
        if c.claim.kind == "persona_items" and c.claim.subject.persona == persona is not None
    }


def _gist(cited: Cited) -> str:
    traits, kind = cited.traits, cited.claim.kind
    if kind == "persona_effect":
        side = "for" if "sign:+" in traits else "against" if "sign:-" in traits else "mixed"
        return f"taste {side}{', strongest' if 'size:largest' in traits else ''}"
    if kind == "review_quote":
        tone = "critical" if "tone:critical" in traits else "favourable"
        return f"{tone} review"
    return {
        "history_effect": "past likes",
        "rating": "ratings of others",
        "popularity": "popularity",
        "rank": "rank",
        "not_about_you": "not about you alone",
    }[kind]


def _pattern(id_: str, cited: Cited, ledger: Ledger) -> str:
    """Words, the item, the required slot, and at most once each of what may follow."""
    words, item = "[a-z ,;:'-]*", "(\\{item\\})?"
    needed = _slots(f"{id_}.{name}" for name in REQUIRED[cited.claim.kind] if name in cited.slots)
    tail = ""
    if cited.claim.kind == "persona_effect":
        beside = [f"{i}.where" for i in _companions(ledger, cited)]
        tail = f"({_slots(beside)})?{words}{item}{words}" if beside else f"{item}{words}"
        tail = f"{words}{tail}({_slots([f'{id_}.without'])})?"
    return f"^{words}{item}{words}({needed}){tail}[.]$"


def _slots(names: Iterable[str]) -> str:
    return "|".join(f"\\{{{name.replace('.', '[.]')}\\}}" for name in sorted(names))


def _ended(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
