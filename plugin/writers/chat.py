"""Bind a local llama.cpp model to LangChain's chat interface, its output held to a JSON schema.

Small local models choose tools freely only by making things up. Here every answer fits a schema:
with tools bound, a list of calls whose names and arguments fit the tools' schemas; with
`json_schema` bound, an object of that schema. The model first answers unhindered, since filtering
the whole vocabulary by a grammar takes as long as the model itself; only an answer that does not
fit the schema, or cannot be read by the function bound as `reads`, is decoded again under the
grammar.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    UsageMetadata,
)
from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from whythis.recsys.errors import DataError, LanguageModelError, MissingPartError

CONTEXT = 4096
_TURN = re.compile(r"<\|[^<>|]{0,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>")
_MAX_CALLS = 3


class LocalChat(BaseChatModel):
    """Chat with a GGUF model in this process; `load` one from a file.

    `seconds` bounds one answer: past it `LanguageModelError` is raised. `eager`: with tools bound,
    the first answer calls at least one, since a small model is quick to think that it knows.
    """

    name_: str
    eager: bool = True
    seed: int = 0
    max_tokens: int = 260
    seconds: float = 300.0
    _llama: Any = PrivateAttr()

    @classmethod
    def load(cls, path: Path, *, seed: int = 0, threads: int | None = None) -> LocalChat:
        """Read a GGUF file; `threads` defaults to the processors this process may use.

        Raises `MissingPartError` where llama-cpp-python or the file is absent, and
        `LanguageModelError` where llama.cpp cannot read the file.
        """
        try:
            import llama_cpp
        except ImportError as error:
            raise MissingPartError(
                "llama-cpp-python is not installed: pip install 'whythis[local]'"
            ) from error
        if not path.is_file():
            raise MissingPartError(
                f"there is no model file {path}: run `whythis models fetch qwen2.5-coder-1.5b`"
            )
        with path.open("rb") as stream:
            # llama.cpp aborts the process on some files that are no GGUF: look first
            if stream.read(4) != b"GGUF":
                raise LanguageModelError(f"{path} is not a GGUF model file: give another --model")
        try:
            llama = llama_cpp.Llama(
                str(path),
                n_ctx=CONTEXT,
                n_threads=threads or len(os.sched_getaffinity(0)),
                seed=seed,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise LanguageModelError(f"llama.cpp cannot load {path}: {error}") from error
        chat = cls(name_=path.stem, seed=seed)
        chat._llama = llama
        return chat

    @property
    def _llm_type(self) -> str:
        return "whythis-llama.cpp"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Hold answers to calls of these tools; with `tool_choice` "any" at least one."""
        schemas = [convert_to_openai_tool(tool)["function"] for tool in tools]
        least = 1 if tool_choice in {"any", "required"} else 0
        return self.bind(tool_schemas=schemas, least_calls=least, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        tools: list[dict[str, Any]] | None = kwargs.get("tool_schemas")
        schema: dict[str, Any] | None = kwargs.get("json_schema")
        reads: Callable[[str], bool] | None = kwargs.get("reads")
        if tools:
            called = any(isinstance(m, ToolMessage) for m in messages)
            least = kwargs.get("least_calls") or int(self.eager)
            schema = calls_schema(tools, 0 if called else least)
        asked = [plain(m) for m in messages]
        text, usage = self._complete(asked, None, stop)
        text = _unfenced(text)
        fits = reads(text) if reads else schema is None or _fits(text, schema)
        if not fits:
            text, more = self._complete(asked, schema, stop)
            usage = add_usage(usage, more)
        message = AIMessage(content=text, usage_metadata=usage)
        if tools:
            calls = [
                {"name": c["name"], "args": c["arguments"], "id": f"call-{len(messages)}-{n}"}
                for n, c in enumerate(_parsed(text)["calls"])
            ]
            message = AIMessage(content="", tool_calls=calls, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def yes(self, question: str) -> float:
        """Return the probability of "yes" against "no" as the first word of the answer: 0..1.

        Raises `LanguageModelError` where the model fails.
        """
        seen: list[float] = []

        def look(_ids: Any, logits: Any) -> Any:
            pairs = ((" yes", " no"), ("yes", "no"), ("Yes", "No"))
            both = [[self._token(word) for word in pair] for pair in pairs]
            yes, no = (max(float(logits[pair[n]]) for pair in both) for n in (0, 1))
            seen.append(1 / (1 + math.exp(min(700.0, no - yes))))
            return logits

        try:
            self._llama.create_chat_completion(
                [{"role": "user", "content": question}],
                max_tokens=1,
                temperature=0.0,
                logits_processor=[look],
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise LanguageModelError(f"{self.name_} failed: {error}") from error
        if not seen:
            raise LanguageModelError(f"{self.name_} gave no answer to a question of yes or no")
        return seen[0]

    def choose(self, system: str, question: str, options: Sequence[str]) -> tuple[float, ...]:
        """Return the probability of each option as the answer, told by its first token: sum 1.

        Nothing but an option can be answered, and one token is computed. The system text is read
        once as long as it stays the same and nothing else is asked in between. Raises `DataError`
        where two options begin with the same token, and `LanguageModelError` where the model fails.
        """
        tokens = [self._token(option) for option in options]
        if len(set(tokens)) < len(tokens):
            raise DataError(f"two of the options begin alike: {', '.join(options)}")
        seen: list[tuple[float, ...]] = []

        def look(_ids: Any, logits: Any) -> Any:
            values = [float(logits[token]) for token in tokens]
            parts = [math.exp(value - max(values)) for value in values]
            seen.append(tuple(part / sum(parts) for part in parts))
            return logits

        asked = [plain(SystemMessage(system)), plain(HumanMessage(question))]
        try:
            self._llama.create_chat_completion(
                asked, max_tokens=1, temperature=0.0, logits_processor=[look]
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise LanguageModelError(f"{self.name_} failed: {error}") from error
        if not seen or not all(math.isfinite(share) for share in seen[0]):
            raise LanguageModelError(f"{self.name_} chose none of the options")
        return seen[0]

    def _token(self, word: str) -> int:
        return int(self._llama.tokenize(word.encode(), add_bos=False)[0])

    def _complete(
        self, messages: list[dict[str, str]], schema: dict[str, Any] | None, stop: list[str] | None
    ) -> tuple[str, UsageMetadata]:
        form = None if schema is None else {"type": "json_object", "schema": schema}
        started, pieces = time.monotonic(), 0
        text = ""
        try:
            for chunk in self._llama.create_chat_completion(
                messages,
                response_format=form,
                temperature=0.0,
                seed=self.seed,
                max_tokens=self.max_tokens,
                stop=stop or [],
                stream=True,
            ):
                piece = chunk["choices"][0]["delta"].get("content") or ""
                text += piece
                pieces += bool(piece)
                if time.monotonic() - started > self.seconds:
                    raise LanguageModelError(
                        f"{self.name_} took longer than {self.seconds:g} s for one answer"
                    )
        except (ValueError, RuntimeError, OSError) as error:
            raise LanguageModelError(f"{self.name_} failed: {error}") from error
        prompt = max(0, int(self._llama.n_tokens) - pieces)
        return text, UsageMetadata(
            input_tokens=prompt, output_tokens=pieces, total_tokens=prompt + pieces
        )


def _unfenced(text: str) -> str:
    """Return what stands inside a Markdown code fence, which models put around JSON."""
    inner = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    return inner.strip()


def _fits(text: str, schema: dict[str, Any]) -> bool:
    from jsonschema import Draft202012Validator

    try:
        return bool(Draft202012Validator(schema).is_valid(json.loads(text)))
    except ValueError:
        return False


def calls_schema(tools: Sequence[dict[str, Any]], least: int) -> dict[str, Any]:
    """Return the schema of a list of tool calls: the union over the tools' own schemas."""
    one_of = [
        {
            "type": "object",
            "properties": {"name": {"const": tool["name"]}, "arguments": tool["parameters"]},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    items = {"type": "array", "minItems": least, "maxItems": _MAX_CALLS, "items": {"oneOf": one_of}}
    return {
        "type": "object",
        "properties": {"calls": items},
        "required": ["calls"],
        "additionalProperties": False,
    }


def plain(message: BaseMessage) -> dict[str, str]:
    """Return a message as role and text; calls and results become text the model can read.

    What chat templates read as the end of a turn is taken out: a title must not speak as another.
    """
    text = _TURN.sub(" ", message.text)
    match message:
        case SystemMessage():
            return {"role": "system", "content": text}
        case HumanMessage():
            return {"role": "user", "content": text}
        case ToolMessage():
            return {"role": "user", "content": f"Result of {message.name}: {text}"}
        case AIMessage(tool_calls=calls) if calls or not text:
            listed = [{"name": c["name"], "arguments": c["args"]} for c in calls]
            return {"role": "assistant", "content": json.dumps({"calls": listed})}
        case _:
            return {"role": "assistant", "content": text}


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise LanguageModelError(f"the tool calls were cut short: {text[:80]!r}") from error
    if not isinstance(value, dict) or not isinstance(value.get("calls"), list):
        raise LanguageModelError(f"no tool calls in {text[:80]!r}")
    return value
