"""Route a question by rules: cues in its words choose the intent, names choose the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from whythis.conversation.intents import INTENTS, Context, Intent, Route
from whythis.conversation.items import LONGEST, MOST_CHOICES, Catalogue
from whythis.conversation.phrases import Phrases, load_phrases
from whythis.conversation.reading import Named, Reading, read

THRESHOLD = 0.5
"""Confidence below which the assistant asks back."""
SURE_INTENT = 0.8
"""Confidence from which a rule needs no second opinion."""

_ASKED_BACK = 0.3  # confidence where something that the intent needs is missing
_WEAK = 0.6  # most confidence where a name is only what the words may mean
_REST = 0.25  # how much every cue but the strongest counts
_ASPECT = 2.8  # points for a word such as "ending" alone
_NO_NAME = 4.0  # points that an intent without items loses where an item is named
_CONTENT = 3  # words that a question has at least if it is said to be about something else

_ITEM: frozenset[Intent] = frozenset({"why", "why_not", "opinions"})
_ITEM_OR_TASTE: frozenset[Intent] = frozenset({"more_like", "less_of", "what_if"})
_NAMES: frozenset[Intent] = _ITEM | _ITEM_OR_TASTE | {"why_over"}
_UNNAMED: frozenset[Intent] = frozenset({"recommend", "help", "profile"})
_MAY_NAME: frozenset[Intent] = _NAMES | {"contest"}


@dataclass(frozen=True)
class Guess:
    """Hold an intent with its confidence, and the words of the question that spoke for it."""

    intent: Intent
    confidence: float
    words: frozenset[int] = frozenset()


class Cues(NamedTuple):
    """Hold how much speaks for an intent, and the words of the question that do."""

    score: float
    words: frozenset[int]


@dataclass(frozen=True)
class Rules:
    """Route by phrases alone, the same every time. Questions are compared, never executed."""

    phrases: Phrases = field(default_factory=load_phrases)
    name: str = "rules"

    def route(self, text: str, context: Context, catalogue: Catalogue) -> Route:
        """Return what a question asks for; only its first `LONGEST` characters are read."""
        reading = self.read(text, context, catalogue)
        return settled(self.guess(reading), reading, context, self.phrases)

    def read(self, text: str, context: Context, catalogue: Catalogue) -> Reading:
        """Return what the question names or refers back to."""
        return read(text, context, catalogue, self.phrases)

    def guess(self, reading: Reading) -> Guess:
        """Return the intent that the question's words speak for most."""
        cues = self.cues(reading)
        scores = {intent: cue.score for intent, cue in cues.items()}
        if max(scores.values(), default=0.0) <= 0:
            return _without_cue(reading)
        best = max(scores, key=lambda intent: (scores[intent], -INTENTS.index(intent)))
        second = max((score for intent, score in scores.items() if intent != best), default=0.0)
        gap = min(scores[best] - second, 3.0)
        confidence = min(0.99, 0.3 + 0.17 * gap + 0.03 * min(scores[best], 6.0))
        return Guess(best, confidence, cues[best].words)

    def cues(self, reading: Reading) -> Mapping[Intent, Cues]:
        """Return what speaks for each intent that anything speaks for."""
        # what is said at one place speaks once for an intent, however many forms have it
        told: dict[Intent, dict[int, float]] = {}
        words: dict[Intent, set[int]] = {}
        for label, worth, first, end, _ in self.phrases.cues.find(reading.signs):
            intent: Intent = next(one for one in INTENTS if one == label)
            at = told.setdefault(intent, {})
            at[first] = max(worth, at.get(first, 0.0))
            words.setdefault(intent, set()).update(reading.places[first:end])
        points = {intent: list(at.values()) for intent, at in told.items()}
        if self.phrases.aspects.intersection(reading.signs):
            points.setdefault("opinions", []).append(_ASPECT)
        named = any(one.clear for one in reading.named)
        return {
            intent: Cues(
                _total(worths) - _NO_NAME * (named and intent in _UNNAMED),
                frozenset(words.get(intent, ())),
            )
            for intent, worths in points.items()
        }


def settled(guess: Guess, reading: Reading, context: Context, phrases: Phrases) -> Route:
    """Return the route of an intent: its items and tastes, or what has to be asked."""
    route = _Settling(guess, reading, context, phrases).route()
    if reading.cut:
        note = f"only the first {LONGEST:,} characters of the question were read"
        return route.model_copy(update={"note": note})
    return route


