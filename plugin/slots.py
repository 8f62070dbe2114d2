"""Fill the slots of a sentence: every name, number, title and quotation comes from here.

A slot is a phrase that carries its own truth ("without that taste it would fall from 3rd to 41st
place"), so a writer can place it badly but cannot turn it round.
"""

from __future__ import annotations

from collections.abc import Mapping

from whythis.claims import (
    Claim,
    HistoryEffect,
    NotAboutYou,
    PersonaEffect,
    PersonaItems,
    PersonaShare,
    PopularityFact,
    RankFact,
    RatingFact,
    ReviewQuote,
)
from whythis.wording import clean, listing, ordinal, percent

REQUIRED: Mapping[str, frozenset[str]] = {
    "persona_share": frozenset({"weight"}),
    "persona_effect": frozenset({"persona"}),
    "persona_items": frozenset({"where"}),
    "history_effect": frozenset({"without", "had"}),
    "review_quote": frozenset({"quote"}),
    "rating": frozenset({"rating"}),
    "popularity": frozenset({"place"}),
    "rank": frozenset({"rank"}),
    "not_about_you": frozenset({"anyone"}),
}
"""The slots of which a sentence citing such a claim must show at least one."""


def slots(claim: Claim, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the phrases a claim offers by slot name; `titles` names the items of its subject."""
    match claim:
        case PersonaShare():
            return {
                "persona": taste(claim.value.name),
                "weight": f"{percent(claim.value.share)} of the weight",
            }
        case PersonaEffect(value=value):
            return {"persona": taste(value.name), "without": _without_taste(claim)}
        case PersonaItems():
            named = "".join(listing([titles[i] for i in claim.subject.items]))
            verb = "weighs" if len(claim.subject.items) == 1 else "weigh"
            return {"persona": taste(claim.value.name), "where": f"in which {named} {verb} most"}
        case HistoryEffect(value=value):
            named = "".join(listing([titles[i] for i in claim.subject.items]))
            if value.rank_after is None:
                moved = f"fall from {ordinal(value.rank_before)} place out of your top {value.top}"
            else:
                moved = _moved(value.rank_before, value.rank_after)
                if value.outside and value.rank_before <= value.top:
                    moved += f", out of your top {value.top}"
            without, had = "without", "had you"
            if value.rank_after == value.rank_before:
                without, had = "even without", "even if you had"
            return {
                "without": f"{without} {named} in your history, it would {moved}",
                "had": f"{had} never liked {named}, it would {moved}",
            }
        case ReviewQuote(value=value):
            return {"quote": f"“{clean(value.quote)}” ({citation(value.source, value.rating)})"}
        case RatingFact(value=value):
            people = "1 person" if value.count == 1 else f"{value.count:,} people"
            return {"rating": f"{value.mean:.1f} of {value.best:g} from {people}"}
        case PopularityFact(value=value):
            return {"place": f"{ordinal(value.place)} of {value.of:,} by number of likes"}
        case RankFact(value=value):
            return {"rank": f"{ordinal(value.rank)} of the {value.of:,} you have not seen"}
        case NotAboutYou(value=value):
            return {
                "anyone": "with nothing known about you it would still stand in "
                f"{ordinal(value.rank_without_history)} place"
            }


def taste(name: str) -> str:
    """Return how a persona is spoken of."""
    return f"taste for {clean(name)}"


def citation(source: str, rating: float | None) -> str:
    """Return the mark every quotation carries; a sample is always called one."""
    kind = "sample review" if source == "sample" else "review"
    return kind if rating is None else f"{kind}, rated {rating:g}"


def _moved(before: int, after: int) -> str:
    if after == before:
        return f"stay in {ordinal(before)} place"
    verb = "fall" if after > before else "rise"
    return f"{verb} from {ordinal(before)} to {ordinal(after)} place"


def _without_taste(claim: PersonaEffect) -> str:
    value = claim.value
    moved = _moved(value.rank_before, value.rank_after)
    change = value.rank_after - value.rank_before
    if change * value.effect > 0:
        return f"without that taste it would {moved}"
    score = "drop" if value.effect > 0 else "rise"
    return f"without that taste its score would {score}, though it would {moved}"
