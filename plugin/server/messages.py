"""Name what requests hold, each with an example; a field that is not known is refused."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from whythis.conversation.session import Session
from whythis.text.realiser import Style

UserId = Annotated[str, Field(min_length=1, max_length=200, description="The user's id.")]
Item = Annotated[
    str, Field(min_length=1, max_length=300, description="The item's id, or its title in full.")
]
Text = Annotated[str, Field(min_length=1, max_length=4_000)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExplainRequest(_Request):
    """Ask why an unseen item stands where it does."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": "42", "item": "393", "style": "plain"}]}
    )

    user: UserId
    item: Item
    style: Style = "plain"
    seed: int = Field(default=0, ge=0, lt=2**31, description="Equal seeds word alike.")
    llm: bool = Field(default=True, description="False: without the server's language model.")


class RecommendRequest(_Request):
    """Ask for the unseen items that rank highest."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "42", "n": 5}]})

    user: UserId
    n: int = Field(default=10, ge=1, le=100)


class AskRequest(_Request):
    """Ask anything in a conversation; `session` is what the last answer gave back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": "42", "text": "What do you recommend me?"}]}
    )

    user: UserId
    text: Text
    session: Session | None = None


class AuditRequest(_Request):
    """Ask whether a text about a recommendation is true."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user": "42", "item": "393", "text": "It ranks 1st for you."}]
        }
    )

    user: UserId
    item: Item
    text: str = Field(min_length=1, max_length=20_000)


class ErrorBody(BaseModel):
    """Say what went wrong: a type for programs, one line for people, the request's id."""

    type: str
    message: str
    request_id: str


class ErrorReply(BaseModel):
    """Answer with an error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "type": "unknown_id",
                        "message": "no item '9999'",
                        "request_id": "6f1d0c9be3f14f0c8d7f6a4a1c2b3d4e",
                    }
                }
            ]
        }
    )

    error: ErrorBody


class OpenAIErrorBody(BaseModel):
    """Say what went wrong as OpenAI's endpoints do."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIErrorReply(BaseModel):
    """Answer with an error as OpenAI's endpoints do."""

    error: OpenAIErrorBody


Responses = dict[int | str, dict[str, Any]]


def failures(model: type[BaseModel] = ErrorReply) -> Responses:
    """Return the description of every refusal that an endpoint may answer with."""
    told = {
        400: "No JSON, or JSON with a key twice, NaN, or nested too deep",
        401: "No valid API key",
        403: "The key may not ask for this user",
        404: "No such user or item",
        413: "The body is too large",
        415: "The body is not sent as JSON",
        422: "A field is absent or wrong, or the item was seen already",
        429: "Too many requests; `Retry-After` says when to come again",
        503: "A part is missing, such as the review store",
        504: "The answer took too long",
    }
    return {status: {"model": model, "description": about} for status, about in told.items()}
