"""State what an explanation may say: one frozen record a claim kind, in a discriminated union."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from whythis.claims.values import (
    AspectCountValue,
    BasisValue,
    CannotKnowValue,
    CircleValue,
    ContributionValue,
    Frozen,
    HistoryEffectValue,
    ItemComparisonValue,
    MentionsValue,
    MetadataValue,
    NamedItems,
    NamedShare,
    NecessarySetValue,
    NotAboutYouValue,
    OwnAspectValue,
    OwnWordsValue,
    PersonaComparisonValue,
    PersonaEffectValue,
    PersonalEffectValue,
    PopularityValue,
    RankValue,
    RatingValue,
    RecentValue,
    ReviewQuoteValue,
    SimilarityValue,
    Subject,
    SufficientSetValue,
)

Level = Literal["exact", "executed", "refit", "observed", "illustrative"]
"""How a claim is known: it follows from the model's algebra, was measured by deletion on this
model, by fitting the user again without something, is a fact of the data, or only an example."""

Comparator = Literal["=", ">", "<"]

Need = Literal["none", "top_n", "scores", "owned"]
"""What a recommender must show for a claim to be executed on it: nothing (the data are enough), its
best items, a score for every item, or the model itself. Each includes those before it."""

NEEDS: Mapping[str, Need] = MappingProxyType(
    {
        "persona_share": "owned",
        "persona_effect": "owned",
        "persona_comparison": "owned",
        "persona_items": "owned",
        "contribution": "owned",
        "similarity": "owned",
        "history_effect": "top_n",
        "necessary_set": "top_n",
        "sufficient_set": "top_n",
        "not_about_you": "top_n",
        "personal_effect": "owned",
        "basis": "top_n",
        "rank": "top_n",
        "item_comparison": "top_n",
        "review_quote": "none",
        "mentions": "none",
        "own_words": "none",
        "aspect_count": "none",
        "own_aspect": "none",
        "circle": "none",
        "recent": "none",
        "rating": "none",
        "popularity": "none",
        "metadata": "none",
        "cannot_know": "none",
    }
)
"""What each kind of claim needs; a history effect or a comparison that tells scores needs them."""

NEED_REVIEWS = frozenset({"review_quote", "mentions", "own_words", "aspect_count", "own_aspect"})
"""The kinds that need an index of reviews."""

REMOVALS = frozenset({"history_effect", "necessary_set", "sufficient_set"})
"""The kinds whose level is that of the recommender: executed, or refit where it fits anew."""

PARTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "persona_share": frozenset({"persona"}),
        "persona_effect": frozenset({"persona"}),
        "persona_comparison": frozenset({"persona", "other_persona"}),
        "persona_items": frozenset({"persona", "items"}),
        "contribution": frozenset({"items"}),
        "similarity": frozenset({"items"}),
        "history_effect": frozenset({"items"}),
        "necessary_set": frozenset({"items"}),
        "sufficient_set": frozenset({"items"}),
        "recent": frozenset({"items"}),
        "item_comparison": frozenset({"other_item"}),
        "review_quote": frozenset({"review"}),
    }
)
"""What the subject of a kind names beside user and item; the kinds left out name no more."""

TOLERANCE = 1e-5


class _Claim(Frozen):
    id: str
    subject: Subject
    comparator: Comparator = "="
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


class PersonaComparison(_Claim):
    """Claim that deleting one persona takes more from the item's score than deleting another."""

    kind: Literal["persona_comparison"] = "persona_comparison"
    comparator: Comparator = ">"
    level: Level = "executed"
    value: PersonaComparisonValue


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


class NecessarySet(_Claim):
    """Claim that the item leaves the top without `subject.items`, and that no fewer would do."""

    kind: Literal["necessary_set"] = "necessary_set"
    level: Level = "executed"
    value: NecessarySetValue


class SufficientSet(_Claim):
    """Claim that `subject.items` alone keep the item in the top, and that no fewer would do."""

    kind: Literal["sufficient_set"] = "sufficient_set"
    level: Level = "executed"
    value: SufficientSetValue


class Contribution(_Claim):
    """Claim what one past item (`subject.items`) adds to the item's score: a part of the sum."""

    kind: Literal["contribution"] = "contribution"
    level: Level = "exact"
    value: ContributionValue


