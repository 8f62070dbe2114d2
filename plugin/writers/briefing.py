"""Tell a language model what there is to say: the menu of claims, and the form of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from whythis.recsys.errors import LanguageModelError
from whythis.text.checker import Checked, Draft, Ledger
from whythis.text.language import Language, words_of
from whythis.text.realiser import canonical, plan, realise
from whythis.text.wording import clean
from whythis.text.words import SLOT
from whythis.tools.evidence import Evidence

_MUST = "jph"  # first letters of claim ids, see whythis.claims.offer
_TASTE = "persona_effect"
_MOST = 16
_WORDS = 5  # of a claim's licensed phrases, as many as a small model can take in
_STOP = re.compile(r"(?<=[.!?])\s+")
_PAIR = re.compile(r'"([a-z][0-9]{1,3})"\s*:\s*("(?:[^"\\]|\\.)*")')


def menu(ledger: Ledger, language: Language, *, key: str) -> str:
    """Return, in the form of an answer, a sentence for each claim to tell; then words true of it.

    What reviews say, what tastes and items are called, stays out: no foreign text reaches the
    model with the claims.
    """
    drafts = realise(ledger, language, key=key, style=ledger.style)
    hints = []
    for draft in drafts:
        tastes = [c for i in draft.claims if (c := ledger.verified[i]).claim.kind == _TASTE]
        told = tastes or [ledger.verified[draft.claims[0]]]
        shared = frozenset.intersection(*(c.traits for c in told))
        traits = shared | {"number:several" if len(tastes) > 1 else "number:one"}
        if words := _free(language, traits, draft.text, key):
            hints.append(f"{draft.claims[0]}: {', '.join(words)}")
    sentences = json.dumps({d.claims[0]: d.text for d in drafts}, indent=0)
    return "\n".join([sentences, "Other words that are true of them:", *hints])


def _free(language: Language, traits: frozenset[str], said: str, key: str) -> list[str]:
    """Return phrases that the traits license and that the sentence does not use, seeded."""
    used = f" {' '.join(words_of(SLOT.sub(' ', said)))} "
    general = language.licensed(frozenset({"top"}))
    free = [w for w in language.licensed(traits) if " " in w and w not in general]
    free = [w for w in free if f" {w} " not in used]
    free.sort(key=lambda w: sha256(f"{key}/{w}".encode("utf-8", "replace")).digest())
    return free[:_WORDS]


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

    Plain prose is read too: a sentence is about the claims whose slots it shows. Raises
    `LanguageModelError` where there is no sentence.
    """
    found = list(_told(text)) or list(_prose(text))
    if not found:
        raise LanguageModelError(f"no sentence in the model's answer: {text[:80]!r}")
    return tuple(found[:_MOST])


def readable(text: str) -> bool:
    """Return whether an answer holds a sentence, however it is written."""
    return any(True for _ in (*_told(text), *_prose(text)))


def _told(text: str) -> Iterator[Draft]:
    """Read the pairs of claim and sentence of an answer in JSON."""
    for id_, quoted in _PAIR.findall(text):
        try:
            sentence = json.loads(quoted)
        except ValueError:
            continue
        yield Draft(_ended(sentence), tuple(dict.fromkeys([id_, *_shown(sentence)])))


def _prose(text: str) -> Iterator[Draft]:
    """Read the sentences that show a slot, unless they are an object cut short."""
    if text.lstrip().startswith(('{"', "```")):
        return
    for sentence in _STOP.split(clean(text)):
        if shown := _shown(sentence):
            yield Draft(_ended(sentence.strip()), tuple(dict.fromkeys(shown)))


def _shown(sentence: str) -> list[str]:
    """Return the claims whose slots a sentence shows."""
    return [claim for claim, name in SLOT.findall(sentence) if name]


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
    """Return the claims that sentences are to be about, in the order of telling."""
    return [group.lead for group in plan(ledger, ledger.style)]


def _ended(text: str) -> str:
    text = clean(text)  # a lone surrogate could not be printed
    return text if text.endswith((".", "!", "?")) else f"{text}."
