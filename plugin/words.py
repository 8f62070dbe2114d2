"""Hold the words of a drafted sentence to the claims it cites."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whythis.claims import Claim
from whythis.language import WORD, Language, words_of
from whythis.slots import REQUIRED

SLOT = re.compile(r"\{([a-z][a-z0-9]*)(?:\.([a-z]+))?\}")
MAX_LENGTH = 600
"""Characters of a drafted sentence, slots unfilled; nobody reads a longer one."""

_PUNCTUATION = frozenset(" ,;:.!?–—-()'’")
_COMPANIONS = frozenset({"persona_items", "persona_share"})
_FULL_STOPS = re.compile(r"[.!?]+(?=\s|$)")


@dataclass(frozen=True)
class Cited:
    """Hold a verified claim with its traits and the slots it offers."""

    claim: Claim
    traits: frozenset[str]
    slots: Mapping[str, str]


def objection(draft: str, cited: Mapping[str, Cited], language: Language) -> str | None:
    """Return why a drafted sentence may not be said, or None where it may.

    `draft`: text with slots such as `{c1.persona}` and `{item}`; `cited`: the claims it cites by
    id. The sentence may speak of one claim (and of what a taste is made of, or weighs, beside that
    taste's effect), must show that claim, and every word outside its slots must be licensed.
    """
    if not cited:
        return "it cites no claim"
    if len(draft) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if not draft.strip():
        return "it is empty"
    return (
        _mixes(list(cited.values()))
        or _wrong_slot(draft, cited)
        or _foreign_character(draft)
        or _several_sentences(draft)
        or _unlicensed(draft, list(cited.values()), language)
    )


def fill(draft: str, cited: Mapping[str, Cited], title: str) -> str:
    """Return the sentence with its slots filled, its first letter made a capital."""

    def phrase(match: re.Match[str]) -> str:
        claim, name = match.groups()
        return title if name is None else cited[claim].slots[name]

    text = " ".join(SLOT.sub(phrase, draft).split())
    return text[:1].upper() + text[1:]


def _mixes(cited: Sequence[Cited]) -> str | None:
    main = [c for c in cited if c.claim.kind not in _COMPANIONS]
    if len(main) > 1:
        ids = " and ".join(c.claim.id for c in main)
        return f"it mixes {ids}: one sentence may tell one effect or fact"
    personas = {c.claim.subject.persona for c in cited}
    if len(cited) > 1 and (len(personas) > 1 or None in personas):
        return "it mixes what belongs to different tastes"
    return None


def _wrong_slot(draft: str, cited: Mapping[str, Cited]) -> str | None:
    if "{" in SLOT.sub("", draft) or "}" in SLOT.sub("", draft):
        return "it has a brace that is no slot"
    shown: dict[str, set[str]] = {}
    for claim, name in SLOT.findall(draft):
        if not name:
            if claim != "item":
                return f"there is no slot {{{claim}}}"
            continue
        if claim not in cited:
            return f"it fills {{{claim}.{name}}} without citing {claim}"
        if name not in cited[claim].slots:
            return f"claim {claim} has no slot {name!r}: {', '.join(cited[claim].slots)}"
        if name in shown.setdefault(claim, set()):
            return f"it says {{{claim}.{name}}} twice"
        shown[claim].add(name)
    for id_, c in cited.items():
        if len({"without", "had"} & shown.get(id_, set())) > 1:
            return f"it tells the same removal of {id_} twice"
        if not REQUIRED[c.claim.kind] & shown.get(id_, set()):
            wanted = " or ".join(f"{{{id_}.{n}}}" for n in sorted(REQUIRED[c.claim.kind]))
            return f"it cites {id_} but does not show it: put in {wanted}"
    return None


def _foreign_character(draft: str) -> str | None:
    for character in SLOT.sub(" ", draft):
        if character.isdigit() or character.isnumeric():
            return f"it has the digit {character!r} outside a slot"
        if not (character in _PUNCTUATION or WORD.fullmatch(character)):
            return f"it has the character {character!r} outside a slot"
    return None


def _several_sentences(draft: str) -> str | None:
    stops = list(_FULL_STOPS.finditer(draft.strip()))
    if not stops or stops[-1].end() != len(draft.strip()):
        return "it does not end with a full stop"
    if len(stops) > 1:
        return "it is more than one sentence"
    return None


def _unlicensed(draft: str, cited: Sequence[Cited], language: Language) -> str | None:
    for stretch in SLOT.split(draft)[::3]:  # split keeps the two groups of every slot between
        words = words_of(stretch)
        at = 0
        while at < len(words):
            for length in range(min(language.longest, len(words) - at), 0, -1):
                needs = language.phrases.get(tuple(words[at : at + length]))
                if needs and any(n <= c.traits for n in needs for c in cited):
                    at += length
                    break
            else:
                return _why_not(words, at, language)
    return None


def _why_not(words: Sequence[str], at: int, language: Language) -> str:
    for length in range(min(language.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        if needs := language.phrases.get(phrase):
            wanted = " or ".join("+".join(sorted(n)) for n in needs)
            return f"“{' '.join(phrase)}” needs a claim with {wanted}"
    return f"“{words[at]}” is not supported by the claim it cites"
