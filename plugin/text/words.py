"""Hold the words of a drafted sentence to the claims it cites."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from whythis.claims.kinds import Claim
from whythis.claims.slots import REQUIRED
from whythis.text.language import WORD, Language, spelled, words_of

SLOT = re.compile(r"\{([a-z][a-z0-9]*)(?:\.([a-z]+))?\}")
MAX_LENGTH = 600
"""Characters of a drafted sentence, slots unfilled; nobody reads a longer one."""

_PUNCTUATION = frozenset(" ,;:.!–—-()")  # no apostrophe, which would quote; no question
_COMPANION = "persona_items"
_TASTE = "persona_effect"
_FULL_STOPS = re.compile(r"[.!]")
_PAUSE = re.compile(r"[,;:–—]")
_GLUED = re.compile(r"\w\{|\}\w|\}\{")


@dataclass(frozen=True)
class Cited:
    """Hold a verified claim with its traits and the slots it offers."""

    claim: Claim
    traits: frozenset[str]
    slots: Mapping[str, str]


def objection(draft: str, cited: Mapping[str, Cited], language: Language) -> str | None:
    """Return why a drafted sentence may not be said, or None where it may.

    `draft`: text with slots such as `{c1.persona}` and `{item}`; `cited`: the claims it cites by
    id. The sentence may speak of one claim, or of the effects of several tastes that point the same
    way, and of what a taste is made of beside its effect. It must show each, and every word outside
    its slots must be licensed; where it tells several tastes, by each of them.
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
        or _names(draft, list(cited.values()), language)
        or _badly_placed(draft, cited, language)
        or _badly_joined(draft, list(cited.values()), language)
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
    main = [c for c in cited if c.claim.kind != _COMPANION]
    personas = {c.claim.subject.persona for c in main or cited}
    if any(c.claim.subject.persona not in personas for c in cited):
        return "it mixes what belongs to different tastes"
    if len(main) < 2:
        return None
    ids = " and ".join(c.claim.id for c in main)
    if any(c.claim.kind != _TASTE for c in main) or len(personas) < len(main):
        return f"it mixes {ids}: one sentence may tell one effect or fact, or several tastes"
    if not any(all(sign in c.traits for c in main) for sign in ("sign:+", "sign:-")):
        return f"it mixes {ids}: tastes told together must all speak for it, or all against"
    return None


def _wrong_slot(draft: str, cited: Mapping[str, Cited]) -> str | None:
    if "{" in SLOT.sub("", draft) or "}" in SLOT.sub("", draft):
        return "it has a brace that is no slot"
    if glued := _GLUED.search(draft):
        return f"a slot is run into what stands beside it: {glued.group()!r}"
    shown: dict[str, set[str]] = {}
    for claim, name in SLOT.findall(draft):
        if not name:
            if claim != "item":
                return f"there is no slot {{{claim}}}"
            if shown.setdefault("", set()):
                return "it says {item} twice"
            shown[""].add(claim)
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
    text = SLOT.sub("{}", draft).strip()
    stops = list(_FULL_STOPS.finditer(text))
    if not stops or stops[-1].end() != len(text):
        return "it does not end with a full stop"
    if len(stops) > 1:
        return "it is more than one sentence"
    return None


def _names(draft: str, cited: Sequence[Cited], language: Language) -> str | None:
    """Return an objection to a name of the claims outside slots, were its words all licensed."""
    said = [words_of(part) for part in SLOT.sub("\n", draft).split("\n")]
    for c in cited:
        names = (c.claim.subject.user, c.claim.subject.item, getattr(c.claim.value, "name", ""))
        for name in names:
            words = words_of(name)
            if words and not set(words) <= language.common and any(_holds(s, words) for s in said):
                return f"it names {name[:60]!r} outside a slot"
    return None


def _holds(words: Sequence[str], name: Sequence[str]) -> bool:
    return any(words[n : n + len(name)] == name for n in range(len(words) - len(name) + 1))


def _badly_placed(draft: str, cited: Mapping[str, Cited], language: Language) -> str | None:
    named: list[str] = []  # claims whose taste was called by name, in turn
    tastes = sum("persona" in c.slots and c.claim.kind != _COMPANION for c in cited.values())
    for match in SLOT.finditer(draft):
        claim, name = match.group(1), match.group(2) or ""
        ahead = _shape(draft[: match.start()])
        allowed = language.before.get(name)
        if allowed and not any(_ends(ahead, one) for one in allowed):
            wanted = " or ".join("the beginning" if a == "^" else f"“{a}”" for a in allowed)
            return f"before {match.group()} must stand {wanted}"
        behind = draft[match.end() :].lstrip()
        if name in language.order.clauses and behind and behind[0] not in _PUNCTUATION:
            return f"{match.group()} is a clause of its own: a comma or stop must follow it"
        if name == "persona":
            named.append(claim)
        elif name == "where" and _persona(named[-1:], cited) != _persona([claim], cited):
            return f"{match.group()} must stand right after the taste it tells of"
        elif name == "without" and "persona" in cited[claim].slots:
            if claim not in named:
                return f"{match.group()} says “that taste”: {{{claim}.persona}} must stand before"
            if tastes > 1:
                return f"{match.group()} says “that taste”, but the sentence tells several"
    return None


