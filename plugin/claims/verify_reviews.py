"""Look again at the stored reviews for what is claimed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from whythis.claims.comparing import differs
from whythis.claims.execution import Execution
from whythis.claims.kinds import Mentions, OwnWords, ReviewQuote
from whythis.tools.mentions import count_mentions, count_own_words, folded


def _review_quote(claim: ReviewQuote, run: Execution) -> str | None:
    stored = run.ws.store().get(claim.subject.review or "")
    if stored.item != claim.subject.item:
        return f"that sentence is from a review of item {stored.item!r}"
    if stored.user == claim.subject.user:
        return "that sentence is the user's own review of the item"
    if stored.text != claim.value.quote:
        return "the stored sentence reads otherwise"
    if (stored.rating, stored.source) != (claim.value.rating, claim.value.source):
        return "the review's rating or source is another"
    return None


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


VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {"review_quote": _review_quote, "mentions": _mentions, "own_words": _own_words}
)
