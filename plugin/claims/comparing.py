"""Hold what a claim tells against what was found, and say in words how they differ."""

from __future__ import annotations

import math
from typing import get_args

from whythis.claims.kinds import TOLERANCE, Need
from whythis.claims.unknowable import SHOWN
from whythis.recsys.errors import MissingPartError
from whythis.recsys.scorer import Access, Place


def suffices(access: Access, need: Need) -> bool:
    """Return whether a recommender that shows `access` shows what is needed."""
    steps = get_args(Need)
    return bool(steps.index(access) >= steps.index(need))


def demand(need: Need, access: Access) -> None:
    """Raise `MissingPartError` where the recommender shows less than is needed."""
    if not suffices(access, need):
        raise MissingPartError(f"needs {SHOWN[need]}: this recommender shows {SHOWN[access]} only")


def differs(what: str, told: float, found: float, tolerance: float = 0.0) -> str | None:
    """Return how a number differs from the one found, or None; NaN differs from everything."""
    # a claim cannot excuse itself by its tolerance
    if abs(told - found) <= min(tolerance, TOLERANCE):
        return None
    return f"{what} is {found:g}, not {told:g}"


def rescored(what: str, told: float | None, found: float, tolerance: float) -> str | None:
    """Return how a score differs; one that is not shown must be left out, and only that one."""
    if math.isnan(found):
        if told is None:
            return None
        raise MissingPartError("needs its scores: this recommender shows its best items only")
    return (
        f"{what} is {found:g}, and left out"
        if told is None
        else differs(what, told, found, tolerance)
    )


def misplaced(what: str, told: int | None, found: Place) -> str | None:
    """Return how a rank differs; raise `MissingPartError` where the list ends before the item."""
    if not found.beyond:
        return f"{what} is {found.rank}" if told is None else differs(what, told, found.rank)
    if told is None:
        return None
    if told < found.rank:
        return f"{what} is {found.rank} or more, not {told}"
    raise MissingPartError(f"needs its scores: {what} lies beyond what this recommender lists")