def _persona(ids: Sequence[str], cited: Mapping[str, Cited]) -> int | None:
    return cited[ids[0]].claim.subject.persona if ids else None


def _badly_joined(draft: str, cited: Sequence[Cited], language: Language) -> str | None:
    """Return an objection to several tastes that do not stand in one list."""
    tastes = [c.claim.id for c in cited if c.claim.kind == _TASTE]
    if len(tastes) < 2:
        return None
    told = [m for m in SLOT.finditer(draft) if m.group(2) == "persona"]
    if len(told) != len(tastes):
        return "it must name each of its tastes once"
    for n, (one, next_) in enumerate(pairwise(told), start=2):
        last = n == len(told)
        between = _shape(draft[one.end() : next_.start()])
        allowed = language.together.last if last else language.together.between
        if between not in allowed:
            wanted = " or ".join(f"“{a}”" for a in sorted(allowed))
            return f"between {one.group()} and {next_.group()} must stand {wanted}"
    return None


def _shape(text: str) -> str:
    """Return a text in lower case, its slots by their names only, evenly spaced."""
    return " ".join(SLOT.sub(lambda m: f"{{{m[2] or m[1]}}}", text).casefold().split())


def _ends(ahead: str, wanted: str) -> bool:
    if wanted == "^":
        return not ahead
    boundary = r"(?<!\w)" if wanted[0].isalpha() else ""
    return re.search(f"{boundary}{re.escape(wanted)}$", ahead) is not None


def _unlicensed(draft: str, cited: Sequence[Cited], language: Language) -> str | None:
    order = language.order
    speaking = _speaking(cited)
    parts = SLOT.split(draft)  # words, then claim and slot name, then words, ...
    subject = last = ""  # what could be the subject of the next phrase; the phrase just read
    joined = False  # whether a phrase has joined the subject to what follows
    for n in range(0, len(parts), 3):
        words, at = spelled(parts[n]), 0
        if n == 0 and words:
            words[0] = _lowered(words[0], language)
        joined = joined or bool(words[:-1] and _PAUSE.search(parts[n]))
        while at < len(words):
            phrase = _licensed_at(words, at, speaking, language)
            if phrase is None:
                return _why_not(words, at, language)
            said = " ".join(phrase)
            if said in order.subjects:
                if last in order.causes:
                    return f"“{last} {said}” makes the item a cause: only a taste can be"
                if last not in order.objects | order.active:
                    subject = said
            elif subject and said in order.active:
                return f"“{subject}” cannot be what “{said}”: only a taste or a past like can"
            elif not subject and said in order.states:
                return f"“{said}” wants {{item}} right before it: a taste is not recommended"
            joined = joined or said in order.joins | order.causes
            if said != "your":
                last = said
            at += len(phrase)
        if n + 2 < len(parts):
            name = parts[n + 2]
            if name is None:
                if last in order.causes:
                    return f"“{last} {{item}}” makes the item a cause: only a taste can be"
                subject = "" if last in order.objects | order.active else "{item}"
                joined = False
            else:
                if name == "persona" and subject == "{item}" and not joined:
                    between = " ".join(words)
                    return f"“{{item}} {between} {{{parts[n + 1]}.persona}}” joins them wrongly"
                if name == "persona" and words[-1:] == ["your"] and last in order.active:
                    return f"“{last} your {{{parts[n + 1]}.persona}}” has the taste acted on"
                subject = ""
            last = ""
    return None


def _speaking(cited: Sequence[Cited]) -> list[list[frozenset[str]]]:
    """Return the traits that license words: for each taste told, else for the sentence, any of."""
    tastes = [c.traits for c in cited if c.claim.kind == _TASTE]
    if len(tastes) > 1:
        return [[traits | {"number:several"}] for traits in tastes]
    return [[c.traits | {"number:one"} for c in cited]]


def _lowered(word: str, language: Language) -> str:
    """Return the first word of a sentence as it would stand inside one."""
    return word if word in language.beginnings else word[:1].lower() + word[1:]


def _licensed_at(
    words: Sequence[str],
    at: int,
    speaking: Sequence[Sequence[frozenset[str]]],
    language: Language,
) -> tuple[str, ...] | None:
    """Return the longest licensed phrase that starts at a word, or None."""
    for length in range(min(language.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        needs = language.phrases.get(phrase, ())
        if all(any(n <= t for n in needs for t in one) for one in speaking):
            return phrase
    return None


def _why_not(words: Sequence[str], at: int, language: Language) -> str:
    for length in range(min(language.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        if needs := language.phrases.get(phrase):
            wanted = " or ".join("+".join(sorted(n)) for n in needs)
            return f"“{' '.join(phrase)}” needs a claim with {wanted}"
    word = words[at]
    if word != word.casefold() and (word.casefold(),) in language.phrases:
        return f"“{word}” has a capital inside the sentence"
    return f"“{word}” is not supported by the claim it cites"
