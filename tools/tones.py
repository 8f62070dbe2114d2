"""Tell favourable ratings from critical ones on the scale of the data."""

from __future__ import annotations

import math
from typing import Literal

from whythis.tools.workspace import Workspace

Tone = Literal["favourable", "critical"]


def tones(ws: Workspace) -> tuple[float, float]:
    """Return (at most, at least): the ratings of critical and of favourable reviews.

    Favourable is what counts as liked in the data; critical lies in the lower three eighths of
    the scale and below what is favourable. Reviews without a rating are neither.
    """
    low, high = ws.recommender.ratings.lowest, ws.recommender.ratings.highest
    if low is None or high is None:
        low, high = 1.0, 5.0
    like = ws.recommender.like
    favourable = low + 0.75 * (high - low) if like is None else like
    critical = min(low + 0.375 * (high - low), math.nextafter(favourable, -math.inf))
    return critical, favourable


def tone_of(ws: Workspace, rating: float | None) -> Tone | None:
    """Return in which tone a review with this rating speaks; None: neither, or no rating."""
    critical, favourable = tones(ws)
    if rating is None or critical < rating < favourable:
        return None
    return "favourable" if rating >= favourable else "critical"
