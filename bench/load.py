"""Ask a server on this machine over and over, as many at once as there are connections."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
_REUSED = 5  # requests a connection: then another, so that all workers get their part


@dataclass
class Load:
    """Hold what came of it: seconds of each answer, by who asked, and what failed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    took: float = 0.0

    @property
    def all(self) -> list[float]:
        """Return the seconds of every answer."""
        return [one for many in self.seconds.values() for one in many]


async def closed(
    port: int, path: str, askers: Mapping[str, Iterator[dict[str, Any]]], seconds: float
) -> Load:
    """Let each asker ask its next question when its last is answered, for so many seconds."""
    load, start = Load(), time.perf_counter()
    end = start + seconds

    async def ask(name: str, questions: Iterator[dict[str, Any]]) -> None:
        took = load.seconds.setdefault(name, [])
        connection, used = await Connection.open(port), 0
        try:
            for question in questions:
                if time.perf_counter() >= end:
                    return
                if used == _REUSED:
                    await connection.close()
                    connection, used = await Connection.open(port), 0
                before = time.perf_counter()
                status, body = await connection.post(path, question)
                used += 1
                if status == 200:
                    took.append(time.perf_counter() - before)
                else:
                    load.failed.append(f"{status} {body[:200]!r}")
            raise RuntimeError("there are too few questions for so long a time")
        finally:
            await connection.close()

    await asyncio.gather(*(ask(*asker) for asker in askers.items()))
    load.took = time.perf_counter() - start
    return load


class Connection:
    """Speak HTTP/1.1 with little work of our own: the machine is the server's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to a port of this machine."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def post(self, path: str, data: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        self._send(path, data, "application/json")
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    async def events(self, path: str, data: Mapping[str, Any]) -> list[tuple[str, float]]:
        """Return the names of the events of a streamed answer, and after how many seconds."""
        start, found = time.perf_counter(), []
        self._send(path, data, "text/event-stream")
        while line := await self._reader.readline():
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
                found.append((name, time.perf_counter() - start))
                if name in ("done", "error"):
                    break
        await self.close()
        return found

    def _send(self, path: str, data: Mapping[str, Any], accept: str) -> None:
        body = json.dumps(data).encode()
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()
