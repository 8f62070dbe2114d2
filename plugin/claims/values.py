"""Hold what claims say: whom and what each is about, and one record of values a kind."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from whythis.recsys.scorer import Access
from whythis.tools.ladder import Rung

Proof = Literal["proven", "found"]
"""Of a set of past items that does something: no smaller set does, or no single one of its members
can be spared."""


class Frozen(BaseModel):
    """Be a record that neither changes nor takes what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(Frozen):
    """Name whom and what a claim is about; ids, never titles.

    A claim names the parts that its kind is about and no other (`whythis.claims.kinds.PARTS`).
    """

    user: str
    item: str
    persona: int | None = None
    items: tuple[str, ...] = ()
    review: str | None = None
    other_persona: int | None = None
    other_item: str | None = None


class NamedShare(Frozen):
    """Hold a persona's attention weight for the item, 0..1."""

    name: str
    share: float


class PersonaEffectValue(Frozen):
    """Hold the signed change of the score (with minus without the persona) and both ranks."""

    name: str
    effect: float
    rank_before: int
    rank_after: int


class PersonaComparisonValue(Frozen):
    """Hold the signed effects of two personas on the item's score."""

    name: str
    effect: float
    other_name: str
    other_effect: float


class NamedItems(Frozen):
    """Hold a persona's name; the heaviest items of its history stand in the subject."""

    name: str


class HistoryEffectValue(Frozen):
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


class NecessarySetValue(Frozen):
    """Hold the ranks before and after the removal, and how small the set is known to be."""

    minimal: Proof
    top: int
    rank_before: int
    rank_after: int | None


class SufficientSetValue(Frozen):
    """Hold the item's rank with nothing but the set, and how small the set is known to be."""

    minimal: Proof
    top: int
    rank_alone: int


class ContributionValue(Frozen):
    """Hold what one past item adds to the item's score, summed over the personas.

    `place`: by what the past items add, the most first, of `of`. `share`: the part of what all add
    together, 0..1; None where some add and others take away, since parts would then mislead.
    """

    contribution: float
    place: int
    of: int
    share: float | None


class NotAboutYouValue(Frozen):
    """Hold the rank with the whole history removed beside the rank with it."""

    rank: int
    rank_without_history: int
    top: int


class RecentValue(Frozen):
    """Hold how many items the user liked in all; the most recent stand in the subject."""

    of: int


class SimilarityValue(Frozen):
    """Hold the cosine between the embeddings of the item and of a liked item, -1..1."""

    cosine: float


class ReviewQuoteValue(Frozen):
    """Hold a stored sentence word for word, its rating and where it comes from."""

    quote: str
    rating: float | None
    source: str


class MentionsValue(Frozen):
    """Count the sentences of the item's reviews, without the user's own, that hold a word.

    `favourable`, `critical`: how many of them come from such reviews; `of`: sentences in all;
    `source`: the one source of these, or "several".
    """

    word: str
    sentences: int
    favourable: int
    critical: int
    of: int
    source: str


class OwnWordsValue(Frozen):
    """Count the sentences of the user's own reviews of other items that hold a word."""

    word: str
    sentences: int
    of: int


class AspectCountValue(Frozen):
    """Count the sentences of the item's reviews, without the user's own, that judge an aspect.

    `positive`, `negative`: sentences that speak well, and badly, of it, as the rules of
    `whythis.tools.reviews.opinions` read them; `of`: sentences in all; `source`: the one source of
    these, or "several".
    """

    aspect: str
    positive: int
    negative: int
    of: int
    source: str


class OwnAspectValue(Frozen):
    """Count the user's own reviews of other items that judge an aspect, among `of` such reviews."""

    aspect: str
    reviews: int
    of: int


class CircleValue(Frozen):
    """Hold how many of the `size` users with the most similar likes liked the item.

    Beside it how many of all the other `users` did (`everyone`).
    """

    size: int
    liked: int
    everyone: int
    users: int


class BasisValue(Frozen):
    """Hold what the answer rests on, and how much is known of the user.

    seen: events; likes: how many of these are likes; reviews: own reviews of other items.
    """

    rung: Rung
    seen: int
    likes: int
    reviews: int


class PersonalEffectValue(Frozen):
    """Hold what the whole history does to the item, over models fitted again on resampled users.

    effect: the mean change of the item's place, as a part of all candidates (+ = it rises), -1..1;
    low, high: the ends of its 95 % interval; refits: how many models; raised: in how many of them
    the item rises.
    """

    effect: float
    low: float
    high: float
    refits: int
    raised: int


class RatingValue(Frozen):
    """Hold the mean of the ratings of the item in the data, their number, and the scale's top."""

    mean: float
    count: int
    best: float


class PopularityValue(Frozen):
    """Hold how many users liked the item and its place among all items by that number."""

    liked: int
    place: int
    of: int


class MetadataValue(Frozen):
    """Hold what the catalogue says of the item in one field, in its order; a year is one entry."""

    field: Literal["year", "genres"]
    entries: tuple[str, ...]


class RankValue(Frozen):
    """Hold the rank among the items that the user has not seen."""

    rank: int
    of: int


class ItemComparisonValue(Frozen):
    """Hold where two unseen items stand for the user.

    Scores are None where the recommender shows none, and so is the other's rank where its list
    ends before it.
    """

    rank: int
    other_rank: int | None
    score: float | None
    other_score: float | None


class CannotKnowValue(Frozen):
    """Hold a kind of claim that cannot be made here: what it needs, and what is shown instead.

    `needs` is "reviews" where there is no index of reviews.
    """

    wanted: str
    needs: Literal["top_n", "scores", "owned", "reviews"]
    shows: Access
