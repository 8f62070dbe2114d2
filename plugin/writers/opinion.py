"""Ask a local language model for a second opinion on a sentence: a veto, never a ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from whythis.prompts.loader import load_prompt

if TYPE_CHECKING:
    from whythis.writers.chat import LocalChat

Opinion = Callable[[str, str], float]
"""Judge a premise and a sentence: how probable it is, 0..1, that the sentence follows."""

DOUBT = 0.4
"""A sentence that is less probable than this is doubted.

Qwen2.5-Coder-1.5B finds true sentences at .44 to .92, false ones at .08 to .52 (40 of each about
MovieLens 100K, area under the curve .99): this bound takes no true one and 29 of the false.
"""


def entails(model: LocalChat, premise: str, sentence: str) -> float:
    """Return how probable "yes" is against "no" as the model's next word: 0..1.

    Both texts may quote somebody, who may talk the model into any answer: it may only take a
    sentence away, never let one pass. Raises `LanguageModelError` where the model fails.
    """
    asked = load_prompt("opinion").fill("ask", premise=premise, sentence=sentence)
    return model.yes(asked.strip())
