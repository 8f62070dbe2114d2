"""Answer for a caller: in the right lane, for users of its own, and counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from fastapi import Request
from starlette.types import Scope

from whythis.conversation.reply import Done, Event
from whythis.conversation.session import Session
from whythis.server.answers import Figures, figures
from whythis.server.config import ServerConfig
from whythis.server.errors import Refused, refusal
from whythis.server.keys import Caller
from whythis.server.logs import log_event
from whythis.server.metrics import Metrics
from whythis.server.tracing import Tracing, tell
from whythis.server.work import Lane, Stream, Turn

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

T = TypeVar("T")


class Service:
    """Hold the parts of one running server; made by `create_app`, closed by `close`."""

    def __init__(
        self, assistant: WhyThis, config: ServerConfig, tracing: Tracing, log: logging.Logger
    ) -> None:
        """Take the assistant; two lanes are made, one for its language model."""
        self.assistant, self.config = assistant, config
        self._tracing, self._log = tracing, log
        self._plain = Lane("plain", config.threads, config.waiting, config.queue, config.seconds)
        self._model = Lane("model", 1, config.waiting, config.queue, config.model_seconds)
        self.metrics = Metrics((self._plain, self._model))
        self.ready = True

    def lane(self, llm: bool) -> Lane:
        """Return where an answer is computed; `llm`: a language model would be asked."""
        return self._model if llm and self.assistant.writer is not None else self._plain

    def allow(self, caller: Caller, user: str) -> None:
        """Refuse a user that is not the caller's (403), or that the data do not hold (404)."""
        caller.may(user)
        # Elsewhere the message names users of like ids, who may be others' users.
        if user not in self.assistant.ws.recommender.user_ids:
            raise Refused(404, "unknown_id", "no such user")

    def item(self, item: str) -> str:
        """Return the id of an item given by id or title; raises `UnknownIdError`."""
        return self.assistant.ws.recommender.item_ids.resolve(item)

    async def answer(
        self,
        request: Request,
        turn: Turn,
        operation: str,
        compute: Callable[[], tuple[T, Figures | None]],
        *,
        llm: bool,
    ) -> T:
        """Return what is computed, beside its figures, in a thread; raises as `Lane.run`."""
        with self._tracing.span(operation, request.state.request_id) as span:
            found, counted = await self.lane(llm).run(turn, compute)
            if counted is not None:
                tell(span, counted)
                self._count(counted)
        return found

    async def converse(
        self,
        request: Request,
        turn: Turn,
        text: str,
        session: Callable[[], Session | None],
        operation: str,
    ) -> AsyncGenerator[Event, None]:
        """Return the events of an answer; raises what goes wrong before the first of them.

        session: gives the state before the question, in the thread that answers.
        """
        assistant = self.assistant

        def make() -> Iterator[Event]:
            return assistant.stream(turn.user, text, session())

        stream: Stream[Event] = await self.lane(True).stream(turn, make)
        events = self._events(stream, operation, request.state.request_id)
        try:
            first = await anext(events)
        except StopAsyncIteration:
            raise Refused(500, "internal", "the assistant gave no answer") from None
        except asyncio.CancelledError:
            stream.stop()
            raise
        return _chained(first, events)

    async def _events(
        self, stream: Stream[Event], operation: str, request_id: str
    ) -> AsyncGenerator[Event, None]:
        with self._tracing.span(operation, request_id) as span:
            async with aclosing(stream.read()) as read:
                async for event in read:
                    if isinstance(event, Done):
                        counted = figures(event.reply)
                        tell(span, counted)
                        self._count(counted)
                    yield event

    def _count(self, counted: Figures) -> None:
        self.metrics.claims(outcome for _, outcome in counted.verdicts)
        if counted.failed:
            self.metrics.failure()
            log_event(self._log, "language_model_failed")

    def broke_off(self, error: Exception, request_id: str) -> None:
        """Log that a streamed answer ended with an error."""
        unforeseen = not isinstance(error, Refused) and refusal(error).type == "internal"
        log_event(
            self._log,
            "stream_broke_off",
            error if unforeseen else None,
            request_id=request_id,
            reason=refusal(error).type,
        )

    def record(
        self,
        scope: Scope,
        request_id: str,
        status: int,
        seconds: float,
        error: BaseException | None,
    ) -> None:
        """Log and count a request that is over."""
        route = getattr(scope.get("route"), "path", "other")
        state = scope.get("state", {})
        caller = state.get("caller")
        self.metrics.request(scope["method"], route, status, seconds)
        log_event(
            self._log,
            "request",
            error,
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            ms=round(1000 * seconds, 1),
            key=None if caller is None else caller.name,
        )

    def close(self) -> None:
        """Start nothing more."""
        self.ready = False
        self._plain.close()
        self._model.close()
        self._tracing.close()


async def _chained(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    try:
        yield first
        async for one in rest:
            yield one
    finally:
        await rest.aclose()
