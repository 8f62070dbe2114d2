"""Say what went wrong in one shape of JSON, and on OpenAI's endpoints in OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from whythis.recsys.errors import (
    ArtefactError,
    DataError,
    LanguageModelError,
    MissingPartError,
    ModelError,
    UnknownIdError,
    WhyThisError,
)

_STATUS: Mapping[type[WhyThisError], tuple[int, str]] = {
    UnknownIdError: (404, "unknown_id"),
    DataError: (422, "invalid_request"),
    MissingPartError: (503, "missing_part"),
    LanguageModelError: (503, "language_model"),
    ArtefactError: (503, "artefact"),
    ModelError: (500, "model"),
}
_NAMES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
}
_OPENAI = ("/v1/chat/", "/v1/models")
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Refused(HTTPException):
    """Refuse a request: an HTTP status, a type for programs, one line for people."""

    def __init__(
        self, status: int, type_: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take what the client is told."""
        super().__init__(status, message, dict(headers or {}))
        self.type = type_


def refusal(error: BaseException) -> Refused:
    """Return what a client is told of an error; of one that nobody foresaw, nothing but that."""
    if isinstance(error, Refused):
        return error
    for kind, (status, name) in _STATUS.items():
        if isinstance(error, kind):
            return Refused(status, name, str(error))
    if isinstance(error, OSError):
        what = error.strerror or type(error).__name__
        return Refused(503, "storage", f"the server cannot read or write its files: {what}")
    return Refused(500, "internal", "the server failed; its log has this request's id")


def body(refused: Refused, path: str, request_id: str) -> dict[str, Any]:
    """Return the JSON of a refusal, in the shape of the endpoint."""
    if not path.startswith(_OPENAI):
        told = {"type": refused.type, "message": refused.detail, "request_id": request_id}
        return {"error": told}
    server = "server_error" if refused.status_code >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": refused.detail,
            "type": _OPENAI_TYPES.get(refused.status_code, server),
            "param": None,
            "code": refused.type,
        }
    }


def handle_errors(app: FastAPI) -> None:
    """Let the app answer every error in these shapes."""

    def told(request: Request, refused: Refused) -> JSONResponse:
        request.state.error = refused.type
        content = body(refused, request.url.path, getattr(request.state, "request_id", ""))
        return JSONResponse(content, refused.status_code, refused.headers)

    async def ours(request: Request, error: Exception) -> JSONResponse:
        return told(request, refusal(error))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        name = _NAMES.get(error.status_code, "invalid_request")
        return told(
            request, Refused(error.status_code, name, str(error.detail), error.headers or {})
        )

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return told(request, Refused(422, "invalid_request", _first(error)))

    for kind in (Refused, WhyThisError, OSError):
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _first(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part)[:40] for part in first["loc"] if part != "body")
    return f"{where or 'the body'}: {first['msg']}"
