"""Route with a local language model where the rest is unsure; it chooses the intent alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from whythis.conversation.intents import Context, Intent, Route
from whythis.conversation.items import Catalogue
from whythis.conversation.nearest import Nearest, nearest
from whythis.conversation.reading import Reading, masked
from whythis.conversation.routing import SURE_INTENT, THRESHOLD, Guess, Rules, settled
from whythis.prompts.loader import Prompt, load_prompt
from whythis.recsys.errors import LanguageModelError

LABELS: Mapping[str, Intent] = MappingProxyType(
    {
        "why": "why",
        "missing": "why_not",
        "compare": "why_over",
        "imagine": "what_if",
        "opinions": "opinions",
        "profile": "profile",
        "similar": "more_like",
        "less": "less_of",
        "dispute": "contest",
        "undo": "undo",
        "recommend": "recommend",
        "help": "help",
        "other": "unrelated",
    }
)
"""What the model calls the intents: words that begin with a token of their own."""

_AGREED = 0.75  # least confidence where rules and model say the same
_OVERRULES = 0.8  # least probability with which the model overrules rules that need not ask back
_WITHOUT_CUE = 0.8  # how far the model is trusted where no word speaks for an intent


class Chooser(Protocol):
    """Choose among options: `whythis.writers.chat.LocalChat`, shared with the writer."""

    def choose(self, system: str, question: str, options: Sequence[str]) -> Sequence[float]:
        """Return the probability of each option; `LanguageModelError` where it fails."""
        ...


class LocalRouter:
    """Route by the fallback where it is sure, else by the model's choice among the intents.

    Items, tastes and what opinions are asked of always come from the rules' reading. The model can
    answer nothing but an intent. Where it fails the fallback decides, and the route's note says so.
    """

    def __init__(
        self,
        model: Chooser,
        fallback: Rules | Nearest | None = None,
        prompt: Prompt | None = None,
        *,
        sure: float = SURE_INTENT,
    ) -> None:
        """Take a model; `sure`: confidence from which the fallback decides alone, above 1 never."""
        self._model = model
        self._rules = fallback or nearest()
        self._prompt = prompt or load_prompt("route")
        self._sure = sure

    @property
    def name(self) -> str:
        """Return "local"."""
        return "local"

    def route(self, text: str, context: Context, catalogue: Catalogue) -> Route:
        """Return what a question asks for; only its beginning is read."""
        reading = self._rules.read(text, context, catalogue)
        guess, note = self._rules.guess(reading), None
        if guess.confidence < self._sure and reading.words:
            try:
                guess = self._chosen(reading, guess)
            except LanguageModelError as error:
                note = f"routed without it, as the model failed: {error}"
        route = settled(guess, reading, context, self._rules.phrases)
        return route if note is None else route.model_copy(update={"note": note})

    def _chosen(self, reading: Reading, guess: Guess) -> Guess:
        asked = self._prompt.fill("question", question=masked(reading)).strip()
        shares = self._model.choose(self._prompt.fill("system").strip(), asked, tuple(LABELS))
        share, intent = max(zip(shares, LABELS.values(), strict=True), key=lambda pair: pair[0])
        if intent == guess.intent and guess.words:
            return Guess(intent, max(guess.confidence, share, _AGREED), guess.words)
        if guess.confidence >= THRESHOLD and share < _OVERRULES:
            return guess
        return Guess(intent, share if guess.words else share * _WITHOUT_CUE, guess.words)