@dataclass(frozen=True)
class _Settling:
    guess: Guess
    reading: Reading
    context: Context
    phrases: Phrases

    def route(self) -> Route:
        intent, confidence = self.guess.intent, self.guess.confidence
        if intent not in _MAY_NAME:
            personas = self._personas() if intent == "profile" else ()
            return Route(intent=intent, personas=personas, confidence=confidence)
        named = [one for one in self.reading.named if self._counts(one)]
        named = _with_antecedents(named, intent)
        vague = [one for one in named if not one.clear]
        if vague and intent != "contest":
            return self._back(vague[0])
        items = [one.items[0] for one in named if one.clear]
        if not items and self._wants(intent) and (weak := self._weak()):
            if not weak.clear:
                return self._back(weak)
            items, confidence = [weak.items[0]], min(confidence, _WEAK)
        items = list(dict.fromkeys(items))
        unclear, opinions = None, intent == "opinions"
        if intent in _NAMES:
            items, unclear = self._completed(intent, items)
        if any(len(p) > 1 for p in self.reading.personas) and not items:
            unclear = "which taste"
        return Route(
            intent=intent,
            items=tuple(items),
            personas=self._personas(),
            about=about(self.reading, self.guess.words, self.phrases) if opinions else None,
            confidence=confidence if unclear is None else min(confidence, _ASKED_BACK),
            unclear=unclear,
            choices=self.context.shown[:MOST_CHOICES] if unclear and not items else (),
        )

    def _counts(self, one: Named) -> bool:
        # "that's not why": the word is part of what is said, and refers to no item
        pronoun = not one.items and one.first == one.last
        return not (pronoun and (one.first in self.guess.words or self.guess.intent == "contest"))

    def _wants(self, intent: Intent) -> bool:
        return intent in _NAMES and not (intent in _ITEM_OR_TASTE and self.reading.personas)

    def _completed(self, intent: Intent, items: list[str]) -> tuple[list[str], str | None]:
        """Return the items with what goes without saying, and what is missing."""
        focus, other = self.context.focus, self.context.other
        if intent == "why_over":
            if len(items) == 1 and focus and focus != items[0]:
                items = [focus, *items]
            elif not items and focus and other:
                items = [focus, other]
            return items, None if len(items) > 1 else "two items to compare"
        if items or (intent in _ITEM_OR_TASTE and self.reading.personas):
            if not items and intent == "what_if" and focus:
                items = [focus]
            return items, None
        if self.reading.some_taste:
            return items, "which taste"
        if intent != "opinions" and (unknown := self._unknown()):
            return items, unknown
        if intent in ("why", "opinions") and focus:
            return [focus], None
        if intent in ("why", "opinions") and len(self.context.shown) == 1:
            return list(self.context.shown), None
        return items, "which item"

    def _weak(self) -> Named | None:
        """Return the likeliest name among words that speak for no intent."""
        free = [
            one
            for one in self.reading.weak
            if not self.guess.words & {*range(one.first, one.last + 1)}
        ]
        least = 0.5 if self.context.focus else 0.0
        return max((o for o in free if o.score >= least), key=lambda o: o.score, default=None)

    def _unknown(self) -> str | None:
        said = [run for run in self.reading.rest if run[0] not in self.guess.words]
        if not said:
            return None
        first, last = max(said, key=lambda run: run[1] - run[0])
        return self.reading.said(first, last)[:80]

    def _personas(self) -> tuple[int, ...]:
        clear = [p[0] for p in self.reading.personas if len(p) == 1]
        if not clear and self.reading.some_taste and len(self.context.personas) == 1:
            clear = [0]
        return tuple(dict.fromkeys(clear))

    def _back(self, vague: Named) -> Route:
        choices = vague.items or self.context.shown
        return Route(
            intent=self.guess.intent,
            personas=self._personas(),
            confidence=min(self.guess.confidence, _ASKED_BACK),
            unclear=self.reading.said(vague.first, vague.last)[:80],
            choices=choices[:MOST_CHOICES],
        )


def _with_antecedents(named: Sequence[Named], intent: Intent) -> list[Named]:
    """Return the names without those pronouns that mean an item named before in the question.

    Where two items are played off against each other, a pronoun means what was spoken of before,
    if there is such.
    """
    kept: list[Named] = []
    for one in named:
        outside = one.clear and intent in ("what_if", "why_over")
        if not (one.pronoun and not outside and any(o.clear and not o.pronoun for o in kept)):
            kept.append(one)
    return kept


def about(reading: Reading, spoken: frozenset[int], phrases: Phrases) -> str | None:
    """Return what opinions are asked of, in the user's own words, at most 60 characters.

    spoken: the words that told that opinions are asked for.
    """
    taken = {n for one in reading.named for n in range(one.first, one.last + 1)}
    told = [
        word.text
        for n, word in enumerate(reading.words)
        if n not in taken
        and (word.form in phrases.aspects or (n in reading.left and n not in spoken))
    ]
    return " ".join(told[:6])[:60] or None


def _without_cue(reading: Reading) -> Guess:
    if not reading.named and not reading.personas and len(reading.words) >= _CONTENT:
        return Guess("unrelated", 0.6)
    if not reading.named and len(reading.left) > 1:
        return Guess("unrelated", 0.55)
    return Guess("help", 0.2) if not reading.named else Guess("why", 0.25)


def _total(points: Sequence[float]) -> float:
    return max(points) + _REST * (sum(points) - max(points))
