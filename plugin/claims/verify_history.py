"""Execute again what is claimed of the user's past likes: what they do, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations, islice
from math import comb
from types import MappingProxyType
from typing import Any

import numpy as np

from whythis.claims.comparing import differs, misplaced, rescored
from whythis.claims.execution import Execution
from whythis.claims.kinds import (
    Basis,
    Contribution,
    HistoryEffect,
    NecessarySet,
    NotAboutYou,
    PersonalEffect,
    Recent,
    Similarity,
    SufficientSet,
)
from whythis.recsys.errors import DataError, MissingPartError
from whythis.recsys.scorer import Masks, Place
from whythis.recsys.sets import BUDGET
from whythis.tools.ladder import basis
from whythis.tools.likes import contribution, liked_lately
from whythis.tools.similarity import cosines

_CHUNK = 256
_Set = tuple[int, ...]  # places in the history


def _history_effect(claim: HistoryEffect, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    before = run.reruns(subject.user, subject.item).before
    after = run.without(subject.user, subject.item, subject.items)
    wrong = (
        rescored("the score", value.score_before, before.score, claim.tolerance)
        or rescored("the score without them", value.score_after, after.score, claim.tolerance)
        or differs("the rank", value.rank_before, before.rank)
        or misplaced("the rank without them", value.rank_after, after)
    )
    if wrong or not after.beyond:
        return wrong or differs("leaving the top", value.outside, after.rank > value.top)
    if not value.rank_before <= value.top < after.rank or not value.outside:
        return f"all that is known is that it left the top {after.rank - 1}"
    return None


def _necessary_set(claim: NecessarySet, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    runs = run.reruns(subject.user, subject.item)
    after = run.without(subject.user, subject.item, subject.items)
    wrong = differs("the rank", value.rank_before, runs.before.rank) or misplaced(
        "the rank without them", value.rank_after, after
    )
    if wrong:
        return wrong
    if not value.rank_before <= value.top < after.rank:
        return f"without them it ranks {after.rank}, which does not leave the top {value.top}"
    members = _places(run.marked(subject.user, subject.item, subject.items))

    def leaves(place: Place) -> bool:
        _settled(place, value.top)
        return place.rank > value.top

    smaller = _smaller(members, len(runs.history), proven=value.minimal == "proven")
    if spare := _first(smaller, len(runs.history), runs.without, leaves):
        return f"it leaves the top {value.top} without {_named(spare, run, subject.user)} alone"
    return None


def _sufficient_set(claim: SufficientSet, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    runs = run.reruns(subject.user, subject.item)
    mask = run.marked(subject.user, subject.item, subject.items)
    if wrong := misplaced("the rank with nothing else", value.rank_alone, runs.only(mask[None])[0]):
        return wrong
    if max(value.rank_alone, runs.before.rank) > value.top:
        return f"it is not kept in the top {value.top}"

    def stays(place: Place) -> bool:
        _settled(place, value.top)
        return place.rank <= value.top

    if stays(run.bare(subject.user, subject.item)):
        return "nothing at all would be enough: it is in the top for anyone"
    members = _places(mask)
    smaller = _smaller(members, len(runs.history), proven=value.minimal == "proven")
    spare = _first(smaller, len(runs.history), runs.only, stays)
    if spare is None:
        return None
    return f"{_named(spare, run, subject.user)} alone would be enough"


def _places(mask: Masks) -> _Set:
    return tuple(int(n) for n in np.flatnonzero(mask))


def _smaller(members: _Set, size: int, *, proven: bool) -> Iterator[_Set]:
    """Yield every smaller set of the history, or the members but for one; none is empty."""
    if not proven:
        return combinations(members, len(members) - 1) if len(members) > 1 else iter(())
    sizes = range(1, len(members))
    runs = sum(comb(size, n) for n in sizes)
    if runs > BUDGET:
        raise MissingPartError(
            f"needs {runs:,} smaller sets to be tried, more than the {BUDGET:,} that are allowed"
        )
    return chain.from_iterable(combinations(range(size), n) for n in sizes)


def _first(
    sets: Iterator[_Set],
    size: int,
    run: Callable[[Masks], Sequence[Place]],
    does: Callable[[Place], bool],
) -> _Set | None:
    """Return the first of the sets that does, each executed."""
    while chunk := list(islice(sets, _CHUNK)):
        masks = np.zeros((len(chunk), size), dtype=bool)
        for row, members in enumerate(chunk):
            masks[row, list(members)] = True
        for members, place in zip(chunk, run(masks), strict=True):
            if does(place):
                return members
    return None


def _settled(place: Place, top: int) -> None:
    if place.beyond and place.rank <= top:
        raise MissingPartError("needs its scores: this recommender's list ends too early to tell")


def _named(members: _Set, run: Execution, user: str) -> str:
    ids, history = run.rec.item_ids.ids, run.rec.history(user)
    return ", ".join(run.rec.title(ids[history[n]]) for n in members)


def _contribution(claim: Contribution, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    at = int(np.flatnonzero(run.marked(subject.user, subject.item, subject.items))[0])
    found = contribution(run.contributions(subject.user, subject.item), at)
    if (value.share is None) != (found.share is None):
        if found.share is None:
            return "some past items add to the score and others take away: parts would mislead"
        return f"its part of the sum is {found.share:g}, and left out"
    return (
        differs("what it adds", value.contribution, found.contribution, claim.tolerance)
        or differs("its place", value.place, found.place)
        or differs("the number of past items", value.of, found.of)
        or differs("its part of the sum", value.share or 0.0, found.share or 0.0, claim.tolerance)
    )


def _not_about_you(claim: NotAboutYou, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    base = run.bare(subject.user, subject.item)
    wrong = misplaced("the rank", value.rank, run.place(subject.user, subject.item)) or misplaced(
        "the rank without any history", value.rank_without_history, base
    )
    if wrong is None and max(value.rank, base.rank) > value.top:
        return f"without any history it ranks {base.rank}, outside the top {value.top}"
    if wrong is None and base.rank + base.ties > value.top:
        return f"without any history it ties with {base.ties} others that rank behind it"
    return wrong


def _personal_effect(claim: PersonalEffect, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    if run.ws.refits is None:
        raise MissingPartError("there are no models fitted again: run `whythis refit DIR`")
    found = run.personal_effect(subject.user, subject.item)
    if found is None:
        return "the user has no past likes whose effect could be seen"
    return (
        differs("the mean effect", value.effect, found.effect, claim.tolerance)
        or differs("the lower end", value.low, found.low, claim.tolerance)
        or differs("the upper end", value.high, found.high, claim.tolerance)
        or differs("the number of models", value.refits, found.refits)
        or differs("the number in which it rises", value.raised, found.raised)
    )


def _basis(claim: Basis, run: Execution) -> str | None:
    value, subject = claim.value, claim.subject
    effect = run.personal_effect(subject.user, subject.item)
    found = basis(run.ws, subject.user, subject.item, effect)
    if value.rung != found.rung:
        return f"it rests on something else: {found.rung.replace('_', ' ')}"
    return (
        differs("the number of events", value.seen, found.seen)
        or differs("the number of likes", value.likes, found.likes)
        or differs("the number of own reviews", value.reviews, found.reviews)
    )


def _recent(claim: Recent, run: Execution) -> str | None:
    subject = claim.subject
    latest = liked_lately(run.rec, subject.user, len(subject.items))
    if latest != subject.items:
        return f"the latest likes are {', '.join(map(run.rec.title, latest))}"
    return differs("the number of likes", claim.value.of, len(run.rec.liked(subject.user)))


def _similarity(claim: Similarity, run: Execution) -> str | None:
    subject, rec = claim.subject, run.ws.owned()
    past = rec.item_ids.index(subject.items[0])
    if past not in rec.liked(subject.user):
        raise DataError(f"user {subject.user!r} never liked {rec.title(subject.items[0])}")
    found = float(cosines(rec, subject.item)[past])
    return differs("the similarity", claim.value.cosine, found, claim.tolerance)


VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {
        "history_effect": _history_effect,
        "necessary_set": _necessary_set,
        "sufficient_set": _sufficient_set,
        "contribution": _contribution,
        "not_about_you": _not_about_you,
        "basis": _basis,
        "personal_effect": _personal_effect,
        "recent": _recent,
        "similarity": _similarity,
    }
)
