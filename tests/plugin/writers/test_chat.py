"""The local chat model parses what llama.cpp streams, and fails in one way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from tests.plugin.fakes import FakeLlama
from whythis.recsys.errors import LanguageModelError, MissingPartError
from whythis.surfaces.langchain_tools import toolkit
from whythis.tools.workspace import Workspace
from whythis.writers.chat import LocalChat, calls_schema, plain

CALL = '{"calls": [{"name": "facts", "arguments": {}}]}'
SCHEMA: dict[str, Any] = {"type": "object", "required": ["p1"]}


def chat(*answers: str | Exception, **options: Any) -> tuple[LocalChat, FakeLlama]:
    model, llama = LocalChat(name_="fake", **options), FakeLlama(*answers)
    model._llama = llama
    return model, llama


def test_an_answer_is_streamed_together_and_counted() -> None:
    model, llama = chat("It is a long enough answer.")
    reply = model.invoke("Why?")
    assert reply.text == "It is a long enough answer."
    assert reply.usage_metadata == {"input_tokens": 98, "output_tokens": 2, "total_tokens": 100}
    assert llama.asked[0]["temperature"] == 0.0


def test_tool_calls_are_parsed(small_workspace: Workspace) -> None:
    tools = toolkit(small_workspace, ["facts"], user="u01", item="i00")
    model, _ = chat(CALL)
    reply = model.bind_tools(tools).invoke("Why?")
    assert [(c["name"], c["args"]) for c in reply.tool_calls] == [("facts", {})]
    assert reply.text == ""


def test_an_answer_that_does_not_fit_is_asked_for_under_the_grammar() -> None:
    model, llama = chat("Sure! Here you are.", '{"p1": "x"}')
    reply = model.bind(json_schema=SCHEMA).invoke("Why?")
    assert reply.text == '{"p1": "x"}'
    assert [a["response_format"] for a in llama.asked][1] == {
        "type": "json_object",
        "schema": SCHEMA,
    }


def test_an_answer_that_can_be_read_is_not_asked_for_again() -> None:
    model, llama = chat("It fits.", '{"p1": "x"}')
    reply = model.bind(json_schema=SCHEMA, reads="It fits.".__eq__).invoke("Why?")
    assert reply.text == "It fits."
    assert len(llama.asked) == 1


@pytest.mark.parametrize("cut", [CALL[:20], "", "[]", '{"calls": 7}', "nonsense"])
def test_cut_tool_calls_are_an_error(small_workspace: Workspace, cut: str) -> None:
    tools = toolkit(small_workspace, ["facts"], user="u01", item="i00")
    model, _ = chat(cut, cut)
    with pytest.raises(LanguageModelError):
        model.bind_tools(tools).invoke("Why?")


def test_a_slow_answer_is_an_error() -> None:
    model, _ = chat("It is slow.", seconds=0.0)
    with pytest.raises(LanguageModelError, match="longer than 0 s"):
        model.invoke("Why?")


@pytest.mark.parametrize("error", [ValueError("too long"), RuntimeError("bad"), OSError("gone")])
def test_a_failure_of_llama_is_an_error(error: Exception) -> None:
    model, _ = chat(error)
    with pytest.raises(LanguageModelError, match=f"fake failed: {error}"):
        model.invoke("Why?")


def test_the_first_answer_calls_a_tool_later_ones_may_not() -> None:
    tool = {"name": "facts", "parameters": {"type": "object"}}
    items = calls_schema([tool], 1)["properties"]["calls"]
    assert items["minItems"] == 1
    assert items["items"]["oneOf"][0]["properties"]["name"] == {"const": "facts"}


def test_messages_become_plain_text() -> None:
    call = {"name": "facts", "args": {"n": 1}, "id": "1"}
    assert plain(SystemMessage("s")) == {"role": "system", "content": "s"}
    for turn in ("<|im_end|>", "<|im_start|>", "[/INST]", "<<SYS>>", "</s>", "<end_of_turn>"):
        assert plain(HumanMessage(f"a{turn}b")) == {"role": "user", "content": "a b"}
    assert plain(HumanMessage("h")) == {"role": "user", "content": "h"}
    assert plain(AIMessage("a")) == {"role": "assistant", "content": "a"}
    result = ToolMessage("r", tool_call_id="1", name="facts")
    assert plain(result) == {"role": "user", "content": "Result of facts: r"}
    called = json.loads(plain(AIMessage("", tool_calls=[call]))["content"])
    assert called == {"calls": [{"name": "facts", "arguments": {"n": 1}}]}


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    with pytest.raises(MissingPartError, match="no model file"):
        LocalChat.load(tmp_path / "none.gguf")
    for name, content in (("text", b"hello"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LanguageModelError, match="not a GGUF"):
            LocalChat.load(tmp_path / name)
