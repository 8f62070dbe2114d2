"""Run a server on the loopback interface, in this process, for real clients."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from whythis.conversation.assistant import WhyThis
from whythis.server.app import create_app
from whythis.server.config import ServerConfig
from whythis.server.keys import Key, new_key, write
from whythis.server.logs import open_log
from whythis.server.tracing import Tracing

USER, ITEM = "u01", "i00"


@dataclass
class Served:
    """Hold a running server: its address, its app, and the lines it logs."""

    url: str
    app: FastAPI
    lines: io.StringIO

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]


def quiet() -> tuple[logging.Logger, io.StringIO]:
    lines = io.StringIO()
    return open_log(lines), lines


@contextmanager
def serving(
    assistant: WhyThis, *, tracing: Tracing | None = None, **settings: Any
) -> Iterator[Served]:
    """Serve an assistant as it would be served to others, but for the page."""
    log, lines = quiet()
    config = ServerConfig(**{"page": False, "port": 0, **settings})
    app = create_app(assistant, config, tracing=tracing, log=log)
    with running(app) as url:
        yield Served(url, app, lines)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Run an app with uvicorn on a port of its own; yield its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{found.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def until(holds: Any, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)


def keys_of(path: Path, **users: Any) -> dict[str, str]:
    """Write a file of keys, each with its users, and return the keys by name."""
    secrets: dict[str, str] = {}
    kept: list[Key] = []
    for name, allowed in users.items():
        secrets[name], key = new_key(name, allowed)
        kept.append(key)
    write(path, kept)
    return secrets
