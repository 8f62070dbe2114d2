"""Bound what one request and one key may ask: size and form of bodies, requests a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from whythis.recsys.errors import DataError
from whythis.server.errors import Refused
from whythis.server.keys import known
from whythis.strict_json import strict_json


class Rates:
    """Let each key make so many requests a second: a token bucket a key."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Refill `rate` tokens a second, up to `burst`."""
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._left: dict[str, tuple[float, float]] = {}  # tokens, when counted

    def take(self, key: str) -> None:
        """Take a token of a key; raises `Refused` with 429 and `Retry-After` where none is left."""
        now = self._clock()
        left, since = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        if left < 1:
            self._left[key] = (left, now)
            raise too_many("this key asks too often", (1 - left) / self._rate)
        self._left[key] = (left - 1, now)


def too_many(message: str, seconds: float) -> Refused:
    """Return a refusal that says when to come again."""
    wait = max(1, math.ceil(seconds))
    told = f"{message}: try again in {wait} s"
    return Refused(429, "too_many_requests", told, {"Retry-After": str(wait)})


def check_depth(data: object, most: int) -> None:
    """Raise `Refused` (400) for JSON that is nested deeper than `most` lists and objects."""
    level = [data]
    for _ in range(most):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    if any(isinstance(one, (dict, list)) for one in level):
        raise Refused(400, "invalid_request", f"the JSON is nested deeper than {most} levels")


class _StrictRequest(Request):
    """Read a body as strict JSON: no key twice, no NaN, not too deep."""

    async def json(self) -> Any:
        content = await self.body()
        try:
            found = strict_json(content)
        except DataError as error:
            raise Refused(400, "invalid_request", str(error)) from error
        check_depth(found, self.app.state.config.depth)
        return found


class StrictRoute(APIRoute):
    """Route requests whose bodies are strict JSON, sent as such.

    A form or plain text is refused: a page of another site could send these without asking first.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler over a request that reads strictly."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            await known(request)  # before anything of the body is read
            if request.method == "POST":
                sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if sent != "application/json":
                    raise Refused(
                        415, "unsupported_media_type", "send JSON, as Content-Type application/json"
                    )
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict
