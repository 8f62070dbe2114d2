"""Say in words what cannot be known of a recommender, and what it would take."""

from __future__ import annotations

from whythis.claims.kinds import CannotKnow

_TASTES = "what each of your tastes does for it"
_PLACE = "where it stands for you"
_LIKES = "what your past likes do for it"
_SAID = "what its reviews say"
ASKED: dict[str, str] = {
    "persona_share": _TASTES,
    "persona_effect": _TASTES,
    "persona_comparison": _TASTES,
    "persona_items": "what your tastes are made of",
    "contribution": "what each of your past likes adds to its score",
    "similarity": "how like your past likes it is",
    "history_effect": _LIKES,
    "necessary_set": _LIKES,
    "sufficient_set": _LIKES,
    "not_about_you": _PLACE,
    "basis": "what this rests on",
    "personal_effect": "what your past likes do for it in models fitted again",
    "rank": _PLACE,
    "item_comparison": _PLACE,
    "review_quote": _SAID,
    "mentions": _SAID,
    "own_words": "what your own reviews say",
    "aspect_count": "what its reviews say of it, one by one",
    "own_aspect": "what your own reviews say",
}
"""What a claim of a kind would tell; of the kinds that need anything."""

SHOWN: dict[str, str] = {
    "top_n": "its best items",
    "scores": "its scores",
    "owned": "the model itself",
}
"""What a recommender shows, in words."""


def unknowable(claim: CannotKnow) -> str:
    """Return what cannot be known, what it would take, and what there is instead."""
    value = claim.value
    asked = ASKED.get(value.wanted, "that")
    if value.needs == "reviews":
        return f"{asked} cannot be known here: there are no reviews to look into"
    return (
        f"{asked} cannot be known here: that takes {SHOWN[value.needs]}, and this recommender "
        f"shows {SHOWN[value.shows]} only"
    )
