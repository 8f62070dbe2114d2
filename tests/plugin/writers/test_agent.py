"""The agent looks things up and writes, over a scripted model and over HTTP; it never harms."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.plugin.fakes import FakeLlama
from whythis.explain import explain
from whythis.explanation import Explanation
from whythis.prompts.loader import load_prompt
from whythis.recsys.errors import DataError, LanguageModelError, MissingPartError
from whythis.tools.workspace import Workspace
from whythis.writers.agent import AgentWriter, open_writer
from whythis.writers.chat import LocalChat

USER, ITEM = "u01", "i00"
WHAT_IF = {"name": "what_if", "arguments": {"forget": ["zz"]}}
CALLS = json.dumps({"calls": [WHAT_IF, {"name": "reviews", "arguments": {"about": "the leads"}}]})
TASTE = {"p1": "There is also your {p1.persona}; {p1.without}."}
REST = {"h1": "Put to the test: {h1.had}.", "q1": "From the reviews: {q1.quote}."}
SAID, MENDED = json.dumps(TASTE | REST), json.dumps(REST)
LIE = json.dumps(TASTE | {"h1": "It won 7 Oscars.", "q1": "Everyone says it is perfect."})

Reply = Callable[[int, dict[str, Any]], tuple[int, bytes]]


def whole(answer: Explanation) -> None:
    assert {v.outcome for v in answer.verdicts.values()} == {"verified"}
    assert {"history_effect", "review_quote"} <= {c.kind for c in answer.claims}
    for sentence in answer.sentences:
        assert answer.answer[sentence.start : sentence.end] == sentence.text
    assert "Oscars" not in answer.answer


def local(*answers: str | Exception) -> tuple[AgentWriter, FakeLlama]:
    model, llama = LocalChat(name_="fake"), FakeLlama(*answers)
    model._llama = llama
    return AgentWriter(model, "local:fake"), llama


def test_the_loop_runs_tools_and_keeps_their_evidence(small_workspace: Workspace) -> None:
    writer, _ = local(CALLS)
    found = writer.begin(small_workspace, USER, ITEM, "Why?").gather()
    assert {e.kind for e in found.evidence} == {"review"}
    assert {e.probe.args["about"] for e in found.evidence} == {"the leads"}
    assert found.tokens == 100


def test_an_answer_of_the_local_model_is_released(small_workspace: Workspace) -> None:
    writer, llama = local(CALLS, SAID)
    answer = explain(small_workspace, USER, ITEM, writer=writer)
    whole(answer)
    assert answer.llm == "local:fake"
    assert answer.prompt == writer.prompt
    assert answer.metrics.claim_precision_draft == 1
    told = json.dumps(llama.asked[-1]["messages"])
    assert "Result of" not in told  # tool results hold other people's words


def test_audience_style_and_length_reach_the_model(small_workspace: Workspace) -> None:
    prompt = load_prompt("why")
    for style, most in (("short", 2), ("plain", 5), ("detailed", 8)):
        writer, llama = local(CALLS, SAID)
        explain(small_workspace, USER, ITEM, writer=writer, style=style)  # type: ignore[arg-type]
        system, *_, request = llama.asked[-1]["messages"]
        assert prompt.audience in system["content"]
        assert prompt.style in system["content"]
        assert f"{most} sentences at most" in request["content"]
        asked = re.findall(r'^"[a-z]\d": ', request["content"], re.MULTILINE)
        assert 1 < len(asked) <= most


def test_lies_go_back_with_reasons_and_are_not_released(small_workspace: Workspace) -> None:
    writer, llama = local(CALLS, LIE, MENDED)
    answer = explain(small_workspace, USER, ITEM, writer=writer)
    whole(answer)
    assert "does not show it" in llama.asked[-1]["messages"][-1]["content"]
    assert {s.writer for s in answer.sentences if s.claims[0] in ("h1", "q1")} == {"model"}
    assert len(answer.dropped) == 2


def test_a_repair_that_tells_all_once_more_is_taken_for_what_was_asked(
    small_workspace: Workspace,
) -> None:
    writer, _ = local(CALLS, LIE, json.dumps({**json.loads(SAID), **json.loads(MENDED)}))
    answer = explain(small_workspace, USER, ITEM, writer=writer)
    whole(answer)
    assert not [d for d in answer.dropped if "told already" in d.reason]


@pytest.mark.parametrize(
    "answers",
    [
        [RuntimeError("gone")],
        ["rubbish", "rubbish"],
        [CALLS, RuntimeError("gone")],
        [CALLS, "", ""],
        [CALLS, LIE, RuntimeError("gone")],
        [CALLS, LIE, LIE, LIE, LIE],
        [CALLS, '{"p1": "\\ud800", "h1": "\\u001b[31m {h1.had}"}', *["{}"] * 4],
        ['{"calls": [{"name": "rm", "arguments": {}}]}', CALLS, SAID],
    ],
)
def test_whatever_the_local_model_says_there_is_an_answer(
    small_workspace: Workspace, answers: list[str | Exception]
) -> None:
    answer = explain(small_workspace, USER, ITEM, writer=local(*answers)[0])
    whole(answer)
    json.dumps(answer.as_json(), allow_nan=False).encode()
    answer.model_dump_json()


@contextmanager
def endpoint(reply: Reply) -> Iterator[str]:
    """Serve /v1/chat/completions on loopback; `reply` gets the request's number and body."""
    count = iter(range(1000))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, content = reply(next(count), body)
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client had enough

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def message(content: str | None, *calls: tuple[str, str]) -> bytes:
    listed = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": args}}
        for n, (name, args) in enumerate(calls)
    ]
    said: dict[str, Any] = {"role": "assistant", "content": content}
    if listed:
        said["tool_calls"] = listed
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if listed else "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
    whole_ = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps({**whole_, "choices": [choice], "usage": usage}).encode()


