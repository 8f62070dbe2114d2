"""Say numbers, claims and verdicts in the words that every surface shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import assert_never

from whythis.claims.kinds import (
    AspectCount,
    Basis,
    CannotKnow,
    Circle,
    Claim,
    Contribution,
    HistoryEffect,
    ItemComparison,
    Level,
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
from whythis.claims.unknowable import unknowable
from whythis.claims.values import Proof
from whythis.explanation import Outcome


class Theirs(str):
    """Mark text that somebody else wrote: a surface shows it, isolates it, never parses it."""

    __slots__ = ()


class Quote(Theirs):
    """Mark words that stand in a review, letter for letter."""

    __slots__ = ()


Words = tuple[str, ...]
"""Text in pieces, each ours (`str`) or somebody else's (`Theirs`, `Quote`)."""

LEVELS: dict[Level, str] = {
    "exact": "the model's own arithmetic",
    "executed": "the model was run again",
    "refit": "fitted again",
    "observed": "a fact of the data",
    "illustrative": "an example, no cause",
}
MARKS: dict[Outcome, str] = {"verified": "✓", "refuted": "✗", "uncheckable": "?"}
KINDS: dict[str, str] = {
    "persona_share": "share of a taste",
    "persona_effect": "effect of a taste",
    "persona_items": "what a taste rests on",
    "history_effect": "effect of past items",
    "review_quote": "review",
    "rating": "ratings",
    "popularity": "popularity",
    "rank": "rank",
    "not_about_you": "not about you",
    "persona_comparison": "one taste beside another",
    "contribution": "part of the score",
    "necessary_set": "past items it cannot do without",
    "sufficient_set": "past items that are enough",
    "mentions": "a word in the reviews",
    "own_words": "a word in your reviews",
    "aspect_count": "what its reviews judge",
    "own_aspect": "what your reviews judge",
    "recent": "latest likes",
    "metadata": "catalogue",
    "item_comparison": "one item beside another",
    "similarity": "similarity",
    "cannot_know": "cannot be known",
    "basis": "what it rests on",
    "circle": "people with similar likes",
    "personal_effect": "effect over models fitted again",
}

_PROOFS: dict[Proof, str] = {"proven": "no smaller set does", "found": "none of them can be spared"}
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
# Embeddings, overrides, isolates and marks reorder the text around them; nobody sees tags.
_REORDER = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def clean(text: str) -> Theirs:
    """Return somebody else's text on one line, fit to be shown.

    Control characters and lone surrogates become U+FFFD (a terminal obeys an escape sequence),
    bidirectional controls and invisible tags go, runs of white space become one space.
    """
    return Theirs(" ".join(_CONTROL.sub("\ufffd", _REORDER.sub("", text)).split()))


def ordinal(rank: int) -> str:
    """Return 1 as 1st, 2 as 2nd, 11 as 11th, 1003 as 1,003rd."""
    teen = 10 <= rank % 100 <= 20
    return f"{rank:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th')}"


def percent(share: float) -> str:
    """Return a share 0..1 in whole percent; neither 0 % nor 100 % unless it is just that."""
    if 0 < share < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def sign(effect: float) -> int:
    """Return -1, 0 or 1: the sign that is left at two decimals."""
    shown = round(effect, 2)
    return (shown > 0) - (shown < 0)


def signed(effect: float) -> str:
    """Return an effect with arrow, sign and two decimals: ▲ +0.84, ▼ −0.31, ● 0.00."""
    return f"{('●', '▲', '▼')[sign(effect)]} {('', '+', '−')[sign(effect)]}{abs(effect):.2f}"


def direction(effect: float) -> str:
    """Return what an effect of this sign does to the item."""
    return ("hardly matters", "raises its score", "lowers its score")[sign(effect)]


