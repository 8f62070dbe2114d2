"""Read what a question names or refers back to: items, tastes, places in the last list."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from rapidfuzz.distance import OSA

from whythis.conversation.intents import Context
from whythis.conversation.items import LONGEST, SURE, Catalogue, Match
from whythis.conversation.phrases import Phrases
from whythis.conversation.spelling import Word, folded_word, words_of

_ORDER = ("idioms", "ordinal_taste", "some_taste", "other", "ordinal", "focus")
_LETTERS = "XYZ"
_LONGEST_MASKED = 300  # characters of a masked question; each token costs a model time
_KNOWN = 0.5  # least score of a name that the talk was about already


@dataclass(frozen=True)
class Named:
    """Hold the words `first` to `last` of a question and the items they may mean, best first.

    No item: they refer back to something that is not there. pronoun: "it" and the like.
    """

    first: int
    last: int
    items: tuple[str, ...]
    score: float
    pronoun: bool = False

    @property
    def clear(self) -> bool:
        """Return whether they mean one item."""
        return len(self.items) == 1


@dataclass(frozen=True)
class Reading:
    """Hold a question's words, and what they name.

    named: sure names and references, in order. weak: words that may be a name if one is looked
    for. personas: per mention of a taste the personas it can mean. signs: the words with the
    symbols of the phrases in place of what they name; `places` is the word at which each begins.
    cut: the question was longer than what was read.
    """

    text: str
    words: Sequence[Word]
    named: tuple[Named, ...]
    weak: tuple[Named, ...]
    personas: tuple[tuple[int, ...], ...]
    some_taste: bool
    signs: tuple[str, ...]
    places: tuple[int, ...]
    cut: bool
    left: tuple[int, ...]

    def said(self, first: int, last: int) -> str:
        """Return the user's own words."""
        return self.text[self.words[first].start : self.words[last].end]

    @cached_property
    def rest(self) -> tuple[tuple[int, int], ...]:
        """Return first and last of neighbouring words that say something and name nothing."""
        return tuple(_runs(self.left))


def readable(text: str) -> str:
    """Return a question on one line, without control, zero-width and bidirectional characters."""
    line = unicodedata.normalize("NFKC", text[: 2 * LONGEST])
    kept = (
        c if unicodedata.category(c)[0] != "C" else " " if c in "\t\r\n\v\f" else "" for c in line
    )
    return " ".join("".join(kept).split())


def read(text: str, context: Context, catalogue: Catalogue, phrases: Phrases) -> Reading:
    """Return what a question names; only its first `LONGEST` characters are read."""
    clean = readable(text)
    line = clean[:LONGEST].replace("#", " number ")
    words = words_of(line)
    tastes = _taste_words(context.personas)
    found = _names(words, catalogue.find(line, tastes.keys()))
    forms = _forms(words, found, phrases)
    known = {*context.shown, context.focus, context.other}
    found = [_narrowed(one, known) for one in found]
    sure = [one for one in found if one.score >= SURE]
    refers, ordinal_tastes, some, idiom = _references(forms, sure, context, phrases)
    sure = [one for one in sure if not _within(one, refers)]
    named = sorted([*sure, *refers], key=lambda one: one.first)
    free = [n for n in range(len(words)) if not any(o.first <= n <= o.last for o in named)]
    personas = list(_personas(free, forms, tastes))
    personas += [(n, n, (p,)) for n, p in ordinal_tastes]
    signs, places = _signs(forms, named, personas)
    covered = {n for first, last, _ in personas for n in range(first, last + 1)}
    left = tuple(
        n for n in free if n not in covered and n not in idiom and forms[n] not in phrases.plain
    )
    weak = [o for o in found if o.score < SURE and not _within(o, named)]
    return Reading(
        line,
        words,
        tuple(named),
        tuple(one for one in weak if not covered & {*range(one.first, one.last + 1)}),
        tuple(p for _, _, p in sorted(personas)),
        some,
        signs,
        places,
        len(clean) > LONGEST or len(text) > 2 * LONGEST,
        left,
    )


def _names(words: Sequence[Word], matches: Iterable[Match]) -> list[Named]:
    starts = {w.start: n for n, w in enumerate(words)}
    ends = {w.end: n for n, w in enumerate(words)}
    return [
        Named(starts[start], ends[end], tuple(m.item for m in group), score)
        for (start, end, score), members in groupby(matches, key=lambda m: m[1:])
        if (group := list(members))
    ]


def _forms(words: Sequence[Word], found: Sequence[Named], phrases: Phrases) -> list[str]:
    """Return the words as compared; misspelt words of the phrases as these spell them."""
    taken = {n for one in found if one.score >= SURE for n in range(one.first, one.last + 1)}
    known, spelling = phrases.spelling
    odd = {
        n
        for n, w in enumerate(words)
        if n not in taken and len(w.form) > 3 and w.form not in phrases.plain
    }
    forms = [word.form for word in words]
    asked = sorted(odd)
    for name, at, edits in sorted(
        spelling.near([forms[n] for n in asked]), key=lambda hit: (-hit[2], hit[0])
    ):
        if edits == 1:
            forms[asked[at]] = known[name]
    return forms


def _narrowed(one: Named, known: Iterable[str | None]) -> Named:
    """Return the name as what the talk was about, where it can mean that."""
    here = [item for item in one.items if item in known]
    if len(here) == 1 and one.score >= _KNOWN:
        return Named(one.first, one.last, (here[0],), max(one.score, SURE))
    return one


