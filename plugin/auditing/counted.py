"""Test sentences on places, years, ratings and likes."""

from __future__ import annotations

from whythis.auditing.causes import Talk, Tested, Values, number
from whythis.auditing.grammar import Reading
from whythis.claims.traits import POPULAR
from whythis.text.wording import ordinal


def nobody(reading: Reading, talk: Talk) -> Tested:
    """Test that the item would stand as high for anybody."""
    ground, bare = talk.ground, talk.ground.bare
    flags, parts = reading.flags, reading.parts
    top = int(number(parts.get("top")) or ground.top)
    wrong = None
    there = f"without any history it would stand in {ordinal(bare.rank)} place"
    if (said := number(parts.get("bare"))) is not None and (bare.beyond or said != bare.rank):
        wrong = there
    elif (said := number(parts.get("rank"))) is not None and said != ground.place.rank:
        wrong = f"it stands in {ordinal(ground.place.rank)} place"
    elif (
        flags & {"general", "bare_top", "anyway"} and (bare.beyond or bare.rank + bare.ties > top)
    ) or ("rank" in parts and not bare.rank > ground.place.rank):
        wrong = there
    return wrong, {"rank": ground.place.rank, "rank_without_history": bare.rank, "ties": bare.ties}


def rank(reading: Reading, talk: Talk) -> Tested:
    """Test the item's place in the user's list."""
    ground, place, parts = talk.ground, talk.ground.place, reading.parts
    top = int(number(parts.get("top")) or ground.top)
    wrong = None
    if (said := number(parts.get("rank"))) is not None and (place.beyond or said != place.rank):
        wrong = f"it stands in {ordinal(place.rank)} place"
    elif (said := number(parts.get("of"))) is not None and said != ground.unseen:
        wrong = f"the user has not seen {ground.unseen:,}"
    elif "in_top" in reading.flags and (place.beyond or place.rank > top):
        wrong = f"it stands in {ordinal(place.rank)} place, outside the top {top}"
    elif "first" in reading.flags and place.rank != 1:
        wrong = f"it stands in {ordinal(place.rank)} place"
    return wrong, {"rank": place.rank, "of": ground.unseen}


def year(reading: Reading, talk: Talk) -> Tested:
    """Test the item's year."""
    rec = talk.ground.ws.recommender
    year = float(rec.items["year"].iloc[rec.item_ids.index(talk.ground.item)])
    if year != year:
        return "the data have no year of it", {"year": None}
    wrong = None if number(reading.parts["year"]) == year else f"its year is {year:.0f}"
    return wrong, {"year": int(year)}


def rating(reading: Reading, talk: Talk) -> Tested:
    """Test the item's mean rating, their number and the scale."""
    facts, parts = talk.ground.facts, reading.parts
    values: Values = {"mean": facts.mean, "count": facts.ratings, "best": facts.best}
    if facts.mean is None or facts.best is None:
        return "the item has no ratings", values
    wrong = None
    if (said := parts.get("mean")) is not None and not _shown(said.values[0], facts.mean):
        wrong = f"its mean rating is {facts.mean:.2f}"
    elif (best := number(parts.get("best"))) is not None and best != facts.best:
        wrong = f"the best rating is {facts.best:g}"
    elif (count := number(parts.get("count"))) is not None and count != facts.ratings:
        wrong = f"it has {facts.ratings:,} ratings"
    return wrong, values


def popularity(reading: Reading, talk: Talk) -> Tested:
    """Test how many users liked the item, and its place by that."""
    facts, parts = talk.ground.facts, reading.parts
    values: Values = {"liked": facts.liked, "place": facts.place, "of": facts.of}
    wrong = None
    if (said := number(parts.get("liked"))) is not None and said != facts.liked:
        wrong = f"{facts.liked:,} users liked it"
    elif (said := number(parts.get("place"))) is not None and said != facts.place:
        wrong = f"it comes {ordinal(facts.place)} by likes"
    elif (said := number(parts.get("of"))) is not None and said != facts.of:
        wrong = f"there are {facts.of:,} items"
    elif "popular" in reading.flags and facts.place > max(1, POPULAR * facts.of):
        wrong = f"it comes {ordinal(facts.place)} of {facts.of:,} by likes"
    return wrong, values


def _shown(said: str, found: float) -> bool:
    """Return whether a number, to the decimals that it is said with, is the one found."""
    decimals = len(said.partition(".")[2])
    return abs(float(said) - found) <= 0.5 * 10.0**-decimals + 1e-9
