"""Let a language model restate a sentence in words that the grammar can read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from whythis.prompts.loader import Prompt, load_prompt
from whythis.recsys.errors import LanguageModelError, WhyThisError

_LONGEST = 400
"""Characters of a restatement; a longer one says more than was asked."""


@dataclass(frozen=True, eq=False)
class ModelReader:
    """Restate sentences with any LangChain chat model.

    The sentence is somebody else's and may try to instruct the model; whatever comes back is only
    read as a sentence, must name the same titles, tastes and numbers, and can support nothing.
    """

    model: BaseChatModel
    name: str
    prompt: Prompt | None = None

    def restate(self, sentence: str) -> str | None:
        """Return the sentence in plainer words; None where the model has none.

        Raises `LanguageModelError` where the model fails.
        """
        prompt = self.prompt or load_prompt("restate")
        asked = [
            SystemMessage(prompt.fill("system").strip()),
            HumanMessage(prompt.fill("sentence", sentence=sentence).strip()),
        ]
        try:
            reply = self.model.invoke(asked)
        except WhyThisError:
            raise
        except Exception as error:
            line = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise LanguageModelError(f"the language model failed: {line}") from error
        said = re.sub(r"\s+", " ", str(reply.text)).strip()
        return said if said and len(said) <= _LONGEST and "?" not in said else None


def local_reader(seed: int = 0, model: str | None = None) -> ModelReader:
    """Return the local language model as a reader; raises `MissingPartError` where it is absent."""
    from whythis.writers.agent import open_writer

    writer = open_writer("local", model=model, seed=seed)
    return ModelReader(writer.model, writer.name)
