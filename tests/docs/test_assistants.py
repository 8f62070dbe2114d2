"""What the guide to assistants shows runs: its programs, and its configuration in a real client."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from typer.testing import CliRunner

from whythis.cli import app

# Tests are no installed package: they have no absolute name.
from ..examples.endpoint import endpoint  # noqa: TID252
from .test_readme import ENDPOINT, USER, demo, run

__all__ = ["demo"]  # a fixture

GUIDE = Path(__file__).parents[2] / "docs" / "assistants.md"
BLOCKS = dict(
    re.findall(r"^<!-- run: (\w+) -->\n```\w+\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
)


def test_every_program_and_configuration_is_run() -> None:
    shown = re.findall(r"^```(json|python)$", GUIDE.read_text("utf-8"), re.M)
    assert len(shown) == len(BLOCKS) == 3


@pytest.mark.parametrize("name", ["langchain", "openai"])
def test_a_program_runs_as_pasted(name: str, demo: Path) -> None:
    with endpoint() as (url, asked):
        said = run("python", BLOCKS[name].replace(ENDPOINT, url), demo)
    assert said.strip()
    tools = [tool["function"]["name"] for tool in asked[0]["tools"]]
    assert tools[:2] == ["recommend", "explain"]
    assert [m["role"] for m in asked[-1]["messages"]].count("tool") == 2


def test_a_host_starts_the_server_as_configured(demo: Path) -> None:
    server = json.loads(BLOCKS["host"])["mcpServers"]["whythis"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = StdioServerParameters(**server, cwd=demo, env={**os.environ, "PATH": path})

    async def ask() -> None:
        async with Client(started) as client:
            found = await client.call_tool("recommend", {"n": 1})
            assert (found.structured_content or {})["user"] == USER

    asyncio.run(ask())


def test_the_options_over_http_are_those_there_are() -> None:
    (line,) = re.findall(r"^whythis (mcp .*)$", GUIDE.read_text("utf-8"), re.M)
    told = CliRunner().invoke(app, ["mcp", "--help"], env={"COLUMNS": "200"}).output
    options = re.findall(r"(?<=\s)--[\w-]+", line)
    assert options
    assert all(option in told for option in options)
