"""Write down every message that reaches a language model, and at which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage

from whythis.explanation import PromptRef
from whythis.text.checker import Checked, Ledger
from whythis.tools.workspace import Workspace
from whythis.writers.agent import AgentWriter
from whythis.writers.writer import Conversation, Gathered, Written

Step = Literal["look", "write", "repair"]


class Told(NamedTuple):
    """Hold a message that reached the model: the step, and whether the model had said it itself."""

    step: Step
    own: bool
    text: str


@dataclass
class Watched:
    """Be an `AgentWriter` whose model's messages are kept in `told`.

    `question`: what is asked in place of the question that comes with the recommendation.
    """

    writer: AgentWriter
    question: str | None = None
    told: list[Told] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # the drafts that came back
    step: Step = "look"

    def __post_init__(self) -> None:
        """Listen to the model."""
        self.writer.model.callbacks = [_Listener(self)]

    @property
    def name(self) -> str:
        """Return the name of the writer."""
        return self.writer.name

    @property
    def prompt(self) -> PromptRef:
        """Return the prompt file of the writer."""
        return self.writer.prompt

    def begin(self, ws: Workspace, user: str, item: str, question: str) -> _Watching:
        """Start a conversation."""
        asked = question if self.question is None else self.question
        return _Watching(self, self.writer.begin(ws, user, item, asked))


@dataclass
class _Watching:
    """Hold one conversation, and say at which step it is."""

    watched: Watched
    talk: Conversation

    def gather(self) -> Gathered:
        self.watched.step = "look"
        return self.talk.gather()

    def write(self, ledger: Ledger) -> Written:
        self.watched.step = "write"
        return self._kept(self.talk.write(ledger))

    def repair(self, ledger: Ledger, refused: Sequence[Checked]) -> Written:
        self.watched.step = "repair"
        return self._kept(self.talk.repair(ledger, refused))

    def _kept(self, written: Written) -> Written:
        self.watched.said += [draft.text for draft in written.drafts]
        return written


class _Listener(BaseCallbackHandler):
    """Keep the messages of every call."""

    raise_error = True

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        messages: list[list[BaseMessage]],
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        for call in messages:
            self._watched.told += [
                Told(self._watched.step, isinstance(m, AIMessage), f"{m.text} {_calls(m)}".strip())
                for m in call
            ]


def _calls(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return " ".join(str(call["args"]) for call in calls)
