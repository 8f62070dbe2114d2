"""Execute a claim again, from the artefact alone: one small verifier a claim kind.

The evidence a claim cites is never consulted: a number is true because the model, run now, gives
it again. `refuted` means that it gives another; `uncheckable` that it cannot be run here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, get_args

from whythis.claims import (
    NEEDS,
    TOLERANCE,
    Claim,
    HistoryEffect,
    Need,
    NotAboutYou,
    PersonaEffect,
    PersonaItems,
    PersonaShare,
    PopularityFact,
    RankFact,
    RatingFact,
    ReviewQuote,
)
from whythis.explanation import Verdict
from whythis.recsys import effects
from whythis.recsys.errors import (
    ArtefactError,
    DataError,
    MissingPartError,
    ModelError,
    UnknownIdError,
)
from whythis.recsys.naming import PersonaCard, persona_cards
from whythis.recsys.scorer import Place
from whythis.tools.facts import item_facts
from whythis.tools.workspace import Workspace


def verify(claim: Claim, ws: Workspace) -> Verdict:
    """Return the verdict on one claim; never raises for what a claim may hold.

    A claim of any kind is refuted where its user or item is unknown, or the item already seen, and
    uncheckable where it needs more of the recommender than that one shows.
    """
    try:
        ws.recommender.candidate(claim.subject.user, claim.subject.item)
        _demand(NEEDS[claim.kind], ws)
        wrong = _VERIFIERS[claim.kind](claim, ws)
    except (UnknownIdError, DataError) as error:
        return Verdict(outcome="refuted", reason=str(error))
    except (OverflowError, UnicodeError):
        return Verdict(outcome="refuted", reason="it holds a number or an id that nothing here has")
    except (MissingPartError, ModelError, ArtefactError) as error:
        return Verdict(outcome="uncheckable", reason=str(error))
    if wrong:
        return Verdict(outcome="refuted", reason=wrong)
    return Verdict(outcome="verified", reason=_HOW[claim.level])


_HOW = MappingProxyType(
    {
        "exact": "computed again from the model",
        "executed": "deleted and scored again by the model",
        "refit": "removed, fitted and scored again by the model",
        "observed": "found again in the data",
    }
)


def _demand(need: Need, ws: Workspace) -> None:
    """Raise `MissingPartError` where the recommender shows less than is needed."""
    access, steps = ws.recommender.access, get_args(Need)
    if steps.index(access) < steps.index(need):
        raise MissingPartError(
            f"needs {_NAMES[need]}: this recommender shows {_NAMES[access]} only"
        )


_NAMES: Mapping[Need, str] = MappingProxyType(
    {
        "none": "nothing",
        "top_n": "its best items",
        "scores": "its scores",
        "owned": "the model itself",
    }
)


def _misplaced(what: str, told: int | None, found: Place) -> str | None:
    """Return how a rank differs; raise `MissingPartError` where the list ends before the item."""
    if not found.beyond:
        return f"{what} is {found.rank}" if told is None else _differs(what, told, found.rank, 0)
    if told is None:
        return None
    if told < found.rank:
        return f"{what} is {found.rank} or more, not {told}"
    raise MissingPartError(f"needs its scores: {what} lies beyond what this recommender lists")


def _differs(what: str, told: float, found: float, tolerance: float) -> str | None:
    # written so that NaN differs from everything; a claim cannot excuse itself by its tolerance
    if abs(told - found) <= min(tolerance, TOLERANCE):
        return None
    return f"{what} is {found:g}, not {told:g}"


def _card(claim: PersonaEffect | PersonaShare | PersonaItems, ws: Workspace) -> PersonaCard:
    user, persona = claim.subject.user, claim.subject.persona
    for card in persona_cards(ws.owned(), user, shown=max(1, len(claim.subject.items))):
        if card.persona == persona:
            if card.name != claim.value.name:
                raise DataError(
                    f"persona {persona} of user {user!r} is called {card.name!r}, "
                    f"not {claim.value.name!r}"
                )
            return card
    raise DataError(f"user {user!r} has no persona {persona} with enough history to be told of")


def _persona_share(claim: PersonaShare, ws: Workspace) -> str | None:
    card = _card(claim, ws)
    whole = effects.decompose(ws.owned(), claim.subject.user, claim.subject.item)
    found = whole.personas[card.persona].share
    return _differs("its share", claim.value.share, found, claim.tolerance)


def _persona_effect(claim: PersonaEffect, ws: Workspace) -> str | None:
    card, value, subject = _card(claim, ws), claim.value, claim.subject
    run = effects.without_persona(ws.owned(), subject.user, subject.item, card.persona)
    return (
        _differs("its effect", value.effect, run.score_before - run.score_after, claim.tolerance)
        or _differs("the rank", value.rank_before, run.rank_before, 0)
        or _differs("the rank without it", value.rank_after, run.rank_after, 0)
    )


def _persona_items(claim: PersonaItems, ws: Workspace) -> str | None:
    if not ws.owned().model.composed:
        raise ModelError("this model's tastes are not made of past items")
    if not claim.subject.items:
        return "it names no item"
    heaviest = tuple(item for item, _ in _card(claim, ws).items)
    if heaviest != claim.subject.items:
        return f"the heaviest items of that taste are {', '.join(heaviest)}"
    return None


def _history_effect(claim: HistoryEffect, ws: Workspace) -> str | None:
    value, subject = claim.value, claim.subject
    if not subject.items or len(set(subject.items)) != len(subject.items):
        return "it names no past item, or one twice"
    if (claim.level == "refit") != ws.recommender.refits:
        return f"this model does not know it as {claim.level}"
    run = effects.remove(ws.recommender, subject.user, subject.item, [subject.items])[0]
    after = Place(run.rank_after, run.score_after, run.beyond)
    wrong = (
        _rescored("the score", value.score_before, run.score_before, claim, ws)
        or _rescored("the score without them", value.score_after, run.score_after, claim, ws)
        or _differs("the rank", value.rank_before, run.rank_before, 0)
        or _misplaced("the rank without them", value.rank_after, after)
    )
    if wrong or not run.beyond:
        return wrong or _differs("leaving the top", value.outside, run.rank_after > value.top, 0)
    if not value.rank_before <= value.top < run.rank_after or not value.outside:
        return f"all that is known is that it left the top {run.rank_after - 1}"
    return None


def _rescored(
    what: str, told: float | None, found: float, claim: HistoryEffect, ws: Workspace
) -> str | None:
    if told is None:
        return None if math.isnan(found) else f"{what} is {found:g}, and left out"
    _demand("scores", ws)
    return _differs(what, told, found, claim.tolerance)


def _review_quote(claim: ReviewQuote, ws: Workspace) -> str | None:
    stored = ws.store().get(claim.subject.review or "")
    if stored.item != claim.subject.item:
        return f"that sentence is from a review of item {stored.item!r}"
    if stored.user == claim.subject.user:
        return "that sentence is the user's own review of the item"
    if stored.text != claim.value.quote:
        return "the stored sentence reads otherwise"
    if (stored.rating, stored.source) != (claim.value.rating, claim.value.source):
        return "the review's rating or source is another"
    return None


def _rating(claim: RatingFact, ws: Workspace) -> str | None:
    found, value = item_facts(ws.recommender, claim.subject.item), claim.value
    if found.mean is None or found.best is None:
        return "the item has no ratings"
    return (
        _differs("the mean rating", value.mean, found.mean, claim.tolerance)
        or _differs("the number of ratings", value.count, found.ratings, 0)
        or _differs("the best rating", value.best, found.best, 0)
    )


def _popularity(claim: PopularityFact, ws: Workspace) -> str | None:
    found, value = item_facts(ws.recommender, claim.subject.item), claim.value
    return (
        _differs("the number of likes", value.liked, found.liked, 0)
        or _differs("the place by likes", value.place, found.place, 0)
        or _differs("the number of items", value.of, found.of, 0)
    )


def _rank(claim: RankFact, ws: Workspace) -> str | None:
    rec, subject = ws.recommender, claim.subject
    unseen = len(rec.item_ids) - len(set(rec.seen(subject.user).tolist()))
    place = rec.place(subject.user, subject.item)
    return _misplaced("the rank", claim.value.rank, place) or _differs(
        "the number of unseen items", claim.value.of, unseen, 0
    )


def _not_about_you(claim: NotAboutYou, ws: Workspace) -> str | None:
    rec, subject, value = ws.recommender, claim.subject, claim.value
    base = effects.without_history(rec, subject.user, subject.item)
    wrong = _misplaced("the rank", value.rank, rec.place(subject.user, subject.item)) or _misplaced(
        "the rank without any history", value.rank_without_history, base
    )
    if wrong is None and max(value.rank, base.rank) > value.top:
        return f"without any history it ranks {base.rank}, outside the top {value.top}"
    if wrong is None and base.rank + base.ties > value.top:
        return f"without any history it ties with {base.ties} others that rank behind it"
    return wrong


_VERIFIERS: Mapping[str, Callable[[Any, Workspace], str | None]] = MappingProxyType(
    {
        "persona_share": _persona_share,
        "persona_effect": _persona_effect,
        "persona_items": _persona_items,
        "history_effect": _history_effect,
        "review_quote": _review_quote,
        "rating": _rating,
        "popularity": _popularity,
        "rank": _rank,
        "not_about_you": _not_about_you,
    }
)
