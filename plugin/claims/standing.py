"""Say what an answer rests on, who else liked the item, and what refits say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from whythis.claims.values import BasisValue, CircleValue, PersonalEffectValue
from whythis.tools.circle import SIZE
from whythis.tools.ladder import Rung

THIN = 5
"""A history of so many likes or fewer is thin: an answer then says what it rests on instead."""

_ON: Mapping[Rung, str] = MappingProxyType(
    {
        "history": "what you liked",
        "own_reviews": "what you wrote yourself and what its reviews say",
        "circle": "the people whose likes are most like yours",
        "item_reviews": "what its reviews say",
        "popularity": "how many people like it",
    }
)


def is_thin(value: BasisValue) -> bool:
    """Return whether little is known of the user, and the answer rests on something else."""
    return value.rung != "history" and value.likes <= THIN


def rests(value: BasisValue) -> dict[str, str]:
    """Return what is known of the user, what the answer rests on, and both in one clause."""
    known, ground = _known(value), _ON[value.rung]
    joint = ", and" if value.rung == "history" else ", so"
    return {"rests": f"{known}{joint} this rests on {ground}", "ground": ground, "known": known}


def _known(value: BasisValue) -> str:
    titles = _counted(value.likes, "title")
    if value.rung == "history":
        return f"you have liked {titles}"
    if value.likes > THIN:
        return f"your {value.likes:,} past likes show no clear effect on it"
    if value.likes and value.reviews:
        return f"you have liked {titles} so far and written {_counted(value.reviews, 'review')}"
    if value.likes:
        return f"you have liked {titles} so far"
    if value.reviews:
        wrote = _counted(value.reviews, "review")
        return f"you have liked nothing here so far, but written {wrote}"
    return "you have liked nothing here so far" if value.seen else "you are new here"


def near(value: CircleValue) -> str:
    """Return how many of the users with similar likes liked the item, and how many others."""
    who = f"{value.size:,} people whose likes are most like yours"
    if value.size < SIZE:  # then these are all of them
        who = f"{value.size:,} people who share a like with you"
    if value.size == 1:
        did = "liked it" if value.liked else "did not like it"
        told = f"the only person who shares a like with you {did}"
    else:
        told = f"of the {who}, {_number(value.liked)} liked it"
    if not value.users:
        return told
    if value.users == 1:
        return f"{told}; the only other person {'did' if value.everyone else 'did not'}"
    return f"{told}; of the other {value.users:,}, {_number(value.everyone)} did"


def refitted(value: PersonalEffectValue) -> str:
    """Return what the past likes do to the item in models fitted again, and the interval."""
    moved = "do not move it"
    if size := abs(round(100 * value.effect, 2)):
        moved = f"move it {'up' if value.effect > 0 else 'down'} by {size:.2f} % of the places"
    told = (
        f"in {value.raised:,} of {value.refits:,} models fitted again on resampled users, your "
        f"past likes raise it; on average they {moved} "
        f"(95 % interval: {_part(value.low)} to {_part(value.high)})"
    )
    return f"{told}, which cannot be told from no effect" if is_doubtful(value) else told


def is_doubtful(value: PersonalEffectValue) -> bool:
    """Return whether the interval of the effect holds none."""
    return value.low <= 0 <= value.high


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _number(count: int) -> str:
    return f"{count:,}" if count else "none"


def _part(share: float) -> str:
    shown = round(100 * share, 2) or 0.0  # no minus before nothing
    return f"{shown:.2f} %".replace("-", "−")