def count(number: int, noun: str) -> str:
    """Return 1 as "1 claim", 2 as "2 claims"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listing(texts: Sequence[str]) -> Words:
    """Return "a", "a and b", "a, b and c" in pieces."""
    last = len(texts) - 1
    joints = ("" if n == 0 else " and " if n == last else ", " for n in range(len(texts)))
    return tuple(
        piece for pair in zip(joints, map(clean, texts), strict=True) for piece in pair if piece
    )


def in_words(claim: Claim, titles: Mapping[str, str]) -> Words:
    """Return what a claim says, with its value; `titles` names the items of its subject."""
    items = listing([titles.get(i, f"item {i}") for i in claim.subject.items])
    match claim:
        case PersonaShare():
            return (*_taste(claim.value.name), f" weighs {percent(claim.value.share)}")
        case PersonaEffect():
            value = claim.value
            moved = _ranks(value.rank_before, value.rank_after)
            return (
                *_taste(value.name),
                f" {direction(value.effect)} ({signed(value.effect)}): without it the {moved}",
            )
        case PersonaItems():
            return (*_taste(claim.value.name), " rests most on ", *items)
        case HistoryEffect():
            past = claim.value
            if past.rank_after is None:
                moved = f"rank goes from {ordinal(past.rank_before)} to one that is not listed"
            else:
                moved = _ranks(past.rank_before, past.rank_after)
            scores = ""
            if past.score_before is not None and past.score_after is not None:
                scores = f"; score {past.score_before:.2f} to {past.score_after:.2f}"
            end = "outside" if past.outside else "still in"
            return ("Without ", *items, f": {moved}, {end} the top {past.top}{scores}")
        case ReviewQuote():
            return _quotation(claim)
        case RatingFact():
            mean, best = f"{claim.value.mean:.2f}", f"{claim.value.best:g}"
            return (f"Rated {mean} of {best} on average, {count(claim.value.count, 'rating')}",)
        case PopularityFact():
            liked, place, of = claim.value.liked, claim.value.place, claim.value.of
            return (f"Liked by {count(liked, 'user')}: {ordinal(place)} of {count(of, 'item')}",)
        case RankFact():
            rank, of = claim.value.rank, claim.value.of
            return (f"Ranks {ordinal(rank)} of {count(of, 'item')} not seen yet",)
        case NotAboutYou():
            mine, bare = ordinal(claim.value.rank), ordinal(claim.value.rank_without_history)
            return (f"Ranks {mine}, and {bare} without any history (top {claim.value.top})",)
        case PersonaComparison():
            pair = claim.value
            return (
                *_taste(pair.name),
                f" ({signed(pair.effect)}) does more for its score than the taste for ",
                clean(pair.other_name),
                f" ({signed(pair.other_effect)})",
            )
        case NecessarySet():
            past_ = claim.value
            after = "to one that is not listed"
            if past_.rank_after is not None:
                after = f"to {ordinal(past_.rank_after)}"
            left = f": rank goes from {ordinal(past_.rank_before)} {after}, out of the top"
            return ("Without ", *items, f"{left} {past_.top}; {_PROOFS[past_.minimal]}")
        case SufficientSet():
            alone = claim.value
            ranked = f": ranks {ordinal(alone.rank_alone)}, within the top {alone.top}"
            return ("With nothing but ", *items, f"{ranked}; {_PROOFS[alone.minimal]}")
        case Contribution():
            part = claim.value
            whole = "" if part.share is None else f", {percent(part.share)} of the sum"
            told = f" counts {signed(part.contribution)} in the score, {ordinal(part.place)} of"
            return (*items, f"{told} {count(part.of, 'past item')}{whole}")
        case Recent():
            return ("Liked last: ", *items, f" (of {count(claim.value.of, 'like')})")
        case Similarity():
            cosine = f"{claim.value.cosine:.2f}".replace("-", "−")
            return ("Similarity to ", *items, f": {cosine} (−1 to 1), an example and no cause")
        case Mentions():
            said = claim.value
            found = f"” stands in {said.sentences:,} of {count(said.of, 'review sentence')}"
            tones = f": {said.favourable:,} favourable, {said.critical:,} critical"
            return ("“", clean(said.word), f"{found}{tones}", *_source(said.source))
        case OwnWords():
            own = claim.value
            found = f"” stands in {own.sentences:,} of {count(own.of, 'sentence')}"
            return ("“", clean(own.word), f"{found} the user wrote on other items")
        case AspectCount():
            told_ = claim.value
            among = f"” in {count(told_.of, 'review sentence')}, read by rules: "
            tones = f"{told_.positive:,} well, {told_.negative:,} badly"
            return ("“", clean(told_.aspect), f"{among}{tones}", *_source(told_.source))
        case OwnAspect():
            judged = claim.value
            found = f"” is judged in {judged.reviews:,} of {count(judged.of, 'review')}"
            return (
                "“",
                clean(judged.aspect),
                f"{found} the user wrote of other items, read by rules",
            )
        case Metadata():
            return (f"{claim.value.field.capitalize()}: ", *listing(claim.value.entries))
        case ItemComparison():
            both = claim.value
            theirs = "below the list" if both.other_rank is None else ordinal(both.other_rank)
            other = claim.subject.other_item or ""
            return (
                f"Ranks {ordinal(both.rank)}, above ",
                clean(titles.get(other, f"item {other}")),
                f" ({theirs})",
            )
        case CannotKnow():
            lacking = unknowable(claim)
            return (f"{lacking[:1].upper()}{lacking[1:]}",)
        case Basis():
            stands = claim.value
            known = f"{count(stands.likes, 'like')}, {count(stands.reviews, 'own review')}"
            return (f"Rests on {stands.rung.replace('_', ' ')} ({known})",)
        case Circle():
            near = claim.value
            told = f"Liked by {near.liked:,} of {count(near.size, 'user')} with similar likes, by "
            return (f"{told}{near.everyone:,} of {count(near.users, 'other user')}",)
        case PersonalEffect():
            again = claim.value
            ends = f"{100 * again.low:.2f} % to {100 * again.high:.2f} %".replace("-", "−")
            told = f"All past likes over {count(again.refits, 'model')} fitted again: "
            mean = f"{100 * again.effect:+.2f} % of the places".replace("-", "−")
            return (f"{told}{mean} (95 % interval {ends}), raised in {again.raised:,}",)
    assert_never(claim)


def _taste(name: str) -> Words:
    return ("The taste for ", clean(name))


def _ranks(before: int, after: int) -> str:
    if before == after:
        return f"rank stays {ordinal(before)}"
    return f"rank goes from {ordinal(before)} to {ordinal(after)}"


def _quotation(claim: ReviewQuote) -> Words:
    rated = "" if claim.value.rating is None else f", rated {claim.value.rating:g}"
    review = ("review ", clean(claim.subject.review)) if claim.subject.review else ("a review",)
    return (
        "“",
        Quote(clean(claim.value.quote)),
        f"”{rated} · ",
        *review,
        *_source(claim.value.source),
    )


def _source(name: str) -> Words:
    return (" · sample review",) if name == "sample" else (" · from ", clean(name))
