"""Be an MCP host: start the server, list its tools, ask, and read the record of the answer.

python examples/agents/mcp_client.py [DIR [USER]]
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters

SERVE = "from whythis.cli import main; main()"


async def main(folder: str = "demo", user: str = "42") -> None:
    """Ask why the first recommendation is there, over standard input and output."""
    server = StdioServerParameters(
        command=sys.executable, args=["-c", SERVE, "mcp", folder, "--user", user]
    )
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        print("tools:", ", ".join(tool.name for tool in tools))
        first = (await called(client, "recommend", n=1))["items"][0]
        found = await called(client, "explain", item=first["item"])
        print(found["question"])
        print(found["answer"])
        for taste in found["tastes"]:
            print(f"  {taste['bar']}  {taste['name']}")
        record = await client.read_resource(f"explanation://{user}/{first['item']}")
        whole = json.loads(getattr(record.contents[0], "text", ""))
        print("evidence:", ", ".join(whole["evidence"]))


async def called(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """Return a tool's structured answer; raise what it says of a mistake."""
    found = await client.call_tool(name, arguments)
    if found.is_error or found.structured_content is None:
        raise RuntimeError(" ".join(getattr(part, "text", "") for part in found.content))
    return found.structured_content


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
