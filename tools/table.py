"""List every probe once, with the arguments an agent may choose; adapters are made from this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from whythis.tools import probes
from whythis.tools.evidence import Evidence


class _Args(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfUser(_Args):
    """Name a user."""

    user: str = Field(description="user id")


class OfPair(OfUser):
    """Name a user and an item the user has not seen."""

    item: str = Field(description="item id")


class Listing(OfUser):
    """Ask for the best `n` items of a user."""

    n: int = Field(10, ge=1, le=100, description="how many")


class Removing(OfPair):
    """Name liked items to forget."""

    forget: tuple[str, ...] = Field(
        min_length=1, max_length=20, description="ids or exact titles of liked items"
    )


class Asking(OfPair):
    """Say what the reviews should speak about."""

    about: str | None = Field(None, max_length=200, description="a few words; default: the taste")
    n: int = Field(2, ge=1, le=10, description="how many favourable sentences")


class OfItem(_Args):
    """Name an item."""

    item: str = Field(description="item id")
    n: int = Field(5, ge=1, le=50, description="how many")


@dataclass(frozen=True)
class Tool:
    """Hold a probe as an agent meets it: name, one sentence, argument schema, function."""

    name: str
    description: str
    args: type[BaseModel]
    run: Callable[..., tuple[Evidence, ...]]


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool(
                "recommendations",
                "List the user's best unseen items.",
                Listing,
                probes.recommendations,
            ),
            Tool(
                "profile",
                "Describe the user's tastes (personas) and what each is made of.",
                OfUser,
                probes.profile,
            ),
            Tool(
                "personas",
                "Measure what each of the user's tastes does to one item.",
                OfPair,
                probes.personas,
            ),
            Tool(
                "history",
                "Find the liked items that the recommendation hangs on.",
                OfPair,
                probes.history,
            ),
            Tool(
                "what_if",
                "Score the item again with some liked items forgotten.",
                Removing,
                probes.what_if,
            ),
            Tool(
                "reviews",
                "Find what reviewers say about the item, word for word.",
                Asking,
                probes.reviews,
            ),
            Tool(
                "facts",
                "Count the item's ratings and likes, and give its rank.",
                OfPair,
                probes.facts,
            ),
            Tool(
                "neighbours", "List the items most similar to one item.", OfItem, probes.neighbours
            ),
        )
    }
)
