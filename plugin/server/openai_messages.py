"""Name what OpenAI's chat endpoint takes and gives, as far as it is used here."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MODEL = "whythis"
"""The model's name; `whythis:USER` answers for that user."""

_MOST_MESSAGES = 200
_LONGEST = 20_000


class Part(BaseModel):
    """Hold one part of a message; only text is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(max_length=40)
    text: str | None = Field(default=None, max_length=_LONGEST)


class Message(BaseModel):
    """Hold one message of a conversation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str, Field(max_length=_LONGEST)] | tuple[Part, ...] | None = None

    @property
    def words(self) -> str:
        """Return its text; pictures and sound are left out."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(p.text for p in self.content or () if p.type == "text" and p.text)


class StreamOptions(BaseModel):
    """Say what a stream ends with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """Ask within a conversation.

    What steers a language model, such as `temperature` or `tools`, is taken and has no effect: what
    is said is decided by the checks.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "model": f"{MODEL}:42",
                    "messages": [{"role": "user", "content": "What do you recommend me?"}],
                }
            ]
        },
    )

    model: str = Field(max_length=220)
    messages: tuple[Message, ...] = Field(min_length=1, max_length=_MOST_MESSAGES)
    user: str | None = Field(default=None, max_length=200)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=1)


def count(text: str) -> int:
    """Return the words and signs of a text: what `usage` counts, since there is no tokeniser."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def usage(asked: ChatRequest, answer: str) -> dict[str, int]:
    """Return the counts of a request and its answer."""
    before, after = sum(count(m.words) for m in asked.messages), count(answer)
    return {
        "prompt_tokens": before,
        "completion_tokens": after,
        "total_tokens": before + after,
    }


def completion(id_: str, created: int, model: str, **fields: Any) -> dict[str, Any]:
    """Return a whole answer in OpenAI's form; `fields` are the message, its end, and more."""
    message = {"role": "assistant", "content": fields.pop("content"), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": id_,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        **fields,
    }


def chunk(
    id_: str, created: int, model: str, delta: dict[str, Any] | None, end: bool = False
) -> dict[str, Any]:
    """Return a part of a streamed answer in OpenAI's form; without a delta it has no choice."""
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": "stop" if end else None,
    }
    return {
        "id": id_,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": [] if delta is None else [choice],
    }
