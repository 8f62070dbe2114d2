"""Every tool says the same through every adapter, and refuses in the same words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from langchain_core.messages import ToolMessage
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from tests.plugin.surfaces.serving import over_http, over_stdio
from tests.plugin.surfaces.toolcalls import calls, mistakes
from whythis.conversation.assistant import WhyThis
from whythis.recsys.errors import WhyThisError
from whythis.surfaces.langchain_tools import toolkit
from whythis.surfaces.mcp_server import mcp_server
from whythis.surfaces.openai_tools import call
from whythis.surfaces.tools import TABLE, Toolbox
from whythis.tools.workspace import open_workspace

TOKEN = "a token of this test alone"
Said = tuple[bool, Any]
"""Whether a call failed, and the answer or what was said of the mistake."""


@pytest.fixture(scope="module")
def box(small_indexed: Path) -> Iterator[Toolbox]:
    with WhyThis(open_workspace(small_indexed)) as assistant:
        yield Toolbox(assistant, tuple(TABLE))


def directly(box: Toolbox, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    said: list[Said] = []
    for name, arguments in asked:
        try:
            said.append((False, box.call(name, arguments).told.as_json()))
        except WhyThisError as error:
            said.append((True, str(error)))
    return said


def through_openai(box: Toolbox, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    said: list[Said] = []
    for name, arguments in asked:
        told = json.loads(call(box, name, json.dumps(arguments)))
        said.append((True, told["error"]) if "error" in told else (False, told))
    return said


def through_langchain(box: Toolbox, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    tools = {tool.name: tool for tool in toolkit(box)}
    said: list[Said] = []
    for name, arguments in asked:
        request = {"type": "tool_call", "id": "1", "name": name, "args": arguments}
        message = tools[name].invoke(request)
        assert isinstance(message, ToolMessage)
        failed = message.status == "error" or message.artifact is None
        said.append((failed, message.content if failed else json.loads(str(message.content))))
    return said


async def through_mcp(client: Client, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    said: list[Said] = []
    for name, arguments in asked:
        found = await client.call_tool(name, arguments)
        (content,) = found.content
        assert isinstance(content, TextContent)
        if found.is_error:
            said.append((True, content.text.removeprefix(f"Error executing tool {name}: ")))
        else:
            assert json.loads(content.text) == found.structured_content
            said.append((False, found.structured_content))
    return said


def in_memory(box: Toolbox, mode: str, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    async def run() -> list[Said]:
        async with Client(mcp_server(box), mode=mode) as client:
            return await through_mcp(client, asked)

    return asyncio.run(run())


def over(folder: Path, transport: str, asked: list[tuple[str, dict[str, Any]]]) -> list[Said]:
    async def stdio() -> list[Said]:
        async with Client(over_stdio(folder, "--tools", "all")) as client:
            return await through_mcp(client, asked)

    async def http(url: str) -> list[Said]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as own,
            Client(streamable_http_client(url, http_client=own)) as client,
        ):
            return await through_mcp(client, asked)

    if transport == "stdio":
        return asyncio.run(stdio())
    with over_http(folder, "--tools", "all", token=TOKEN) as url:
        return asyncio.run(http(url))


@pytest.fixture(scope="module", params=["openai", "langchain", "memory", "legacy", "stdio", "http"])
def adapter(
    request: pytest.FixtureRequest, box: Toolbox, small_indexed: Path
) -> tuple[dict[str, Said], dict[str, Said]]:
    """Return what an adapter says to all calls and all mistakes, by name."""
    good, bad = calls(box.assistant.ws), mistakes(box.assistant.ws)
    asked = [*good.items(), *((name, arguments) for name, arguments, _ in bad.values())]
    said = {
        "openai": lambda: through_openai(box, asked),
        "langchain": lambda: through_langchain(box, asked),
        "memory": lambda: in_memory(box, "auto", asked),
        "legacy": lambda: in_memory(box, "legacy", asked),
        "stdio": lambda: over(small_indexed, "stdio", asked),
        "http": lambda: over(small_indexed, "http", asked),
    }[request.param]()
    return (
        dict(zip(good, said[: len(good)], strict=True)),
        dict(zip(bad, said[len(good) :], strict=True)),
    )


def test_every_tool_is_called(box: Toolbox) -> None:
    assert set(calls(box.assistant.ws)) == set(TABLE)


def test_every_tool_says_the_same(box: Toolbox, adapter: tuple[dict[str, Said], ...]) -> None:
    good = calls(box.assistant.ws)
    for (name, said), wanted in zip(
        adapter[0].items(), directly(box, list(good.items())), strict=True
    ):
        assert not wanted[0], (name, wanted)
        assert said == wanted, name


def test_every_mistake_is_told_in_the_same_words(
    box: Toolbox, adapter: tuple[dict[str, Said], ...]
) -> None:
    bad = mistakes(box.assistant.ws)
    asked = [(name, arguments) for name, arguments, _ in bad.values()]
    for (what, said), wanted in zip(adapter[1].items(), directly(box, asked), strict=True):
        assert wanted[0], what
        assert said == wanted, what
        assert bad[what][2] in said[1]
        assert "\n" not in said[1]


def test_what_is_told_is_what_was_found(box: Toolbox) -> None:
    ws = box.assistant.ws
    for name, arguments in calls(ws).items():
        answer = box.call(name, arguments)
        told = answer.told.as_json()
        if "findings" in told:
            assert [(f["id"], f["kind"], f["value"]) for f in told["findings"]] == [
                (e.id, e.kind, e.value) for e in answer.records
            ]
        elif name == "explain":
            assert told["answer"] == answer.records.answer
            assert [s["text"] for s in told["sentences"]] == [
                s.text for s in answer.records.sentences
            ]
            outcomes = {c["outcome"] for s in told["sentences"] for c in s["claims"]}
            assert outcomes == {"verified"}
        elif name == "audit":
            assert [s["verdict"] for s in told["sentences"]] == ["supported", "refuted"]
        elif name == "recommend":
            assert [i["rank"] for i in told["items"]] == [1, 2, 3]
        else:
            assert told["answer"] == answer.records.text
