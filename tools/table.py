"""List every probe once, with the arguments an agent may choose; adapters are made from this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from whythis.tools import aspect_probes, catalogue, ladder, likes, mentions, probes, similarity
from whythis.tools.evidence import Evidence
from whythis.tools.memory import episodes, summary


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


class OfItemAlone(_Args):
    """Name an item and nothing more."""

    item: str = Field(description="item id")


class Some(OfPair):
    """Ask for the first `n` of what there is for the pair."""

    n: int = Field(3, ge=1, le=50, description="how many")


class Latest(OfUser):
    """Ask for the last `n` likes of a user."""

    n: int = Field(3, ge=1, le=50, description="how many")


class Beside(OfPair):
    """Name another item to compare with."""

    other: str = Field(description="id or exact title of another unseen item")


class OneWord(OfPair):
    """Name a word to look for."""

    word: str = Field(min_length=1, max_length=40, description="one word")


class Recalling(OfUser):
    """Say which past events to recall."""

    by: episodes.By = Field("recent", description="the latest, or the most similar to the item")
    item: str | None = Field(None, description="item id; needed for similar")
    n: int = Field(3, ge=1, le=50, description="how many")


class Nothing(_Args):
    """Take no argument."""


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
                "enough",
                "Find the few liked items that alone keep the item in the top.",
                OfPair,
                likes.enough,
            ),
            Tool(
                "contributions",
                "Take the item's score apart into what each liked item adds to it.",
                Some,
                likes.contributions,
            ),
            Tool("recent", "Recall what the user liked last.", Latest, likes.recent),
            Tool(
                "recall",
                "Recall past events, liked or not: the latest, or those most like an item.",
                Recalling,
                episodes.recall,
            ),
            Tool(
                "summary",
                "Sum up the user: tastes, typical items, what was rated low, aspects.",
                OfUser,
                summary.summary,
            ),
            Tool(
                "mentions",
                "Count the sentences of the item's reviews that hold a word.",
                OneWord,
                mentions.mentions,
            ),
            Tool(
                "own_words",
                "Count the sentences of the user's own reviews of other items that hold a word.",
                OneWord,
                mentions.own_words,
            ),
            Tool(
                "aspects",
                "Count the sentences of the item's reviews that judge what this user cares about.",
                Some,
                aspect_probes.aspects,
            ),
            Tool(
                "own_aspects",
                "Count the user's own reviews of other items that judge an aspect.",
                Some,
                aspect_probes.own_aspects,
            ),
            Tool("details", "Read the item's year and genres.", OfItemAlone, catalogue.details),
            Tool(
                "compare",
                "Rank the item beside another one the user has not seen.",
                Beside,
                catalogue.compare,
            ),
            Tool(
                "similar",
                "List the user's liked items that are most similar to the item.",
                Some,
                similarity.similar,
            ),
            Tool(
                "rests_on",
                "Say what an answer can rest on, and what users with similar likes liked.",
                OfPair,
                ladder.rests_on,
            ),
            Tool(
                "access",
                "Say what the recommender shows of itself, and whether there are reviews.",
                Nothing,
                catalogue.access,
            ),
            Tool(
                "neighbours",
                "List the items most similar to one item.",
                OfItem,
                similarity.neighbours,
            ),
        )
    }
)
