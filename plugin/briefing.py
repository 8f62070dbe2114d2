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
from whythis.wording import clean
from whythis.words import SLOT

_WORTH = "phaqnor"  # first letters of claim ids, see whythis.offer
_MUST = "ph"
_MOST = 4
_PAIR = re.compile(r'"([a-z][0-9]{1,3})"\s*:\s*("(?:[^"\\]|\\.)*")')


def menu(ledger: Ledger, language: Language, *, key: str) -> str:
    """Return, in the form of an answer, one sentence for each claim worth choosing from.

    What reviews say, what tastes and items are called, stays out: no foreign text reaches the
    model with the claims.
    """
    said = {i: canonical(i, ledger, language, key=f"{key}/{i}") for i in _choice(ledger)}
    return json.dumps({i: d.text for i, d in said.items() if d is not None}, indent=0)


def answer_schema(ledger: Ledger, about: Collection[str] | None = None) -> dict[str, Any]:
    """Return the JSON schema of an answer: an object from claim ids to sentences.

    The ids are enumerated (those worth choosing from, or `about`), so none can be invented and
    none told twice. Texts stay free: a grammar that forbids a small model its next word makes it
    ramble, and whatever it writes is checked.
    """
    claims = list(about if about is not None else _choice(ledger))
    musts = [i for i in claims if about is not None or i[0] in _MUST]
    return {
        "type": "object",
        "properties": {id_: {"type": "string"} for id_ in claims},
        "required": musts,
        "additionalProperties": False,
    }


def drafts(text: str) -> tuple[Draft, ...]:
    """Read an answer; sentences that were complete before it was cut short still count.

    Raises `LanguageModelError` where there is not one.
    """
    found = []
    for id_, quoted in _PAIR.findall(text):
        try:
            sentence = json.loads(quoted)
        except ValueError:
            continue
        others = [claim for claim, name in SLOT.findall(sentence) if name]
        found.append(Draft(_ended(sentence), tuple(dict.fromkeys([id_, *others]))))
    if not found:
        raise LanguageModelError(f"no sentence in the model's answer: {text[:80]!r}")
    return tuple(found[: 2 * _MOST])


def refusals(refused: Sequence[Checked], ledger: Ledger, language: Language) -> str:
    """Return the refused sentences with the reason and one that would pass, for the writer."""
    lines = []
    for one in refused:
        about = one.draft.claims[0]
        line = f"- {about}: {json.dumps(one.draft.text)} because {one.reason}"
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
                after = value["rank_after"]  # None: out of the recommender's list
                falls = after is None or after > value["rank_before"]
                lines.append("it would fall" if falls else "it would hold its place")
            case "review":
                lines.append(f"a {value['tone']} review found")
            case _:
                lines.append(record.kind.replace("_", " "))
    return "; ".join(lines) or "nothing found"


def _choice(ledger: Ledger) -> list[str]:
    """Return the claims worth telling in a short answer, in the order of telling."""
    order = {letter: n for n, letter in enumerate(_WORTH)}
    ids = [i for i in ledger.verified if i[0] in order]
    # one of each kind goes before a second of any
    chosen = sorted(ids, key=lambda i: (i[1:], order[i[0]]))[:_MOST]
    return sorted(chosen, key=lambda i: (order[i[0]], i))


def _ended(text: str) -> str:
    text = clean(text)  # a lone surrogate could not be printed
    return text if text.endswith((".", "!", "?")) else f"{text}."
