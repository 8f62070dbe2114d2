"""Answer with the sentences that stand in the question: the smallest language model there is."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class EchoModel(BaseChatModel):
    """Return the first JSON object of the last message, with `also` as one sentence more.

    A model of your own asks its server here. What it returns is an object from claims to
    sentences with slots; it is checked like anybody's.
    """

    also: str = ""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        asked = str(messages[-1].content)
        try:
            told, _ = json.JSONDecoder().raw_decode(asked[asked.index("{") :])
        except ValueError:
            told = {}
        if self.also and told:
            told[next(iter(told))] = self.also
        answer = AIMessage(json.dumps(told))
        return ChatResult(generations=[ChatGeneration(message=answer)])
