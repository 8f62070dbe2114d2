"""Serve the small artefact to MCP clients from a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcp.client.stdio import StdioServerParameters

from tests.plugin.running import command


def over_stdio(folder: Path, *options: str) -> StdioServerParameters:
    """Return how a host starts the server."""
    name, *arguments = command("mcp", folder, *options)
    return StdioServerParameters(command=name, args=arguments)


@contextmanager
def over_http(folder: Path, *options: str, token: str | None = None) -> Iterator[str]:
    """Start an HTTP server on a free port, and yield its address."""
    env = {**os.environ} | ({"WHYTHIS_MCP_TOKEN": token} if token else {})
    with subprocess.Popen(
        command("mcp", folder, "--http", "--port", "0", *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as server:
        assert server.stderr is not None
        try:
            lines = []
            for line in server.stderr:
                lines.append(line)
                if line.startswith("serving http"):
                    yield line.split()[1]
                    break
            else:
                raise AssertionError("".join(lines))
        finally:
            server.terminate()
            server.communicate(timeout=30)
