"""`/v1/explain`, `/v1/recommend` and `/v1/audit`: one question, one answer in JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from whythis.server.answers import Figures, encoded, figures, reply, seen_by
from whythis.server.keys import Caller, guard
from whythis.server.limits import StrictRoute
from whythis.server.messages import AuditRequest, ExplainRequest, RecommendRequest, failures
from whythis.server.service import Service
from whythis.server.work import Turn

Guarded = Annotated[Caller, Depends(guard)]


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=failures())
    assistant = service.assistant

    @router.post("/explain", summary="Why is this recommended?")
    async def explain(asked: ExplainRequest, request: Request, caller: Guarded) -> Response:
        """Explain why an unseen item stands where it does; every claim is executed and checked."""
        service.allow(caller, asked.user)

        def compute() -> tuple[bytes, Figures]:
            found = assistant.explain(
                asked.user,
                service.item(asked.item),
                style=asked.style,
                seed=asked.seed,
                written=asked.llm,
            )
            return encoded(seen_by(caller, found.as_json())), figures(found)

        turn = Turn(caller.name, asked.user)
        return reply(await service.answer(request, turn, "explain", compute, llm=asked.llm))

    @router.post("/recommend", summary="What is recommended?")
    async def recommend(asked: RecommendRequest, request: Request, caller: Guarded) -> Response:
        """List the unseen items that rank highest for a user."""
        service.allow(caller, asked.user)

        def compute() -> tuple[bytes, None]:
            found = assistant.recommend(asked.user, asked.n)
            items = [_plain(one) for one in found]
            return encoded({"user": asked.user, "items": items}), None

        turn = Turn(caller.name, asked.user)
        return reply(await service.answer(request, turn, "recommend", compute, llm=False))

    @router.post("/audit", summary="Is this explanation true?")
    async def audit(asked: AuditRequest, request: Request, caller: Guarded) -> Response:
        """Judge each sentence of a text about a recommendation by executing what it asserts."""
        service.allow(caller, asked.user)

        def compute() -> tuple[bytes, None]:
            found = assistant.audit(asked.user, service.item(asked.item), asked.text)
            return encoded(found.as_json()), None

        turn = Turn(caller.name, asked.user)
        return reply(await service.answer(request, turn, "audit", compute, llm=True))

    return router


def _plain(one: object) -> dict[str, Any]:
    found = one.model_dump() if isinstance(one, BaseModel) else asdict(one)  # type: ignore[call-overload]
    return {name: found[name] for name in ("item", "title", "rank", "score")}
