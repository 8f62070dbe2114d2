"""Let a language model look up evidence and word the answer: LangChain's agent over our tools."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langsmith import tracing_context

from whythis.downloads import locate
from whythis.explanation import PromptRef
from whythis.prompts.loader import Prompt, load_prompt
from whythis.recsys.errors import DataError, LanguageModelError, WhyThisError
from whythis.surfaces.langchain_tools import toolkit
from whythis.text.checker import Checked, Ledger
from whythis.text.language import load_language
from whythis.text.realiser import LONGEST
from whythis.tools.evidence import Evidence
from whythis.tools.table import TOOLS
from whythis.tools.workspace import Workspace
from whythis.writers.briefing import answer_schema, brief, drafts, menu, readable, refusals
from whythis.writers.chat import LocalChat
from whythis.writers.opinion import Opinion, entails
from whythis.writers.writer import Gathered, Written

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
AGENT_TOOLS = ("personas", "history", "what_if", "reviews", "facts")
_LOOKS = 3  # model calls an endpoint may spend on looking things up; locally each costs seconds
_TIMEOUT = 60.0  # seconds for one request to an endpoint


class AgentWriter:
    """Write with any LangChain chat model: `LocalChat` under a grammar, others by schema."""

    def __init__(
        self, model: BaseChatModel, name: str, prompt: Prompt | None = None, *, looks: int = 1
    ) -> None:
        """Take a chat model; `looks` bounds its calls for looking things up, 0 for none."""
        self._looks = looks
        self.model = model
        self.name = name
        self._prompt = prompt or load_prompt("why")

    @property
    def prompt(self) -> PromptRef:
        """Return the prompt file in use."""
        return PromptRef(name=self._prompt.name, hash=self._prompt.hash)

    def opinion(self) -> Opinion:
        """Return the model's second opinion; `DataError` for a model that is not local."""
        if not isinstance(self.model, LocalChat):
            raise DataError(f"{self.name} gives no second opinion: use a local model")
        return partial(entails, self.model)

    def begin(self, ws: Workspace, user: str, item: str, question: str) -> Talk:
        """Start a conversation about one recommendation."""
        return Talk(self.model, self._prompt, ws, user, item, question, self._looks)


class Talk:
    """Hold one conversation: look things up, draft, repair. Not shared between questions."""

    def __init__(
        self,
        model: BaseChatModel,
        prompt: Prompt,
        ws: Workspace,
        user: str,
        item: str,
        question: str,
        looks: int,
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._key = f"{user}/{item}"
        self._looks = looks
        self._tools = toolkit(ws, AGENT_TOOLS, say=brief, user=user, item=item)
        listed = "\n".join(f"- {n}: {TOOLS[n].description}" for n in AGENT_TOOLS)
        self._system = prompt.fill("system", tools=listed)
        self._messages: list[BaseMessage] = [
            HumanMessage(prompt.fill("question", question=question).strip())
        ]

    def gather(self) -> Gathered:
        """Let the model call tools, at most `looks` times; return what they found."""
        if not self._looks:
            return Gathered(())
        from langchain.agents import create_agent
        from langchain.agents.middleware import ModelCallLimitMiddleware

        limit: Any = ModelCallLimitMiddleware(run_limit=self._looks, exit_behavior="end")
        with _failing_softly():
            agent: Any = create_agent(
                self._model, self._tools, system_prompt=self._system, middleware=[limit]
            )
            state = agent.invoke({"messages": list(self._messages)})
        self._messages = [m for m in state["messages"] if not _is_filler(m)]
        found: list[Evidence] = []
        for message in self._messages:
            if isinstance(message, ToolMessage) and message.artifact:
                found += message.artifact
        return Gathered(tuple(found), _tokens(state["messages"]))

    def write(self, ledger: Ledger) -> Written:
        """Draft the answer from the claims of the ledger.

        What was said while looking things up is left behind: tool results hold other people's
        titles, and a small model would write them down.
        """
        self._messages = []
        told = menu(ledger, load_language(), key=self._key)
        count = str(LONGEST[ledger.style])
        return self._draft(self._prompt.fill("write", menu=told, count=count), self._form(ledger))

    def repair(self, ledger: Ledger, refused: Sequence[Checked]) -> Written:
        """Draft the refused sentences again."""
        told = refusals(refused, ledger, load_language())
        about = {one.draft.claims[0] for one in refused}
        form = self._form(ledger, about)
        written = self._draft(self._prompt.fill("repair", refused=told), form)
        # a small model likes to tell all of it once more
        asked = tuple(d for d in written.drafts if about & set(d.claims))
        return replace(written, drafts=asked)

    def _draft(self, request: str, form: dict[str, Any]) -> Written:
        self._messages.append(HumanMessage(request.strip()))
        with _failing_softly():
            bound = self._model.bind(**form)
            reply = bound.invoke([SystemMessage(self._system), *self._messages])
        if not isinstance(reply, AIMessage):
            raise LanguageModelError(f"the model answered with a {type(reply).__name__}")
        self._messages.append(reply)
        return Written(drafts(reply.text), _tokens([reply]))

    def _form(self, ledger: Ledger, about: Collection[str] | None = None) -> dict[str, Any]:
        if isinstance(self._model, LocalChat):
            # what can be read need not be written again: that takes a local model many seconds
            return {"json_schema": answer_schema(ledger, about), "reads": readable}
        schema = answer_schema(ledger, about)
        named = {"name": "answer", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}


def open_writer(
    kind: Literal["local", "openai"],
    *,
    model: str | None = None,
    base_url: str | None = None,
    seed: int = 0,
    prompt: str = "why",
    prompts: Path | None = None,
    retries: int = 1,
) -> AgentWriter:
    """Return a writer: `local` runs a GGUF file here, `openai` asks an OpenAI-compatible endpoint.

    local: `model` is a fetched model's name or a path; default `DEFAULT_MODEL`.
    openai: `model` and `base_url` name the endpoint; the key, where needed, is `OPENAI_API_KEY`.
    A request that is refused for now (429), fails there (5xx) or takes too long is sent again up
    to `retries` times, each time after a longer pause or the one the endpoint asks for.
    Raises `MissingPartError` where the model or package is absent.
    """
    chosen = load_prompt(prompt, prompts)
    if kind == "local":
        name = model or DEFAULT_MODEL
        path = Path(name) if name.endswith(".gguf") else locate(name)
        return AgentWriter(LocalChat.load(path, seed=seed), f"local:{path.stem}", chosen)
    if model is None:
        raise DataError("no model named: give --model (and --base-url for your own endpoint)")
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    chat = ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=SecretStr(os.environ.get("OPENAI_API_KEY", "none")),
        temperature=0.0,
        seed=seed,
        timeout=_TIMEOUT,
        max_retries=retries,
    )
    return AgentWriter(chat, f"openai:{model}", chosen, looks=_LOOKS)


@contextmanager
def _failing_softly() -> Iterator[None]:
    """Turn whatever a model, its client or its server raises into one error.

    LangChain's tracing is off inside, whatever the environment says: what users like stays here.
    """
    try:
        with tracing_context(enabled=False):
            yield
    except WhyThisError:
        raise
    except Exception as error:
        line = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise LanguageModelError(f"the language model failed: {line}") from error


def _is_filler(message: BaseMessage) -> bool:
    # the limit's own closing remark and an empty last turn tell the model nothing
    return isinstance(message, AIMessage) and not message.tool_calls


def _tokens(messages: Sequence[BaseMessage]) -> int:
    used = [m.usage_metadata for m in messages if isinstance(m, AIMessage) and m.usage_metadata]
    return sum(u["total_tokens"] for u in used)
