"""Stand between the network and the app: request ids, sizes, security headers, one record each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whythis.server.config import ServerConfig, is_loopback
from whythis.server.errors import Refused, body, refusal

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Set on every response that does not set them itself."""

Record = Callable[[Scope, str, int, float, BaseException | None], None]
"""Called after each request: scope, request id, status (0: the client was gone), seconds, error."""


class Edge:
    """Wrap an app; whatever it raises becomes an answer without a word of what was raised."""

    def __init__(self, app: ASGIApp, config: ServerConfig, record: Record) -> None:
        """Take the app and who keeps the records."""
        self._app, self._config, self._record = app, config, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id_, start = uuid4().hex, time.perf_counter()
        scope.setdefault("state", {})["request_id"] = id_
        status, error = 0, None

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = id_
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(Headers(scope=scope))
            await self._app(scope, self._bounded(receive), sent)
        except Exception as raised:  # noqa: BLE001
            refused = refusal(raised)
            error = None if refused is raised else raised
            if status == 0:
                await _answer(sent, refused, scope["path"], id_)
        finally:
            self._record(scope, id_, status, time.perf_counter() - start, error)

    def _check(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._config.body_bytes:
            raise self._too_large()
        if self._config.keys is None:
            # A page of another site, its name pointing here, would be let in as a local caller.
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
            origin = headers.get("origin")
            if not is_loopback(host):
                raise Refused(421, "misdirected", "ask this server by the name localhost")
            if origin is not None and not is_loopback(urlsplit(origin).hostname or ""):
                raise Refused(403, "forbidden", "pages of other sites may not ask this server")

    def _bounded(self, receive: Receive) -> Receive:
        got, whole = 0, False

        async def bounded() -> Message:
            nonlocal got, whole
            if whole:  # what may still come is that the client is gone
                return await receive()
            try:
                async with asyncio.timeout(self._config.seconds):
                    message = await receive()
            except TimeoutError:
                raise Refused(408, "timeout", "the body did not arrive in time") from None
            whole = not message.get("more_body", False)
            got += len(message.get("body", b""))
            if got > self._config.body_bytes:
                raise self._too_large()
            return message

        return bounded

    def _too_large(self) -> Refused:
        most = self._config.body_bytes
        return Refused(413, "too_large", f"a body may hold {most:,} bytes at most")


async def _answer(send: Send, refused: Refused, path: str, id_: str) -> None:
    content = json.dumps(body(refused, path, id_)).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        **(refused.headers or {}),
    }
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refused.status_code, "headers": listed})
    await send({"type": "http.response.body", "body": content})