class NotAboutYou(_Claim):
    """Claim that the item ranks within the top even with the user's whole history removed."""

    kind: Literal["not_about_you"] = "not_about_you"
    level: Level = "executed"
    value: NotAboutYouValue


class Recent(_Claim):
    """Claim which items the user liked last (`subject.items`, the newest first)."""

    kind: Literal["recent"] = "recent"
    level: Level = "observed"
    value: RecentValue


class Similarity(_Claim):
    """Claim how alike the item and a liked one (`subject.items`) are; that is no cause."""

    kind: Literal["similarity"] = "similarity"
    level: Level = "illustrative"
    value: SimilarityValue


class ReviewQuote(_Claim):
    """Claim that a review of the item holds this sentence (`subject.review` is its id)."""

    kind: Literal["review_quote"] = "review_quote"
    level: Level = "observed"
    value: ReviewQuoteValue


class Mentions(_Claim):
    """Claim in how many sentences of the item's reviews a word stands."""

    kind: Literal["mentions"] = "mentions"
    level: Level = "observed"
    value: MentionsValue


class OwnWords(_Claim):
    """Claim in how many sentences of the user's reviews of other items a word stands."""

    kind: Literal["own_words"] = "own_words"
    level: Level = "observed"
    value: OwnWordsValue


class AspectCount(_Claim):
    """Claim in how many sentences of its reviews the item's aspect is spoken of well and badly."""

    kind: Literal["aspect_count"] = "aspect_count"
    level: Level = "observed"
    value: AspectCountValue


class OwnAspect(_Claim):
    """Claim in how many of the user's reviews of other items an aspect is judged."""

    kind: Literal["own_aspect"] = "own_aspect"
    level: Level = "observed"
    value: OwnAspectValue


class Circle(_Claim):
    """Claim how many of the users with the most similar likes liked the item."""

    kind: Literal["circle"] = "circle"
    level: Level = "observed"
    value: CircleValue


class Basis(_Claim):
    """Claim what the answer rests on, given how much is known of the user."""

    kind: Literal["basis"] = "basis"
    level: Level = "executed"
    value: BasisValue


class PersonalEffect(_Claim):
    """Claim what the whole history does to the item over models fitted again, with an interval."""

    kind: Literal["personal_effect"] = "personal_effect"
    level: Level = "refit"
    value: PersonalEffectValue


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


class Metadata(_Claim):
    """Claim what the catalogue says of the item in one field."""

    kind: Literal["metadata"] = "metadata"
    level: Level = "observed"
    value: MetadataValue


class RankFact(_Claim):
    """Claim the item's rank for the user."""

    kind: Literal["rank"] = "rank"
    level: Level = "executed"
    value: RankValue


class ItemComparison(_Claim):
    """Claim that the item stands above `subject.other_item`: by rank ("<") or by score (">")."""

    kind: Literal["item_comparison"] = "item_comparison"
    comparator: Comparator = "<"
    level: Level = "executed"
    value: ItemComparisonValue


class CannotKnow(_Claim):
    """Claim that a kind of claim cannot be made of this recommender, and what it would take."""

    kind: Literal["cannot_know"] = "cannot_know"
    level: Level = "observed"
    value: CannotKnowValue


Claim = Annotated[
    PersonaShare
    | PersonaEffect
    | PersonaComparison
    | PersonaItems
    | HistoryEffect
    | NecessarySet
    | SufficientSet
    | Contribution
    | NotAboutYou
    | Recent
    | Similarity
    | ReviewQuote
    | Mentions
    | OwnWords
    | AspectCount
    | OwnAspect
    | Circle
    | Basis
    | PersonalEffect
    | RatingFact
    | PopularityFact
    | Metadata
    | RankFact
    | ItemComparison
    | CannotKnow,
    Field(discriminator="kind"),
]

CLAIM: TypeAdapter[Claim] = TypeAdapter(Claim)
"""Parse one claim of any kind from JSON or a dict."""

COMPARATORS: Mapping[str, frozenset[Comparator]] = MappingProxyType(
    {"persona_comparison": frozenset({">"}), "item_comparison": frozenset({"<", ">"})}
)
"""The comparators of the kinds that compare two things; all other kinds have "=" alone."""
