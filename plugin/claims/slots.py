"""Fill the slots of a sentence: every name, number, title and quotation comes from here.

A slot is a phrase that carries its own truth ("without that taste it would fall from 3rd to 41st
place"), so a writer can place it badly but cannot turn it round.
"""

from __future__ import annotations

from collections.abc import Mapping

from whythis.claims.kinds import (
    AspectCount,
    Basis,
    CannotKnow,
    Circle,
    Claim,
    Contribution,
    HistoryEffect,
    ItemComparison,
    Mentions,
    Metadata,
    NecessarySet,
    NotAboutYou,
    OwnAspect,
    OwnWords,
    PersonaComparison,
    PersonaEffect,
    PersonaItems,
    PersonalEffect,
    PersonaShare,
    PopularityFact,
    RankFact,
    RatingFact,
    Recent,
    ReviewQuote,
    Similarity,
    SufficientSet,
)
from whythis.claims.standing import near, refitted, rests
from whythis.claims.unknowable import unknowable
from whythis.recsys.scorer import Scorer
from whythis.text.wording import clean, listing, ordinal, percent

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
    "persona_comparison": frozenset({"more"}),
    "contribution": frozenset({"adds"}),
    "necessary_set": frozenset({"gone"}),
    "sufficient_set": frozenset({"enough"}),
    "mentions": frozenset({"mentions"}),
    "own_words": frozenset({"mine"}),
    "recent": frozenset({"latest"}),
    "metadata": frozenset({"fact"}),
    "item_comparison": frozenset({"above"}),
    "similarity": frozenset({"alike"}),
    "cannot_know": frozenset({"unknown"}),
    "aspect_count": frozenset({"spoken"}),
    "own_aspect": frozenset({"judged"}),
    "basis": frozenset({"rests", "ground"}),
    "circle": frozenset({"near"}),
    "personal_effect": frozenset({"refits"}),
}
"""The slots of which a sentence citing such a claim must show at least one."""


_BY_RULES = ", as rules read them"
"""Whoever counted: no person read the sentences for it."""


