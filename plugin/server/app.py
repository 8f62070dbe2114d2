"""Put the server together: endpoints, keys, limits, records."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from whythis.server import asking, chat_completions, explaining, health
from whythis.server.config import ServerConfig, check_reach
from whythis.server.edge import Edge
from whythis.server.errors import handle_errors
from whythis.server.keys import guard, load_keys
from whythis.server.limits import Rates
from whythis.server.logs import open_log
from whythis.server.service import Service
from whythis.server.tracing import Tracing, open_tracing

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

_ABOUT = (
    'Answers "why this?" about recommendations with sentences whose every claim was executed and '
    "checked. With keys, each request carries `Authorization: Bearer KEY`."
)


def create_app(
    assistant: WhyThis,
    config: ServerConfig,
    *,
    tracing: Tracing | None = None,
    log: logging.Logger | None = None,
    close: Callable[[], None] | None = None,
) -> FastAPI:
    """Return the server's application for one assistant, which stays the caller's to close.

    tracing, log: in place of those that `config` asks for. close: called when the app ends.

    Raises `DataError` for a host that others can reach without keys, and what `load_keys` and
    `open_tracing` raise.
    """
    check_reach(config)
    keys = None if config.keys is None else load_keys(config.keys)
    service = Service(assistant, config, tracing or open_tracing(config.otel), log or open_log())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()
        if close is not None:
            close()

    app = FastAPI(
        title="whythis",
        description=_ABOUT,
        version=version("whythis"),
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        middleware=[Middleware(Edge, config=config, record=service.record)],
    )
    app.state.assistant, app.state.config, app.state.keys = assistant, config, keys
    app.state.rates, app.state.service = Rates(config.rate, config.burst), service
    handle_errors(app)
    for part in (explaining, asking, chat_completions, health):
        app.include_router(part.routes(service))
    if config.page:
        from whythis.server.page import page

        app.include_router(page(assistant, guard))
    return app
