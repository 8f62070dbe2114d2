"""Serve the web page and the JSON that it needs; what it shows is executed by the server."""

# No `from __future__ import annotations` here: FastAPI must see `Guarded` as it is.
from collections.abc import Awaitable, Callable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from whythis.conversation.reply import Reply
from whythis.recsys.errors import DataError
from whythis.server.answers import Figures, encoded, figures, reply
from whythis.server.keys import Caller
from whythis.server.limits import StrictRoute
from whythis.server.messages import ExplainRequest, UserId, failures
from whythis.server.service import Service
from whythis.server.work import Turn
from whythis.web.card import card, reply_card
from whythis.web.picture import MOST
from whythis.web.state import people, state, what_if

if TYPE_CHECKING:
    from whythis.conversation.assistant import WhyThis

FILES = {
    "index.html": "text/html",
    "icon.svg": "image/svg+xml",
    "style.css": "text/css",
    "app.js": "text/javascript",
    "server.js": "text/javascript",
    "paint.js": "text/javascript",
    "answer.js": "text/javascript",
    "list.js": "text/javascript",
    "switches.js": "text/javascript",
    "ask.js": "text/javascript",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Guard = Callable[[Request], Awaitable[Caller]]
Length = Annotated[int, Field(ge=1, le=MOST)]


class WhatIfRequest(BaseModel):
    """Ask for the list without some tastes and past items."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"user": "42", "without_personas": [0], "n": 10}]},
    )

    user: UserId
    without_personas: tuple[Annotated[int, Field(ge=0, lt=10_000)], ...] = Field((), max_length=100)
    without_items: tuple[Annotated[str, Field(max_length=200)], ...] = Field((), max_length=500)
    n: Length = 10


class ShowRequest(BaseModel):
    """Give a reply of `/v1/ask` back, to be laid out for reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reply: dict[str, Any]


def page(assistant: "WhyThis", guard: Guard) -> APIRouter:
    """Return the routes of the page, which anybody may load, and of its data, which `guard` guards.

    The application must hold a `Service` in `app.state.service`, as `create_app` makes it.
    """
    router = APIRouter()  # the files hold nothing of anybody: no key is asked for
    for name in FILES:
        _add_file(router, name)
    data = APIRouter(prefix="/v1/page", route_class=StrictRoute, responses=failures())
    Guarded = Annotated[Caller, Depends(guard)]

    @data.get("/users", summary="Whom may be shown?")
    async def users(
        caller: Guarded,
        search: Annotated[str, Query(max_length=200)] = "",
        n: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> Response:
        """List the first ids that hold `search`, among those that the caller may see."""
        return reply(encoded(people(assistant.ws.recommender, caller.users, search, n)))

    @data.get("/state", summary="What is shown of a person?")
    async def shown(
        request: Request,
        caller: Guarded,
        user: Annotated[UserId, Query()],
        n: Annotated[int, Query(ge=1, le=MOST)] = 10,
    ) -> Response:
        """Show a person's tastes, past items and list, with what each taste does to each item."""

        def compute() -> tuple[bytes, None]:
            found = state(assistant.ws, user, n)
            found["writer"] = assistant.writer.name if assistant.writer is not None else None
            return encoded(found), None

        return await _answer(request, caller, user, compute)

    @data.post("/what-if", summary="What changes with some tastes and past items off?")
    async def off(asked: WhatIfRequest, request: Request, caller: Guarded) -> Response:
        """Run the recommender without them and list the items, each with its rank before."""

        def compute() -> tuple[bytes, None]:
            found = what_if(
                assistant.ws, asked.user, asked.without_personas, asked.without_items, asked.n
            )
            return encoded(found), None

        return await _answer(request, caller, asked.user, compute)

    @data.post("/explain", summary="Why is this recommended? Laid out for reading")
    async def explain(asked: ExplainRequest, request: Request, caller: Guarded) -> Response:
        """Explain as `/v1/explain` does; claims and evidence are in words."""

        def compute() -> tuple[bytes, Figures]:
            item = assistant.ws.recommender.item_ids.resolve(asked.item)
            found = assistant.explain(
                asked.user, item, style=asked.style, seed=asked.seed, written=asked.llm
            )
            return encoded(card(found, assistant.ws)), figures(found)

        return await _answer(request, caller, asked.user, compute, llm=asked.llm)

    @data.post("/reply", summary="Lay out a reply for reading")
    async def told(asked: ShowRequest, request: Request, caller: Guarded) -> Response:
        """Lay out what `/v1/ask` answered: claims and evidence are in words."""
        given = Reply.from_json(asked.reply)
        if given.explanation is not None and given.explanation.user != given.user:
            raise DataError("this reply explains another user's list: ask again")

        def compute() -> tuple[bytes, None]:
            return encoded(reply_card(given, assistant.ws)), None

        return await _answer(request, caller, given.user, compute)

    router.include_router(data)
    return router


async def _answer(
    request: Request,
    caller: Caller,
    user: str,
    compute: Callable[[], tuple[bytes, Figures | None]],
    *,
    llm: bool = False,
) -> Response:
    service: Service = request.app.state.service
    service.allow(caller, user)
    turn = Turn(caller.name, user)
    return reply(await service.answer(request, turn, "page", compute, llm=llm))


def _add_file(router: APIRouter, name: str) -> None:
    async def file() -> Response:
        return Response(_read(name), media_type=FILES[name], headers=HEADERS)

    path = "/" if name == "index.html" else f"/page/{name}"
    router.add_api_route(path, file, methods=["GET"], include_in_schema=False)


@lru_cache(maxsize=len(FILES))
def _read(name: str) -> bytes:
    return files("whythis.web").joinpath(name).read_bytes()
