"""`/healthz`, `/readyz` and `/metrics`: what those who run the server ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from whythis.server.errors import Refused
from whythis.server.keys import Caller, guard
from whythis.server.messages import Responses, failures
from whythis.server.service import Service


class Health(BaseModel):
    """Say that the server runs."""

    status: str = "ok"


class Ready(BaseModel):
    """Say what the server answers from."""

    status: str = "ready"
    model_hash: str
    data_hash: str
    reviews: bool


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter()
    figures: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    figures |= {status: failures()[status] for status in (401, 403, 429)}

    @router.get("/healthz", summary="Does it run?")
    async def healthz() -> Health:
        """Answer as long as the process lives."""
        return Health()

    @router.get("/readyz", summary="Can it answer?", responses={503: failures()[503]})
    async def readyz() -> Ready:
        """Answer with what it was opened on; 503 while it stops."""
        if not service.ready:
            raise Refused(503, "stopping", "the server is stopping")
        ws = service.assistant.ws
        hashes = ws.recommender.hashes
        return Ready(
            model_hash=hashes["model"], data_hash=hashes["data"], reviews=ws.reviews is not None
        )

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses=figures,
    )
    async def metrics(caller: Annotated[Caller, Depends(guard)]) -> Response:
        """Return the figures of this process, to a key that may see all users."""
        if caller.users is not None:
            raise Refused(403, "forbidden", "metrics need a key for all users")
        content, kind = service.metrics.text()
        return Response(content, headers={"Content-Type": kind})

    return router
