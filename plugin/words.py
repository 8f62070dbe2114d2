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
        or _badly_placed(draft, language)
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


def _badly_placed(draft: str, language: Language) -> str | None:
    for match in SLOT.finditer(draft):
        name = match.group(2)
        allowed = language.before.get(name or "")
        if allowed is None:
            continue
        ahead = draft[: match.start()].rstrip()
        last = "^" if not ahead else ahead[-1] if ahead[-1] in ",;:" else ahead.split()[-1]
        if last.casefold() not in allowed:
            wanted = " or ".join("the beginning" if a == "^" else f"“{a}”" for a in allowed)
            return f"before {match.group()} must stand {wanted}"
    return None


def _unlicensed(draft: str, cited: Sequence[Cited], language: Language) -> str | None:
    parts = SLOT.split(draft)  # words, then claim and slot name, then words, ...
    subject = ""  # what could be the subject of the next phrase
    for n in range(0, len(parts), 3):
        words = words_of(parts[n])
        at = 0
        while at < len(words):
            phrase = _licensed_at(words, at, cited, language)
            if phrase is None:
                return _why_not(words, at, language)
            said = " ".join(phrase)
            if said in language.order.subjects:
                subject = said
            elif subject and said in language.order.active:
                return f"“{subject}” cannot be what “{said}”: only a taste or a past like can"
            at += len(phrase)
        if n + 2 < len(parts):
            name = parts[n + 2]
            joined = " ".join(words).removesuffix("your").strip()
            after_item = n > 0 and parts[n - 1] is None
            if name == "persona" and after_item and joined in language.order.never:
                return f"“{{{parts[n - 2]}}} {joined} your” makes the item a taste"
            subject = "{item}" if name is None else ""
    return None


def _licensed_at(
    words: Sequence[str], at: int, cited: Sequence[Cited], language: Language
) -> tuple[str, ...] | None:
    """Return the longest licensed phrase that starts at a word, or None."""
    for length in range(min(language.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        needs = language.phrases.get(phrase, ())
        if any(n <= c.traits for n in needs for c in cited):
            return phrase
    return None


def _why_not(words: Sequence[str], at: int, language: Language) -> str:
    for length in range(min(language.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        if needs := language.phrases.get(phrase):
            wanted = " or ".join("+".join(sorted(n)) for n in needs)
            return f"“{' '.join(phrase)}” needs a claim with {wanted}"
    return f"“{words[at]}” is not supported by the claim it cites"
