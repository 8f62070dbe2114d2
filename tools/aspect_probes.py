"""Let an agent count what reviews judge; each count lists the sentences behind it."""

from __future__ import annotations

from pydantic import JsonValue

from whythis.recsys.errors import DataError
from whythis.tools import aspects as counted
from whythis.tools.aspects import AspectCount, OwnCount, choice, item_aspects
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.workspace import Workspace

SHOWN = 20
"""Sentence ids that a piece of evidence lists, at most; it tells how many there are in all."""


def aspects(ws: Workspace, user: str, item: str, n: int = 3) -> tuple[Evidence, ...]:
    """Count what the item's reviews say of the `n` aspects that suit the pair best.

    Raises `MissingPartError` where the reviews have not been read for aspects.
    """
    _at_least_one(n)
    ws.recommender.candidate(user, item)
    found = item_aspects(ws, user, item)
    told = []
    for aspect in list(choice(ws, user, item))[:n]:
        count = found[aspect]
        value: dict[str, JsonValue] = {
            "aspect": aspect,
            "positive": count.positive,
            "negative": count.negative,
            "of": count.of,
            "source": count.source,
        }
        told.append(_found("aspect_count", "aspects", value, count, user=user, item=item, n=n))
    return tuple(told)


def own_aspects(ws: Workspace, user: str, item: str, n: int = 3) -> tuple[Evidence, ...]:
    """Count the user's reviews of other items that judge an aspect, for `n` aspects.

    Those first that the item's reviews judge too, as `choice` orders them. Raises as `aspects`.
    """
    _at_least_one(n)
    ws.recommender.candidate(user, item)
    own = counted.own_aspects(ws, user, item)
    if not own:
        return ()
    shared = [aspect for aspect in choice(ws, user, item) if aspect in own]
    told = []
    for aspect in list(dict.fromkeys([*shared, *own]))[:n]:
        count = own[aspect]
        value: dict[str, JsonValue] = {"aspect": aspect, "reviews": count.reviews, "of": count.of}
        told.append(_found("own_aspect", "own_aspects", value, count, user=user, item=item, n=n))
    return tuple(told)


def _found(
    kind: str,
    probe: str,
    value: dict[str, JsonValue],
    count: AspectCount | OwnCount,
    **args: JsonValue,
) -> Evidence:
    opens: dict[str, JsonValue] = {
        "sentences": list[JsonValue](count.sentences[:SHOWN]),
        "sentences_in_all": len(count.sentences),
    }
    source = count.source if isinstance(count, AspectCount) else "own"
    return evidence(kind, value | opens, source=f"reviews:{source}", probe=probe, **args)


def _at_least_one(n: int) -> None:
    if n < 1:
        raise DataError(f"n is {n}: ask for at least 1 aspect")