def over_http(ws: Workspace, reply: Reply, timeout: float = 5.0) -> Explanation:
    with endpoint(reply) as url:
        chat = ChatOpenAI(
            model="m", base_url=url, api_key=SecretStr("none"), timeout=timeout, max_retries=0
        )
        answer = explain(ws, USER, ITEM, writer=AgentWriter(chat, "openai:m", looks=3))
        chat.root_client.close()
    whole(answer)
    return answer


def good(number: int, body: dict[str, Any]) -> tuple[int, bytes]:
    if number == 0:
        assert "user" not in json.dumps([t["function"]["parameters"] for t in body["tools"]])
        return 200, message(None, ("reviews", '{"about": "the leads"}'))
    if number == 1:
        return 200, message("I have seen enough.")
    assert body["response_format"]["type"] == "json_schema"
    return 200, message(SAID)


def test_an_endpoint_is_asked_for_tools_then_sentences(small_workspace: Workspace) -> None:
    answer = over_http(small_workspace, good)
    assert (answer.llm, answer.llm_error) == ("openai:m", None)
    assert answer.metrics.tokens == 30


def test_tool_errors_go_back_as_text(small_workspace: Workspace) -> None:
    bodies: list[dict[str, Any]] = []

    def reply(number: int, body: dict[str, Any]) -> tuple[int, bytes]:
        bodies.append(body)
        if number == 0:
            return 200, message(None, ("what_if", '{"forget": ["zz"]}'), ("nothing", "{}"))
        return good(number, body)

    answer = over_http(small_workspace, reply)
    assert answer.llm_error is None
    results = [m["content"] for m in bodies[1]["messages"] if m["role"] == "tool"]
    assert len(results) == 2
    assert "zz" in results[0]


@pytest.mark.parametrize("at", [0, 2])
@pytest.mark.parametrize(
    "failure",
    [
        (500, b'{"error": {"message": "boom"}}'),
        (429, b'{"error": {"message": "slow down"}}'),
        (401, b"no"),
        (200, b"garbage"),
        (200, b"{}"),
        (200, b'{"choices": []}'),
        (200, message(SAID)[:60]),
        (200, message(None)),
        (200, message("I cannot help with that.")),
    ],
)
def test_a_failing_endpoint_does_not_harm_the_answer(
    small_workspace: Workspace, at: int, failure: tuple[int, bytes]
) -> None:
    def reply(number: int, body: dict[str, Any]) -> tuple[int, bytes]:
        return failure if number >= at else good(number, body)

    answer = over_http(small_workspace, reply)
    assert answer.llm == "none"
    assert answer.llm_error
    assert "\n" not in answer.llm_error


def test_a_slow_endpoint_is_given_up(small_workspace: Workspace) -> None:
    def reply(number: int, body: dict[str, Any]) -> tuple[int, bytes]:
        time.sleep(0.6)
        return good(number, body)

    assert over_http(small_workspace, reply, timeout=0.2).llm_error


def test_a_writer_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model named"):
        open_writer("openai")
    with pytest.raises(MissingPartError, match="no model file"):
        open_writer("local", model=str(tmp_path / "none.gguf"))
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(LanguageModelError, match="not a GGUF"):
        open_writer("local", model=str(tmp_path / "text.gguf"))


@pytest.mark.llm
def test_the_real_local_model_answers(small_workspace: Workspace) -> None:
    answer = explain(small_workspace, USER, ITEM, writer=open_writer("local"))
    whole(answer)
    assert answer.llm_error is None
