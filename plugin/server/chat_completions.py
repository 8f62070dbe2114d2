"""`/v1/chat/completions` and `/v1/models`: OpenAI's endpoints, for any chat client."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response

from whythis.conversation.reply import Done, Event, Reply, Said, Step
from whythis.conversation.session import Session
from whythis.server.answers import encoded, figures, reply, seen_by
from whythis.server.chat_text import said, shown, written
from whythis.server.errors import Refused, body, refusal
from whythis.server.keys import Caller, guard
from whythis.server.limits import StrictRoute
from whythis.server.messages import OpenAIErrorReply, Responses, failures
from whythis.server.openai_messages import MODEL, ChatRequest, Message, chunk, completion, usage
from whythis.server.service import Service
from whythis.server.streaming import comment, described, event, events
from whythis.server.transcript import Sessions
from whythis.server.work import Turn

_MOST_MODELS = 1_000
_LONGEST = 4_000
_STREAM: Responses = {
    200: {
        "content": described('data: {"object":"chat.completion.chunk"}\n\ndata: [DONE]\n\n'),
        "description": "The completion; with `stream`, its chunks as server-sent events.",
    }
}
Guarded = Annotated[Caller, Depends(guard)]


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=failures(OpenAIErrorReply))
    sessions = Sessions()

    @router.get("/models", summary="OpenAI: which models are there?")
    async def models(caller: Guarded) -> Response:
        """List the model, and one more for each user that the key names."""
        users = sorted(caller.users or ())[:_MOST_MODELS]
        names = [MODEL, *(f"{MODEL}:{user}" for user in users)]
        listed = [
            {"id": name, "object": "model", "created": 0, "owned_by": MODEL} for name in names
        ]
        return reply(encoded({"object": "list", "data": listed}))

    @router.post("/chat/completions", summary="OpenAI: converse", responses=_STREAM)
    async def chat(asked: ChatRequest, request: Request, caller: Guarded) -> Response:
        """Answer the last message; citations stand in the field `whythis` of the answer."""
        user = _user(asked, caller)
        service.allow(caller, user)
        before, question = _question(asked.messages)
        turn = Turn(caller.name, user)

        def state() -> Session | None:
            return sessions.after(caller.name, user, before, service.assistant.ws.recommender)

        def remember(found: Reply, text: str) -> None:
            sessions.remember(caller.name, user, asked.messages, text, found.session)

        id_, created = f"chatcmpl-{uuid4().hex}", int(time.time())
        if asked.stream:
            answer = await service.converse(request, turn, question, state, "chat")
            parts = _streamed(
                answer, _Form(id_, created, asked, caller), remember, request, service
            )
            return events(parts)

        def compute() -> tuple[bytes, Any]:
            found = service.assistant.ask(user, question, state())
            text = written(found)
            remember(found, text)
            plain = completion(
                id_,
                created,
                asked.model,
                content=text,
                usage=usage(asked, text),
                whythis=seen_by(caller, found.as_json()),
            )
            return encoded(plain), figures(found)

        return reply(await service.answer(request, turn, "chat", compute, llm=True))

    return router


class _Form:
    """Write the chunks of one streamed answer."""

    def __init__(self, id_: str, created: int, asked: ChatRequest, caller: Caller) -> None:
        self._head = (id_, created, asked.model)
        self._asked, self._caller = asked, caller
        self._wants_usage = bool(asked.stream_options and asked.stream_options.include_usage)

    def begin(self) -> bytes:
        return event(chunk(*self._head, {"role": "assistant", "content": ""}))

    def text(self, words: str) -> bytes:
        return event(chunk(*self._head, {"content": words}))

    def end(self, found: Reply, text: str) -> bytes:
        last = chunk(*self._head, {}, end=True)
        parts = [event({**last, "whythis": seen_by(self._caller, found.as_json())})]
        if self._wants_usage:
            parts.append(event({**chunk(*self._head, None), "usage": usage(self._asked, text)}))
        return b"".join([*parts, b"data: [DONE]\n\n"])


async def _streamed(
    answer: AsyncGenerator[Event, None],
    form: _Form,
    remember: Callable[[Reply, str], None],
    request: Request,
    service: Service,
) -> AsyncIterator[bytes]:
    yield form.begin()
    text = ""
    try:
        async with aclosing(answer) as all_:
            async for one in all_:
                match one:
                    case Said():
                        words = said(one.sentence.text, not text)
                        text += words
                        yield form.text(words)
                    case Done():
                        if rest := shown(one.reply):
                            text += rest
                            yield form.text(rest)
                        remember(one.reply, text)
                        yield form.end(one.reply, text)
                    case Step():
                        yield comment("step")
    except Exception as error:  # noqa: BLE001
        service.broke_off(error, request.state.request_id)
        yield event(body(refusal(error), request.url.path, request.state.request_id))


def _user(asked: ChatRequest, caller: Caller) -> str:
    """Return whom a request is about: the model's name says it, or `user`, or the key."""
    name, _, named = asked.model.partition(":")
    if name != MODEL:
        raise Refused(
            404, "model_not_found", f"there is no such model: use {MODEL} or {MODEL}:USER"
        )
    if named and asked.user and named != asked.user:
        raise Refused(400, "invalid_request", "`model` and `user` name different users")
    only = next(iter(caller.users)) if caller.users and len(caller.users) == 1 else None
    user = named or asked.user or only
    if user is None:
        raise Refused(
            400, "invalid_request", f"say whom it is about: model {MODEL}:USER, or the field `user`"
        )
    return user


def _question(messages: Sequence[Message]) -> tuple[Sequence[Message], str]:
    """Return the messages before the last of the user, and its text."""
    last = messages[-1]
    if last.role != "user" or not last.words.strip():
        raise Refused(400, "invalid_request", "the last message must be the user's, and be text")
    if len(last.words) > _LONGEST:
        raise Refused(400, "invalid_request", f"a question has {_LONGEST:,} characters at most")
    return messages[:-1], last.words
