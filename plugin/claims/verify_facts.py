"""Find again what is claimed of the item in the data, in the ranking, and of what is not shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from whythis.claims.comparing import demand, differs, misplaced, rescored, suffices
from whythis.claims.execution import Execution
from whythis.claims.kinds import (
    NEED_REVIEWS,
    NEEDS,
    CannotKnow,
    Circle,
    ItemComparison,
    Metadata,
    PopularityFact,
    RankFact,
    RatingFact,
)
from whythis.tools.catalogue import entries
from whythis.tools.circle import circle
from whythis.tools.facts import item_facts


def _rating(claim: RatingFact, run: Execution) -> str | None:
    found, value = item_facts(run.rec, claim.subject.item), claim.value
    if found.mean is None or found.best is None:
        return "the item has no ratings"
    return (
        differs("the mean rating", value.mean, found.mean, claim.tolerance)
        or differs("the number of ratings", value.count, found.ratings)
        or differs("the best rating", value.best, found.best)
    )


def _popularity(claim: PopularityFact, run: Execution) -> str | None:
    found, value = item_facts(run.rec, claim.subject.item), claim.value
    return (
        differs("the number of likes", value.liked, found.liked)
        or differs("the place by likes", value.place, found.place)
        or differs("the number of items", value.of, found.of)
    )


def _circle(claim: Circle, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    found = circle(run.ws, subject.user, subject.item)
    if found is None:
        return "no other user shares a like with this one"
    return (
        differs("the number of users with similar likes", value.size, found.size)
        or differs("the number of them who liked it", value.liked, found.liked)
        or differs("the number of others who liked it", value.everyone, found.everyone)
        or differs("the number of other users", value.users, found.users)
    )


def _metadata(claim: Metadata, run: Execution) -> str | None:
    value = claim.value
    found = entries(run.rec, claim.subject.item, value.field)
    if not found:
        return f"the catalogue has no {value.field} of the item"
    if found != value.entries:
        return f"its {value.field} in the catalogue: {', '.join(found)}"
    return None


def _rank(claim: RankFact, run: Execution) -> str | None:
    subject, rec = claim.subject, run.rec
    place = run.place(subject.user, subject.item)
    return misplaced("the rank", claim.value.rank, place) or differs(
        "the number of unseen items", claim.value.of, rec.unseen(subject.user)
    )


def _item_comparison(claim: ItemComparison, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    if claim.comparator == ">":
        demand("scores", run.rec.access)
    other_item = subject.other_item or ""
    if other_item == subject.item:
        return "it compares the item with itself"
    one, other = run.place(subject.user, subject.item), run.place(subject.user, other_item)
    wrong = (
        misplaced("the rank", value.rank, one)
        or misplaced("the other's rank", value.other_rank, other)
        or rescored("the score", value.score, one.score, claim.tolerance)
        or rescored("the other's score", value.other_score, other.score, claim.tolerance)
    )
    if wrong is None and not one.rank < other.rank:
        return f"it ranks {one.rank} and the other {other.rank}"
    if wrong is None and claim.comparator == ">" and not one.score > other.score:
        return "both have the same score"
    return wrong


def _cannot_know(claim: CannotKnow, run: Execution) -> str | None:
    value, access = claim.value, run.rec.access
    if value.wanted not in NEEDS:
        return f"there is no kind of claim called {value.wanted!r}"
    needs = NEEDS[value.wanted]
    if value.shows != access:
        return f"this recommender shows something else: {access}"
    if not suffices(access, needs):
        return None if value.needs == needs else f"what it needs is another: {needs}"
    if value.wanted in NEED_REVIEWS and run.ws.reviews is None:
        return None if value.needs == "reviews" else "what it needs are reviews"
    return "that can be known here"


VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {
        "rating": _rating,
        "popularity": _popularity,
        "circle": _circle,
        "metadata": _metadata,
        "rank": _rank,
        "item_comparison": _item_comparison,
        "cannot_know": _cannot_know,
    }
)
