"""Look at the user's past likes: the latest, what each adds to a score, the few that are enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from whythis.recsys import effects
from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.scorer import Floats, Scorer
from whythis.recsys.sets import sufficient_set
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.probes import SET_BUDGET, top_of
from whythis.tools.workspace import Workspace

_DECIMALS = 9  # contributions equal to so many are a tie
_LARGEST = 3


@dataclass(frozen=True)
class Contribution:
    """Hold what one past item adds to a score, and its place among all by that.

    `share`: its part of what all add together, 0..1; None where some take away: a part of a sum
    of both signs may exceed the whole.
    """

    contribution: float
    place: int
    of: int
    share: float | None


def contribution(parts: Floats, at: int) -> Contribution:
    """Return one of the contributions of a history (T) beside the others; ties share a place."""
    alike = parts.round(_DECIMALS)
    total = float(alike.sum())
    one_sign = bool((alike >= 0).all()) and total > 0
    return Contribution(
        contribution=float(parts[at]),
        place=1 + int((alike > alike[at]).sum()),
        of=len(parts),
        share=float(alike[at]) / total if one_sign else None,
    )


def contributions(ws: Workspace, user: str, item: str, n: int = 3) -> tuple[Evidence, ...]:
    """Take the item's exact score apart into what each past like adds; the `n` largest.

    Raises `MissingPartError` where the recommender's model is not known, `ModelError` where its
    scores are no sum over past items.
    """
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 past like")
    rec = ws.owned()
    whole = effects.decompose(rec, user, item)
    if whole.contributions is None:
        raise ModelError(
            f"the scores of {rec.config.source} personas are no sum over past items; ask what "
            "happens without one: `what_if`"
        )
    parts = whole.contributions.sum(1)
    found = []
    for at in np.argsort(-parts.round(_DECIMALS), kind="stable")[:n]:
        one = contribution(parts, int(at))
        past = whole.history[at]
        value: dict[str, JsonValue] = {
            "items": [past],
            "titles": [rec.title(past)],
            "contribution": one.contribution,
            "place": one.place,
            "of": one.of,
            "share": one.share,
        }
        found.append(
            evidence(
                "contribution",
                value,
                source=ws.model_source,
                probe="contributions",
                user=user,
                item=item,
                n=n,
            )
        )
    return tuple(found)


def enough(ws: Workspace, user: str, item: str) -> tuple[Evidence, ...]:
    """Find the fewest past likes that alone keep the item in the top.

    Nothing is found where no few do, or where the item is in the top for anyone. Raises
    `DataError` where the item is not in the top.
    """
    rec = ws.recommender
    found = sufficient_set(rec, user, item, top=top_of(rec), limit=_LARGEST, budget=SET_BUDGET)
    if not found.complete or not found.kept:
        return ()
    value: dict[str, JsonValue] = {
        "items": list[JsonValue](found.kept),
        "titles": [rec.title(past) for past in found.kept],
        "rank_alone": found.rank,
        "top": found.top,
        "minimal": found.minimal,
        "refit": rec.refits,
    }
    return (
        evidence(
            "sufficient_set", value, source=ws.model_source, probe="enough", user=user, item=item
        ),
    )


def liked_lately(rec: Scorer, user: str, n: int) -> tuple[str, ...]:
    """Return the user's `n` most recent likes, the newest first.

    Raises `DataError` where the data do not say when.
    """
    latest = rec.liked(user)[::-1][:n]
    mine = rec.interactions[rec.interactions["user"] == user]
    times = mine.set_index("item")["time"]
    ids = tuple(rec.item_ids.ids[i] for i in latest)
    if times[list(ids)].isna().any():
        raise DataError(f"the data do not say when user {user!r} liked what")
    return ids


def recent(ws: Workspace, user: str, n: int = 3) -> tuple[Evidence, ...]:
    """Recall the user's `n` most recent likes, the newest first; none where there are none.

    Raises `DataError` where the data do not say when.
    """
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 like")
    rec = ws.recommender
    latest = liked_lately(rec, user, n)
    if not latest:
        return ()
    value: dict[str, JsonValue] = {
        "items": list[JsonValue](latest),
        "titles": [rec.title(item) for item in latest],
        "of": len(rec.liked(user)),
    }
    return (evidence("recent", value, source=ws.data_source, probe="recent", user=user, n=n),)