def slots(claim: Claim, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the phrases a claim offers by slot name; `titles` names its past and other items."""
    # catalogues hold some items twice: a title is said once
    said = list(dict.fromkeys(titles[i] for i in claim.subject.items))
    named = "".join(listing(said))
    match claim:
        case PersonaShare():
            return {
                "persona": taste(claim.value.name),
                "weight": f"{percent(claim.value.share)} of the weight",
            }
        case PersonaEffect(value=value):
            return {"persona": taste(value.name), "without": _without_taste(claim)}
        case PersonaItems():
            verb = "weighs" if len(said) == 1 else "weigh"
            return {"persona": taste(claim.value.name), "where": f"in which {named} {verb} most"}
        case HistoryEffect(value=value):
            outside = value.outside and value.rank_before <= value.top
            moved = _moved_out(value.rank_before, value.rank_after, value.top if outside else None)
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
        case PersonaComparison():
            return {"more": _compared(claim)}
        case NecessarySet(value=value):
            moved = _moved_out(value.rank_before, value.rank_after, value.top)
            proofs = {
                "proven": "no fewer of your past likes would do that",
                "found": "with any one of them back it would not",
            }
            spare = f", and {proofs[value.minimal]}" if len(claim.subject.items) > 1 else ""
            return {"gone": f"without {named} in your history, it would {moved}{spare}"}
        case SufficientSet(value=value):
            proofs = {
                "proven": "no fewer of your past likes would be enough",
                "found": "none of them can be left out",
            }
            spare = f", and {proofs[value.minimal]}" if len(claim.subject.items) > 1 else ""
            return {
                "enough": f"with nothing but {named} in your history, it would stand in "
                f"{ordinal(value.rank_alone)} place, within your top {value.top}{spare}"
            }
        case Contribution():
            return {"adds": f"{named} {_added(claim)}"}
        case Recent():
            many = len(claim.subject.items) > 1
            verb = "latest likes, the newest first, are" if many else "latest like is"
            return {"latest": f"your {verb} {named}"}
        case Similarity(value=value):
            return {
                "alike": f"the similarity of {named}, which you liked, to it is "
                f"{_minus(f'{value.cosine:.2f}')} on a scale from −1 to 1, which is an example "
                "and no cause"
            }
        case Mentions(value=value):
            kind = "sample reviews" if value.source == "sample" else "reviews"
            where = f"{value.sentences:,} of the {value.of:,} sentences of its {kind}"
            tones = f", {value.favourable:,} in favourable and {value.critical:,} in critical ones"
            if not value.sentences:
                where, tones = f"none of the {value.of:,} sentences of its {kind}", ""
            return {"mentions": f"the word “{clean(value.word)}” stands in {where}{tones}"}
        case OwnWords(value=value):
            where = f"{value.sentences:,} of the {value.of:,} sentences you wrote on other titles"
            if not value.sentences:
                where = f"none of the {value.of:,} sentences you wrote on other titles"
            return {"mine": f"the word “{clean(value.word)}” stands in {where}"}
        case AspectCount():
            return {"spoken": _spoken(claim)}
        case OwnAspect(value=value):
            where = f"{value.reviews:,} of your {value.of:,} reviews of other titles"
            if value.of == 1:
                where = "your only review of another title"
            return {"judged": f"you judge the “{clean(value.aspect)}” in {where}{_BY_RULES}"}
        case Metadata(value=value):
            told = "".join(listing(value.entries))
            return {"fact": f"it is {'from' if value.field == 'year' else 'listed under'} {told}"}
        case ItemComparison(value=value):
            other = clean(titles[claim.subject.other_item or ""])
            theirs = "further down than the list goes"
            if value.other_rank is not None:
                theirs = f"in {ordinal(value.other_rank)}"
            mine = f"it stands in {ordinal(value.rank)} place for you"
            return {"above": f"{mine} and {other} {theirs}"}
        case CannotKnow():
            return {"unknown": unknowable(claim)}
        case Basis(value=value):
            return rests(value)
        case Circle(value=value):
            return {"near": near(value)}
        case PersonalEffect(value=value):
            return {"refits": refitted(value)}


def titled(claim: Claim, rec: Scorer) -> dict[str, str]:
    """Return the short titles of the past and other items that a claim names."""
    named = (*claim.subject.items, *filter(None, [claim.subject.other_item]))
    return {item: rec.short_title(item) for item in named}


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


def _moved_out(before: int, after: int | None, top: int | None) -> str:
    if after is None:
        return f"fall from {ordinal(before)} place out of your top {top}"
    return _moved(before, after) + (f", out of your top {top}" if top is not None else "")


def _compared(claim: PersonaComparison) -> str:
    value = claim.value
    one, other = f"your {taste(value.name)}", f"your {taste(value.other_name)}"
    if value.other_effect > 0:
        return f"{one} raises its score by more than {other} does"
    if value.effect < 0:
        return f"{one} lowers its score by less than {other} does"
    return f"{one} does more for its score than {other}"


def _spoken(claim: AspectCount) -> str:
    value = claim.value
    kind = "sample reviews" if value.source == "sample" else "reviews"
    among = f"of the {value.of:,} sentences of its {kind}"
    named = f"the “{clean(value.aspect)}” is spoken of"
    well, badly = f"{value.positive:,}" if value.positive else "none", f"{value.negative:,}"
    if value.of == 1:  # then there is no number to tell it from
        ways = " and ".join(["well"] * value.positive + ["badly"] * value.negative)
        return f"in the only sentence of its {kind} {named} {ways}{_BY_RULES}"
    if value.negative and not value.positive:
        return f"in {badly} {among} {named} badly and in none well{_BY_RULES}"
    badly = badly if value.negative else "none"
    return f"in {well} {among} {named} well and in {badly} badly{_BY_RULES}"


def _added(claim: Contribution) -> str:
    value = claim.value
    size = abs(value.contribution)
    amount = "less than 0.01" if size < 0.005 else f"{size:.2f}"
    told = f"adds {amount} to its score"
    if value.contribution < 0:
        told = f"takes {amount} from its score"
    if value.share is not None:
        likes = f"your {value.of:,} past likes add" if value.of > 1 else "your past like adds"
        return f"{told}, {percent(value.share)} of what {likes} to it"
    return f"{told}, {ordinal(value.place)} of your {value.of:,} past likes by what they add"


def _minus(number: str) -> str:
    return number.replace("-", "−")


def _without_taste(claim: PersonaEffect) -> str:
    value = claim.value
    moved = _moved(value.rank_before, value.rank_after)
    change = value.rank_after - value.rank_before
    if change * value.effect > 0:
        return f"without that taste it would {moved}"
    score = "drop" if value.effect > 0 else "rise"
    return f"without that taste its score would {score}, though it would {moved}"
