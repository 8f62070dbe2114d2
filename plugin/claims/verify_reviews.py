"""Look again at the stored reviews for what is claimed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from whythis.claims.comparing import differs
from whythis.claims.execution import Execution
from whythis.claims.kinds import AspectCount, Mentions, OwnAspect, OwnWords, ReviewQuote
from whythis.recsys.interactions import shown
from whythis.tools.aspects import own_aspects
from whythis.tools.mentions import count_mentions, count_own_words
from whythis.tools.reviews.parsing import holds
from whythis.tools.reviews.quotable import unquotable
from whythis.tools.reviews.sentences import folded


def _review_quote(claim: ReviewQuote, run: Execution) -> str | None:
    ws = run.ws
    stored = ws.store().get(claim.subject.review or "")
    if stored.item != claim.subject.item:
        return f"that sentence is from a review of item {stored.item!r}"
    if stored.user == claim.subject.user:
        return "that sentence is the user's own review of the item"
    if stored.text != claim.value.quote:
        return "the stored sentence reads otherwise"
    if (stored.rating, stored.source) != (claim.value.rating, claim.value.source):
        return "the review's rating or source is another"
    if (reason := unquotable(stored.text)) is not None:
        return f"the sentence may not be quoted: {reason}"
    evidence = {sentence.id for sentence in ws.item_sentences(claim.subject.user, stored.item)}
    if stored.id in evidence:
        return None
    if not ws.is_past(stored):
        return "that review is not older than what is explained"
    return "that sentence repeats another one"


def _mentions(claim: Mentions, run: Execution) -> str | None:
    run.ws.store()
    subject, value = claim.subject, claim.value
    if folded(value.word) != value.word:
        return "the word is not written as it was looked for"
    found = count_mentions(run.ws, subject.user, subject.item, value.word)
    return (
        differs("the number of sentences with that word", value.sentences, found.sentences)
        or differs("the number from favourable reviews", value.favourable, found.favourable)
        or differs("the number from critical reviews", value.critical, found.critical)
        or differs("the number of sentences", value.of, found.of)
        or (None if value.source == found.source else f"the source is {found.source!r}")
    )


def _own_words(claim: OwnWords, run: Execution) -> str | None:
    run.ws.store()
    subject, value = claim.subject, claim.value
    if folded(value.word) != value.word:
        return "the word is not written as it was looked for"
    found = count_own_words(run.ws, subject.user, subject.item, value.word)
    return differs(
        "the number of sentences with that word", value.sentences, found.sentences
    ) or differs("the number of sentences", value.of, found.of)


def _aspect_count(claim: AspectCount, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    found = run.item_aspects(subject.user, subject.item).get(value.aspect)
    if found is None:
        return f"its reviews judge no {shown(value.aspect)}"
    return (
        differs("the number of sentences that speak well of it", value.positive, found.positive)
        or differs("the number that speak badly of it", value.negative, found.negative)
        or differs("the number of sentences", value.of, found.of)
        or (None if value.source == found.source else f"the source is {found.source!r}")
        or _without_word(claim, found.sentences, run)
    )


def _own_aspect(claim: OwnAspect, run: Execution) -> str | None:
    subject, value = claim.subject, claim.value
    found = own_aspects(run.ws, subject.user, subject.item).get(value.aspect)
    if found is None:
        return f"the user's other reviews judge no {shown(value.aspect)}"
    return (
        differs("the number of reviews that judge it", value.reviews, found.reviews)
        or differs("the number of reviews", value.of, found.of)
        or _without_word(claim, found.sentences, run)
    )


def _without_word(
    claim: AspectCount | OwnAspect, counted: Sequence[str], run: Execution
) -> str | None:
    """Return which counted sentence does not hold the aspect's words, as it is stored now."""
    texts = run.texts(claim.subject.user, claim.subject.item)
    for id_ in counted:
        if not holds(texts[id_], claim.value.aspect):
            return f"sentence {shown(id_)} is counted, but does not hold the word"
    return None


VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {
        "review_quote": _review_quote,
        "mentions": _mentions,
        "own_words": _own_words,
        "aspect_count": _aspect_count,
        "own_aspect": _own_aspect,
    }
)
