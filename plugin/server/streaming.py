"""Send server-sent events: what a client reads while an answer comes about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from whythis.server.answers import encoded

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def described(example: str) -> dict[str, Any]:
    """Return what OpenAPI says of a stream: its `itemSchema` is that of one event."""
    text = {"type": "string"}
    one = {"type": "object", "required": ["data"], "properties": {"event": text, "data": text}}
    return {"text/event-stream": {"itemSchema": one, "example": example}}


def event(data: object, name: str | None = None) -> bytes:
    """Return one event with JSON as its data, which holds no line end."""
    head = b"" if name is None else f"event: {name}\n".encode()
    return head + b"data: " + encoded(data) + b"\n\n"


def comment(word: str) -> bytes:
    """Return a line that clients skip: it shows that the connection lives."""
    return f": {word}\n\n".encode()


def events(parts: AsyncIterator[bytes]) -> StreamingResponse:
    """Return the response that sends the events as they come."""
    return StreamingResponse(parts, media_type="text/event-stream", headers=HEADERS)