def _references(
    forms: Sequence[str], sure: Sequence[Named], context: Context, phrases: Phrases
) -> tuple[list[Named], list[tuple[int, int]], bool, set[int]]:
    """Return references to items, ordinals of tastes, whether some taste is meant, and idioms."""
    titles = [one for one in sure if one.last > one.first or one.score >= 0.9]
    signs = ["START", *forms, "END"]
    for n, form in enumerate(forms):
        if form in phrases.ordinals:
            signs[n + 1] = "ORDINAL"
        elif form.isdigit():
            signs[n + 1] = "NUMBER"
        if any(one.first <= n <= one.last for one in titles):
            signs[n + 1] = "ITEM"
    hits = sorted(phrases.refers.find(signs), key=lambda h: (_ORDER.index(h[0]), h[2] - h[3]))
    taken: set[int] = set()
    found: list[Named] = []
    tastes: list[tuple[int, int]] = []
    some, idioms = False, set[int]()
    for kind, _, first, end, labels in hits:
        span = {n for n in range(first, end) if signs[n] not in ("START", "END")}
        if taken & span:
            continue
        taken |= span
        low, high = min(span) - 1, max(span) - 1
        if kind == "idioms":
            idioms |= {n - 1 for n in span}
        elif kind == "some_taste":
            some = True
        elif kind == "ordinal_taste":
            persona = _nth(forms[labels["n"] - 1], len(context.personas), phrases)
            if persona is not None:
                tastes.append((labels["n"] - 1, persona))
        elif kind == "ordinal":
            place = _nth(forms[labels["n"] - 1], len(context.shown), phrases)
            found.append(Named(low, high, () if place is None else (context.shown[place],), 1.0))
        else:
            item = _other(context) if kind == "other" else _focus(context)
            # "why this": the pronoun alone is what refers
            low = high if kind == "focus" and not _alone(forms[low]) else low
            found.append(Named(low, high, () if item is None else (item,), 1.0, kind == "focus"))
    return found, tastes, some, idioms


def _alone(form: str) -> bool:
    return form in ("this", "that", "the", "it")


def _nth(form: str, length: int, phrases: Phrases) -> int | None:
    n = phrases.ordinals.get(form) or (int(form[:4]) if form[:4].isdecimal() else 0)
    place = n - 1 if n > 0 else length + n if n < 0 else -1
    return place if 0 <= place < length else None


def _focus(context: Context) -> str | None:
    return context.focus or (context.shown[0] if len(context.shown) == 1 else None)


def _other(context: Context) -> str | None:
    rest = [item for item in context.shown if item != context.focus]
    return context.other or (rest[0] if len(rest) == 1 and context.focus else None)


def _within(one: Named, others: Iterable[Named]) -> bool:
    return any(o.first <= one.last and one.first <= o.last for o in others)


def _taste_words(names: Sequence[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for n, name in enumerate(names):
        for word in words_of(name):
            if len(word.form) > 2 and word.form not in ("and", "the", "taste"):
                found.setdefault(_singular(word.form), set()).add(n)
                found.setdefault(word.form, set()).add(n)
    return found


def _singular(form: str) -> str:
    form = folded_word(form)
    if form.endswith("ies") and len(form) > 5:
        return form[:-3] + "y"
    return form[:-1] if form.endswith("s") and not form.endswith("ss") and len(form) > 3 else form


def _personas(
    free: Sequence[int], forms: Sequence[str], tastes: dict[str, set[int]]
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield first, last and the possible personas of every mention of a taste."""
    hits = [(n, found) for n in free if (found := _taste(forms[n], tastes))]
    at = 0
    while at < len(hits):
        first, meant = hits[at]
        last = first
        at += 1
        while at < len(hits) and hits[at][0] - last <= 2:
            between = forms[last + 1 : hits[at][0]]
            both = meant & hits[at][1]
            if not both or (between and between[0] != "and"):
                break
            last, meant = hits[at][0], both
            at += 1
        yield first, last, tuple(sorted(meant))


def _taste(form: str, tastes: dict[str, set[int]]) -> set[int]:
    one = _singular(form)
    if one in tastes:
        return tastes[one]
    if len(one) < 5:
        return set()
    near = [known for known in tastes if OSA.distance(known, one, score_cutoff=1) == 1]
    return tastes[near[0]] if len(near) == 1 and len(near[0]) > 4 else set()


def _signs(
    forms: Sequence[str],
    named: Sequence[Named],
    personas: Sequence[tuple[int, int, tuple[int, ...]]],
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the words with symbols for what is named, and the word at which each begins."""
    spans = {one.first: (one.last, "ITEM") for one in named}
    spans |= {first: (last, "TASTE") for first, last, _ in personas if first not in spans}
    signs, places, at = ["START"], [-1], 0
    while at < len(forms):
        last, sign = spans.get(at, (at, "NUMBER" if forms[at].isdigit() else forms[at]))
        signs.append(sign)
        places.append(at)
        at = last + 1
    return (*signs, "END"), (*places, len(forms))


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(places):
        first = last = places[at]
        at += 1
        while at < len(places) and places[at] == last + 1:
            last = places[at]
            at += 1
        yield first, last


def masked(reading: Reading) -> str:
    """Return the question with letters in place of the items it names, as one short line."""
    said, at = "", 0
    letters: dict[tuple[str, ...], str] = {}
    for one in reading.named:
        if one.pronoun:
            continue
        letter = letters.setdefault(one.items, _LETTERS[len(letters) % len(_LETTERS)])
        said += reading.text[at : reading.words[one.first].start] + letter
        at = reading.words[one.last].end
    return (said + reading.text[at:])[:_LONGEST_MASKED]
