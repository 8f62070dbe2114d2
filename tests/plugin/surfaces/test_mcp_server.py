"""The MCP server keeps to one user, to its protocol, and to whom it may answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.plugin.running import command, process
from tests.plugin.surfaces.serving import over_http
from tests.plugin.surfaces.toolcalls import USER, calls
from whythis.conversation.assistant import WhyThis
from whythis.explanation import Explanation
from whythis.recsys.errors import DataError
from whythis.surfaces.mcp_server import BARS, explanation_uri, http_app, mcp_server
from whythis.surfaces.tools import TABLE, USUAL, Toolbox
from whythis.tools.workspace import Workspace

TOKEN = "a token of this test alone"
T = TypeVar("T")


def asked(box: Toolbox, ask: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Client(mcp_server(box)) as client:
            return await ask(client)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def box(small_workspace: Workspace) -> Toolbox:
    return Toolbox(WhyThis(small_workspace), tuple(TABLE))


@pytest.fixture(scope="module")
def bound(small_workspace: Workspace) -> Toolbox:
    return Toolbox(WhyThis(small_workspace), bound={"user": USER})


def test_every_answer_keeps_its_output_schema(box: Toolbox) -> None:
    async def ask(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == set(TABLE)
        for name, arguments in calls(box.assistant.ws).items():
            tool = tools[name]
            Draft202012Validator(tool.input_schema).validate(arguments)
            found = await client.call_tool(name, arguments)
            Draft202012Validator(tool.output_schema or {}).validate(found.structured_content)
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is (name != "ask")

    asked(box, ask)


def test_a_server_for_one_user_knows_nobody_else(bound: Toolbox) -> None:
    item = bound.assistant.recommend("u01", 1)[0].item

    async def ask(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert tuple(tool.name for tool in tools) == USUAL
        assert not any("user" in tool.input_schema["properties"] for tool in tools)
        prompts = (await client.list_prompts()).prompts
        assert not any(a.name == "user" for p in prompts for a in p.arguments or ())
        assert USER in str(await client.get_prompt("known"))
        for name in USUAL:
            refused = await client.call_tool(name, {"user": "u01", "item": item})
            assert refused.is_error
            assert "user: Extra" in str(refused.content)
        mine = await client.call_tool("recommend", {})
        assert (mine.structured_content or {})["user"] == USER
        with pytest.raises(MCPError, match="not served here"):
            await client.read_resource(explanation_uri("u01", item))

    asked(bound, ask)


def test_a_session_of_another_user_is_refused(bound: Toolbox) -> None:
    session = json.dumps({"user": "u01"})

    async def ask(client: Client) -> Any:
        return await client.call_tool("ask", {"question": "Who am I?", "session": session})

    found = asked(bound, ask)
    assert found.is_error
    assert "u01" in str(found.content)


def test_records_and_reviews_are_resources(box: Toolbox) -> None:
    item = box.assistant.recommend(USER, 1)[0].item

    async def ask(client: Client) -> None:
        (record,) = (await client.read_resource(explanation_uri(USER, item))).contents
        found = Explanation.from_json(json.loads(record.text))  # type: ignore[union-attr]
        assert found.answer == box.assistant.explain(USER, item).answer
        (whole,) = (await client.read_resource("review://r1")).contents
        (one,) = (await client.read_resource("review://r1%232")).contents
        sentences = json.loads(whole.text)["sentences"]  # type: ignore[union-attr]
        assert json.loads(one.text)["sentences"] == {"r1#2": sentences["r1#2"]}  # type: ignore[union-attr]
        for absent in (
            "review://none",
            explanation_uri("nobody else", item),
            "review://..%2F..%2Fx",
        ):
            with pytest.raises(MCPError) as refused:
                await client.read_resource(absent)
            assert refused.value.error.code == -32602

    asked(box, ask)


def test_the_bars_are_an_app_that_needs_nothing_from_elsewhere(box: Toolbox) -> None:
    async def ask(client: Client) -> str:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert (tools["explain"].meta or {})["ui"] == {"resourceUri": BARS}
        (page,) = (await client.read_resource(BARS)).contents
        assert page.mime_type == "text/html;profile=mcp-app"
        return page.text  # type: ignore[union-attr,no-any-return]

    page = asked(box, ask)
    for outside in ("http:", "https:", "//cdn", "@import", "url(", "innerHTML", "eval(", "src="):
        assert outside not in page


def test_a_crash_tells_the_model_nothing(box: Toolbox) -> None:
    class Broken(WhyThis):
        def recommend(self, user: str, n: int = 10) -> Any:
            raise RuntimeError("secret of the machine")

    async def ask(client: Client) -> Any:
        return await client.call_tool("recommend", {"user": USER})

    found = asked(Toolbox(Broken(box.assistant.ws)), ask)
    assert found.is_error
    assert "secret" not in str(found)


def test_standard_output_carries_the_protocol_alone(small_indexed: Path) -> None:
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    asks = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {
            "id": 2,
            "method": "tools/call",
            "params": {"name": "recommend", "arguments": {"n": 2}},
        },
        {"id": 3, "method": "tools/call", "params": {"name": "no such", "arguments": {}}},
    ]
    with subprocess.Popen(
        command("mcp", small_indexed, "--user", USER),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for one in asks:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **one}) + "\n")
        server.stdin.flush()
        lines = [server.stdout.readline() for _ in range(3)]
        server.stdin.close()
        lines += server.stdout.readlines()
        assert server.wait(timeout=30) == 0
    said = [json.loads(line) for line in lines]
    assert {one["id"] for one in said} == {1, 2, 3}
    assert all(one["jsonrpc"] == "2.0" for one in said)


def test_over_http_a_token_a_host_and_an_origin_are_asked_for(small_indexed: Path) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    mine = {**accept, "Authorization": f"Bearer {TOKEN}"}
    with over_http(small_indexed, "--user", USER, token=TOKEN) as url, httpx2.Client() as client:
        for headers, status in (
            (accept, 401),
            ({**accept, "Authorization": "Bearer another"}, 401),
            ({**mine, "Host": "evil.example"}, 421),
            ({**mine, "Origin": "https://evil.example"}, 403),
        ):
            assert client.post(url, json=ping, headers=headers).status_code == status
        assert client.post(url, json=ping, headers=mine).status_code not in (401, 403, 421)


def test_without_a_token_it_answers_on_this_machine_only(box: Toolbox, small_indexed: Path) -> None:
    with pytest.raises(DataError, match="without a token"):
        http_app(mcp_server(box), host="0.0.0.0")
    process("mcp", small_indexed, "--http", "--host", "0.0.0.0").refused("without a token")


def test_bad_options_are_refused(small_indexed: Path) -> None:
    from tests.plugin.running import whythis

    whythis("mcp", small_indexed, "--tools", "explain,explode").refused("explode")
    whythis("mcp", small_indexed, "--user", "nobody else").refused("nobody else")
    whythis("mcp", small_indexed, "--token", "short").refused("--token")
