"""Name what a question can ask for, and what a router makes of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from whythis.conversation.items import Catalogue

Intent = Literal[
    "why",
    "why_not",
    "why_over",
    "what_if",
    "opinions",
    "profile",
    "more_like",
    "less_of",
    "contest",
    "undo",
    "recommend",
    "help",
    "unrelated",
]
INTENTS: tuple[Intent, ...] = get_args(Intent)


class Route(BaseModel):
    """Hold what a question asks for.

    items: ids of the items it names or refers back to, in its order. personas: indices of the
    user's personas it names. about: for opinions, what they are asked of, in the user's own words.
    confidence: 0..1; below `routing.THRESHOLD` the assistant asks back. unclear: what could not be
    told, in the user's words, or a word for what is missing. choices: the item ids it could have
    meant, best first. note: why a fallback decided, where one did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: Intent
    items: tuple[str, ...] = ()
    personas: tuple[int, ...] = ()
    about: str | None = None
    confidence: float = Field(ge=0, le=1)
    unclear: str | None = None
    choices: tuple[str, ...] = ()
    note: str | None = None


class Context(BaseModel):
    """Hold what a question may refer back to.

    shown: item ids of the last list shown, in order. focus: the item last spoken of. other: the
    item it was compared with. personas: the names of the user's personas by index.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    shown: tuple[str, ...] = ()
    focus: str | None = None
    other: str | None = None
    personas: tuple[str, ...] = ()


class Router(Protocol):
    """Tell what a question asks for."""

    @property
    def name(self) -> str:
        """Return the name under which it is reported."""
        ...

    def route(self, text: str, context: Context, catalogue: Catalogue) -> Route:
        """Return what a question asks for; the text is hostile and never executed."""
        ...
