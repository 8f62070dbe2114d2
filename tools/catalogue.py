"""Say what the catalogue and the ranking know of items, and what the recommender does not show."""

from __future__ import annotations

import math

from pydantic import JsonValue

from whythis.recsys.errors import DataError
from whythis.recsys.scorer import Place, Scorer
from whythis.tools.evidence import Evidence, evidence
from whythis.tools.workspace import Workspace

FIELDS = ("year", "genres")


def entries(rec: Scorer, item: str, field: str) -> tuple[str, ...]:
    """Return what the catalogue says of an item in a field: a year, or genres in its order."""
    value = rec.items[field].iloc[rec.item_ids.index(item)]
    if field == "year":
        return () if math.isnan(value) else (str(int(value)),)
    return tuple(str(genre) for genre in value)


def details(ws: Workspace, item: str) -> tuple[Evidence, ...]:
    """Read the item's year and genres in the catalogue, as far as they are known."""
    return tuple(
        evidence(
            "metadata",
            {"field": field, "entries": list[JsonValue](found)},
            source=ws.data_source,
            probe="details",
            item=item,
        )
        for field in FIELDS
        if (found := entries(ws.recommender, item, field))
    )


def compare(ws: Workspace, user: str, item: str, other: str) -> tuple[Evidence, ...]:
    """Rank the item beside another unseen one; `other` is an id or an exact title.

    Raises `DataError` where both are the same, or one was seen already. Nothing is found where the
    recommender's list reaches neither.
    """
    rec = ws.recommender
    id_ = rec.item_ids.resolve(other)
    if id_ == item:
        raise DataError(f"item {item!r} is compared with itself: name another one")
    places = [rec.place(user, one) for one in (item, id_)]
    if all(place.beyond for place in places):
        return ()
    value: dict[str, JsonValue] = {
        "items": [item, id_],
        "titles": [rec.title(item), rec.title(id_)],
        "ranks": [None if place.beyond else place.rank for place in places],
        "scores": [_shown(place) for place in places],
    }
    return (
        evidence(
            "comparison",
            value,
            source=ws.model_source,
            probe="compare",
            user=user,
            item=item,
            other=other,
        ),
    )


def access(ws: Workspace) -> tuple[Evidence, ...]:
    """Say what the recommender shows of itself, and whether there are reviews."""
    rec = ws.recommender
    value: dict[str, JsonValue] = {
        "shows": rec.access,
        "depth": rec.depth,
        "reviews": ws.reviews is not None,
    }
    return (evidence("access", value, source=ws.model_source, probe="access"),)


def _shown(place: Place) -> float | None:
    return None if math.isnan(place.score) else place.score
