"""Chat clients that others wrote talk to the server as to any model; a tester of interfaces too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openai
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_openai import ChatOpenAI
from openai import OpenAI
from openai.types.chat import ChatCompletion
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from whythis.conversation.assistant import WhyThis
from whythis.conversation.session import Session
from whythis.server.chat_text import safe
from whythis.server.openai_messages import Message
from whythis.server.transcript import Sessions

from .serving import ITEM, USER, Served, keys_of, serving

KNOWN = {
    "/v1/explain": {"user": USER, "item": ITEM},
    "/v1/recommend": {"user": USER},
    "/v1/audit": {"user": USER, "item": ITEM},
    "/v1/ask": {"user": USER},
    "/v1/chat/completions": {
        "model": "whythis",
        "user": USER,
        "messages": [{"role": "user", "content": "Why Amber Road?"}],
    },
}
"""What makes a drawn body one that can be answered."""

LIST, WHY = "What do you recommend me?", "Why the first one?"


def test_the_openai_client_converses(served: Served, assistant: WhyThis) -> None:
    with OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["whythis"]
        first = client.chat.completions.create(
            model="whythis", user=USER, messages=[{"role": "user", "content": LIST}]
        )
        content = first.choices[0].message.content or ""
        best = assistant.recommend(USER, 1)[0]
        assert f"1. {best.title}" in content
        assert first.usage is not None
        assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
        second = client.chat.completions.create(
            model=f"whythis:{USER}",
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": LIST},
                {"role": "assistant", "content": content},
                {"role": "user", "content": [{"type": "text", "text": WHY}]},
            ],
        )
    told = (second.model_extra or {})["whythis"]
    assert told["intent"] == "why"
    assert told["session"]["focus"] == best.item
    assert told["claims"]
    assert {claim["verdict"] for claim in told["claims"].values()} == {"verified"}
    assert second.choices[0].message.content == safe(told["text"])
    plain = second.model_dump(exclude={"whythis"})
    ChatCompletion.model_validate(plain, strict=False)


def test_the_openai_client_reads_a_stream(served: Served) -> None:
    with OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        asked = {"model": f"whythis:{USER}", "messages": [{"role": "user", "content": LIST}]}
        whole = client.chat.completions.create(**asked)  # type: ignore[call-overload]
        chunks = list(
            client.chat.completions.create(  # type: ignore[call-overload]
                **asked, stream=True, stream_options={"include_usage": True}
            )
        )
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage
    assert len({c.id for c in chunks}) == 1
    assert chunks[-2].model_extra["whythis"]["text"]


def test_the_openai_client_understands_what_is_refused(assistant: WhyThis, tmp_path: Path) -> None:
    keys = keys_of(tmp_path / "keys.json", mine=[USER], two=[USER, "u02"])
    file = tmp_path / "keys.json"
    said = [{"role": "user", "content": LIST}]
    with serving(assistant, keys=file, rate=0.01, burst=8) as one:

        def ask(key: str, model: str, **more: object) -> object:
            with OpenAI(base_url=f"{one.url}/v1", api_key=key, max_retries=0) as client:
                return client.chat.completions.create(  # type: ignore[call-overload]
                    model=model, messages=more.pop("messages", said), **more
                )

        with OpenAI(base_url=f"{one.url}/v1", api_key=keys["two"]) as client:
            listed = [model.id for model in client.models.list()]
        assert listed == ["whythis", f"whythis:{USER}", "whythis:u02"]
        assert ask(keys["mine"], "whythis")  # the key has one user only
        with pytest.raises(openai.AuthenticationError):
            ask("wrong", f"whythis:{USER}")
        with pytest.raises(openai.PermissionDeniedError):
            ask(keys["mine"], "whythis:u02")
        with pytest.raises(openai.NotFoundError, match="no such model"):
            ask(keys["mine"], "gpt-4")
        for wrong in (
            {"model": "whythis"},
            {"model": f"whythis:{USER}", "user": "u02"},
            {"model": f"whythis:{USER}", "messages": [{"role": "assistant", "content": "x"}]},
        ):
            with pytest.raises(openai.BadRequestError):
                ask(keys["two"], **wrong)  # type: ignore[arg-type]
        with pytest.raises(openai.UnprocessableEntityError):
            ask(keys["two"], f"whythis:{USER}", n=2)
        for _ in range(8):  # the last of them is the one too many
            late = refused(lambda: ask(keys["mine"], f"whythis:{USER}"))
        assert isinstance(late, openai.RateLimitError)
        assert int(late.response.headers["retry-after"]) > 0


def refused(ask: Callable[[], object]) -> openai.APIStatusError | None:
    """Return the refusal, or None where it was answered."""
    try:
        ask()
    except openai.APIStatusError as error:
        return error
    return None


def test_langchain_converses(served: Served, assistant: WhyThis) -> None:
    chat = ChatOpenAI(
        model=f"whythis:{USER}",
        base_url=f"{served.url}/v1",
        api_key=SecretStr("none"),
        max_retries=0,
        timeout=60,
    )
    first = chat.invoke([("user", LIST)])
    best = assistant.recommend(USER, 1)[0]
    assert best.title in first.text
    said = [("user", LIST), ("assistant", first.text), ("user", WHY)]
    whole = chat.invoke(said)
    assert whole.usage_metadata is not None
    streamed = "".join(chunk.text for chunk in chat.stream(said))
    assert streamed == whole.text
    assert streamed
    chat.root_client.close()


def test_the_llm_command_line_holds_a_conversation(
    served: Served, assistant: WhyThis, tmp_path: Path
) -> None:
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- model_id: mine\n  model_name: whythis:{USER}\n  api_base: {served.url}/v1\n"
        "  api_key_name: mine\n"
    )

    def llm(*arguments: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("llm")), *arguments],
            env={**os.environ, "LLM_USER_PATH": str(tmp_path), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    llm("keys", "set", "mine", "--value", "none")
    best = assistant.recommend(USER, 1)[0]
    assert f"1. {best.title}" in llm("-m", "mine", LIST)
    answer = llm("-c", WHY)
    mine = assistant.ask(USER, WHY, assistant.ask(USER, LIST).session)
    assert answer.strip() == safe(mine.text)


def test_a_state_that_is_not_remembered_is_read_from_the_messages(assistant: WhyThis) -> None:
    rec = assistant.ws.recommender
    best = assistant.recommend(USER, 3)
    listed = "Here:\n\n" + "\n".join(f"{one.rank}. {one.title}" for one in best)
    messages = (
        Message(role="user", content=LIST),
        Message(role="assistant", content=listed),
        Message(role="user", content="Why the second one?"),
        Message(role="assistant", content="Because."),
    )
    sessions = Sessions(most=1)
    state = sessions.after("key", USER, messages, rec)
    assert state is not None
    assert state.shown == tuple(one.item for one in best)
    assert (state.focus, state.turns, state.proposal) == (best[1].item, 2, None)
    known = Session(user=USER, focus="i05")
    sessions.remember("key", USER, messages[:3], "Because.", known)
    assert sessions.after("key", USER, messages, rec) == known
    assert sessions.after("other", USER, messages, rec) == state
    sessions.remember("key", "u02", messages[:1], "x", known)  # room for one only
    assert sessions.after("key", USER, messages, rec) == state


def test_no_title_makes_a_link_or_a_picture() -> None:
    for text in (
        "![x](http://evil/?q=1)",
        "[x](http://evil)",
        "[x][y]",
        "[y]: http://evil",
        "<img src=x>",
    ):
        made = safe(text)
        assert not any(sign in made for sign in ("](", "][", "]:", "![", "<", ">"))


def streams(case: schemathesis.Case, stream: bool) -> None:
    """Ask for the answer as a stream, or not, where there is the choice."""
    if case.path == "/v1/chat/completions":
        case.body["stream"] = stream
    if case.path == "/v1/ask" and stream:
        case.headers["Accept"] = "text/event-stream"


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_nothing_that_is_sent_breaks_the_server(served: Served, mode: GenerationMode) -> None:
    """Ask what the description allows (positive) and what it does not (negative)."""
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    asked: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.method == "get":
            continue  # nothing of it can be wrong

        @settings(
            max_examples=15,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode), known=st.booleans(), stream=st.booleans())
        def ask(case: schemathesis.Case, known: bool, stream: bool) -> None:
            if known and isinstance(case.body, dict):
                case.body |= KNOWN.get(case.path, {})
                case.body.pop("session", None)
                streams(case, stream)
            response = case.call(base_url=served.url)
            asked.setdefault(case.path, set()).add(response.status_code)
            case.validate_response(response, checks=checks)

        ask()
    assert {"/v1/explain", "/v1/ask", "/v1/audit", "/v1/chat/completions"} <= set(asked)
    assert all(200 in statuses for statuses in asked.values()) or mode is GenerationMode.NEGATIVE
