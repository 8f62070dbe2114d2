"""`/v1/ask`: a conversation, answered in one piece or as it comes about."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from whythis.conversation.reply import Done, Event, EvidenceFound, Said, Step
from whythis.server.answers import Figures, encoded, figures, record_for, reply, seen_by
from whythis.server.errors import Refused, body, refusal
from whythis.server.keys import Caller, guard
from whythis.server.limits import StrictRoute
from whythis.server.messages import AskRequest, Responses, failures
from whythis.server.service import Service
from whythis.server.streaming import described, event, events
from whythis.server.work import Turn

_STREAM: Responses = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **described('event: step\ndata: {"name":"route","text":"reading"}\n\n'),
        },
        "description": "The reply; asked for text/event-stream, the events step, evidence, "
        "sentence, done and error.",
    }
}


def routes(service: Service) -> APIRouter:
    """Return the endpoint."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=failures())

    @router.post("/ask", summary="Ask anything", responses=_STREAM)
    async def ask(
        asked: AskRequest, request: Request, caller: Annotated[Caller, Depends(guard)]
    ) -> Response:
        """Answer a question in a conversation; sentences are sent once they are checked."""
        service.allow(caller, asked.user)
        if asked.session is not None and asked.session.user != asked.user:
            raise Refused(422, "invalid_request", "the session is another user's")
        turn = Turn(caller.name, asked.user)
        if "text/event-stream" in request.headers.get("accept", ""):
            answer = await service.converse(request, turn, asked.text, lambda: asked.session, "ask")
            return events(_told(answer, caller, request, service))

        def compute() -> tuple[bytes, Figures]:
            found = service.assistant.ask(asked.user, asked.text, asked.session)
            return encoded(seen_by(caller, found.as_json())), figures(found)

        return reply(await service.answer(request, turn, "ask", compute, llm=True))

    return router


async def _told(
    answer: AsyncGenerator[Event, None], caller: Caller, request: Request, service: Service
) -> AsyncIterator[bytes]:
    try:
        async with aclosing(answer) as all_:
            async for one in all_:
                yield event(*_named(one, caller))
    except Exception as error:  # noqa: BLE001
        service.broke_off(error, request.state.request_id)
        yield event(body(refusal(error), "", request.state.request_id), "error")


def _named(one: Event, caller: Caller) -> tuple[dict[str, Any], str]:
    match one:
        case Step():
            return one.model_dump(mode="json"), "step"
        case EvidenceFound():
            return record_for(caller, one.record.model_dump(mode="json")), "evidence"
        case Said():
            return one.sentence.model_dump(mode="json"), "sentence"
        case Done():
            return seen_by(caller, one.reply.as_json()), "done"
