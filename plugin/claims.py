"""State what an explanation may say: one frozen record a claim kind, in a discriminated union."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Level = Literal["exact", "executed", "refit", "observed"]
"""How a claim is known: it follows from the model's algebra, was measured by deletion on this
model, by fitting the user again without something, or is a fact of the data."""

Need = Literal["none", "top_n", "scores", "owned"]
"""What a recommender must show for a claim to be executed on it: nothing (the data are enough), its
best items, a score for every item, or the model itself. Each includes those before it."""

NEEDS: Mapping[str, Need] = MappingProxyType(
    {
        "persona_share": "owned",
        "persona_effect": "owned",
        "persona_items": "owned",
        "history_effect": "top_n",
        "not_about_you": "top_n",
        "rank": "top_n",
        "review_quote": "none",
        "rating": "none",
        "popularity": "none",
    }
)
"""What each kind of claim needs; a history effect that tells scores needs scores."""

TOLERANCE = 1e-5


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Frozen):
    """Name whom and what a claim is about; ids, never titles."""

    user: str
    item: str
    persona: int | None = None
    items: tuple[str, ...] = ()
    review: str | None = None


class PersonaEffectValue(_Frozen):
    """Hold the signed change of the score (with minus without the persona) and both ranks."""

    name: str
    effect: float
    rank_before: int
    rank_after: int


class NamedShare(_Frozen):
    """Hold a persona's attention weight for the item, 0..1."""

    name: str
    share: float


class NamedItems(_Frozen):
    """Hold a persona's name; the heaviest items of its history stand in the subject."""

    name: str


class HistoryEffectValue(_Frozen):
    """Hold score and rank before and after the removal of the subject's items.

    `outside`: the item left the top `top`. Of a recommender that lists its best items only, scores
    are None, and so is the rank after where its list ends before the item.
    """

    score_before: float | None
    score_after: float | None
    rank_before: int
    rank_after: int | None
    top: int
    outside: bool


class RatingValue(_Frozen):
    """Hold the mean of the ratings of the item in the data, their number, and the scale's top."""

    mean: float
    count: int
    best: float


class PopularityValue(_Frozen):
    """Hold how many users liked the item and its place among all items by that number."""

    liked: int
    place: int
    of: int


class RankValue(_Frozen):
    """Hold the rank among the items that the user has not seen."""

    rank: int
    of: int


class NotAboutYouValue(_Frozen):
    """Hold the rank with the whole history removed beside the rank with it."""

    rank: int
    rank_without_history: int
    top: int


class _Claim(_Frozen):
    id: str
    subject: Subject
    comparator: Literal["="] = "="
    tolerance: float = Field(TOLERANCE, ge=0)
    evidence: tuple[str, ...] = Field(min_length=1)


class PersonaShare(_Claim):
    """Claim how much attention a persona gets for the item; says nothing of causes."""

    kind: Literal["persona_share"] = "persona_share"
    level: Level = "exact"
    value: NamedShare


class PersonaEffect(_Claim):
    """Claim what deleting a persona does to the item's score and rank."""

    kind: Literal["persona_effect"] = "persona_effect"
    level: Level = "executed"
    value: PersonaEffectValue


class PersonaItems(_Claim):
    """Claim which items of the history weigh most in a persona (`subject.items`, in order)."""

    kind: Literal["persona_items"] = "persona_items"
    level: Level = "exact"
    value: NamedItems


class HistoryEffect(_Claim):
    """Claim what removing `subject.items` from the history does to the item's rank."""

    kind: Literal["history_effect"] = "history_effect"
    level: Level = "executed"
    value: HistoryEffectValue


class ReviewQuoteValue(_Frozen):
    """Hold a stored sentence word for word, its rating and where it comes from."""

    quote: str
    rating: float | None
    source: str


class ReviewQuote(_Claim):
    """Claim that a review of the item holds this sentence (`subject.review` is its id)."""

    kind: Literal["review_quote"] = "review_quote"
    level: Level = "observed"
    value: ReviewQuoteValue


class RatingFact(_Claim):
    """Claim the item's mean rating and number of ratings in the data."""

    kind: Literal["rating"] = "rating"
    level: Level = "observed"
    value: RatingValue


class PopularityFact(_Claim):
    """Claim how many users liked the item and its place by that number."""

    kind: Literal["popularity"] = "popularity"
    level: Level = "observed"
    value: PopularityValue


class RankFact(_Claim):
    """Claim the item's rank for the user."""

    kind: Literal["rank"] = "rank"
    level: Level = "executed"
    value: RankValue


class NotAboutYou(_Claim):
    """Claim that the item ranks within the top even with the user's whole history removed."""

    kind: Literal["not_about_you"] = "not_about_you"
    level: Level = "executed"
    value: NotAboutYouValue


Claim = Annotated[
    PersonaShare
    | PersonaEffect
    | PersonaItems
    | HistoryEffect
    | ReviewQuote
    | RatingFact
    | PopularityFact
    | RankFact
    | NotAboutYou,
    Field(discriminator="kind"),
]

CLAIM: TypeAdapter[Claim] = TypeAdapter(Claim)
"""Parse one claim of any kind from JSON or a dict."""
