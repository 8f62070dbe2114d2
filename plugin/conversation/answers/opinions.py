"""Say what reviews say of an item, or of one aspect of it: quotations and counts, no summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from whythis.claims.kinds import CLAIM, Claim
from whythis.conversation.answers.help import one_item
from whythis.conversation.answers.why import seen
from whythis.conversation.reply import Event
from whythis.conversation.turn import Turn
from whythis.recsys.errors import DataError
from whythis.text.wording import clean
from whythis.tools import probes
from whythis.tools.aspect_probes import aspects
from whythis.tools.aspects import item_aspects
from whythis.tools.catalogue import access
from whythis.tools.evidence import Evidence
from whythis.tools.mentions import mentions
from whythis.tools.reviews.query import named
from whythis.tools.reviews.retrieval import Hit, pool
from whythis.tools.reviews.sentences import folded
from whythis.tools.tones import tone_of

QUOTED = 3
NEAR = 0.45
"""A sentence speaks of what is asked where it holds a word of it, or its embedding has at least
this cosine with that of the question."""

_ABOUT = 60  # characters of what is asked that are looked for
_WORD = re.compile(r"\w+(?:['-]\w+)*")
_STOP = frozenset(
    {"a", "an", "the", "of", "in", "on", "at", "and", "or", "is", "are", "was", "it", "its", "this"}
    | {"that", "about", "for", "with", "to", "how", "what", "who", "do", "does", "there", "their"}
    | {"they", "people", "say", "think", "any", "some", "good", "bad", "like", "film", "movie"}
    | {"product", "book", "item", "thing"}
)


def opinions(turn: Turn) -> Iterator[Event]:
    """Say what reviews say; where nobody speaks of what is asked, say that."""
    yield from one_item(turn)
    item = turn.focus
    if turn.asks_back or item is None:
        return
    if turn.has_seen(item):
        yield from seen(turn, item)
        yield turn.fixed("unseen_only")
        return
    yield turn.step("reviews", "Reading the reviews")
    if turn.ws.reviews is None:
        found = access(turn.ws)
        yield from turn.found(found)
        yield from turn.tell(turn.about(found, item), ("cannot_know",))
        return
    if not turn.ws.item_sentences(turn.user, item):
        yield from turn.state("unreviewed", user=turn.user, item=item)
        return
    about = " ".join(clean(turn.route.about or "").split())[:_ABOUT].strip()
    if about:
        yield from _of_aspect(turn, item, about)
    else:
        yield from _of_item(turn, item)
    turn.suggest("why", "more", titles=[turn.rec.title(item)])


def _of_item(turn: Turn, item: str) -> Iterator[Event]:
    found = probes.reviews(turn.ws, turn.user, item)
    if turn.ws.opinions is not None:
        found += aspects(turn.ws, turn.user, item, 3)
    found += probes.facts(turn.ws, turn.user, item)
    yield from turn.found(found)
    ledger = turn.about(found, item)
    yield from turn.tell(ledger, ("aspect_count",))
    yield from turn.tell(ledger, ("review_quote",))
    yield from turn.tell(ledger, ("rating",))


def _of_aspect(turn: Turn, item: str, about: str) -> Iterator[Event]:
    words = [w for w in _WORD.findall(folded(about)) if w not in _STOP] or [folded(about)]
    hits = [h for h in pool(turn.ws, turn.user, item, about).choose(9) if _speaks(h, words)]
    counts = _counts(turn, item, about, words, said=bool(hits))
    yield from turn.found(counts)
    yield from turn.tell(turn.about(counts, item), ("aspect_count", "mentions"), most=1)
    chosen = _varied(turn, hits)
    records = [_record(turn, item, about, hit) for hit in chosen]
    yield from turn.found(records)
    for record in records:
        ledger = turn.ledger([_quote(turn, item, record)], item)
        yield from turn.tell(ledger, ("review_quote",))


def _counts(
    turn: Turn, item: str, about: str, words: Sequence[str], *, said: bool
) -> tuple[Evidence, ...]:
    """Count what its reviews judge of the aspect, else the sentences that hold its main word."""
    if turn.ws.opinions is not None:
        judged = item_aspects(turn.ws, turn.user, item)
        asked = [a for a in judged if a in named(turn.ws, about)]
        if asked:
            every = aspects(turn.ws, turn.user, item, len(judged))
            return tuple(e for e in every if e.value["aspect"] == max(asked, key=len))
    best: tuple[Evidence, ...] = ()
    for word in reversed(words):
        for form in _forms(word):
            try:
                found = mentions(turn.ws, turn.user, item, form)
            except DataError:  # no word at all
                continue
            if found and found[0].value["sentences"]:
                return found
            best = best or found
    return () if said else best


def _forms(word: str) -> tuple[str, ...]:
    """Return a word and its other number."""
    return (word, word[:-1] if word.endswith("s") else f"{word}s")


def _speaks(hit: Hit, words: Sequence[str]) -> bool:
    said = set(_WORD.findall(folded(hit.sentence.text)))
    return hit.parts["vector"] >= NEAR or any(
        form in said for word in words for form in _forms(word)
    )


def _varied(turn: Turn, hits: Sequence[Hit]) -> list[Hit]:
    """Return the best hits, a critical one among them where there is one."""
    critical = [h for h in hits if tone_of(turn.ws, h.sentence.rating) == "critical"]
    chosen = list(hits[:QUOTED])
    if critical and not any(h in chosen for h in critical):
        chosen[-1] = critical[0]
    return chosen


def _record(turn: Turn, item: str, about: str, hit: Hit) -> Evidence:
    tone = tone_of(turn.ws, hit.sentence.rating)
    return probes.voice(hit, tone, turn.user, item, about, QUOTED)


def _quote(turn: Turn, item: str, record: Evidence) -> Claim:
    value = record.value
    return CLAIM.validate_python(
        {
            "kind": "review_quote",
            "id": "q1",
            "value": {key: value[k] for key, k in _QUOTE.items()},
            "subject": {"user": turn.user, "item": item, "review": value["sentence"]},
            "evidence": (record.id,),
        }
    )


_QUOTE = {"quote": "text", "rating": "rating", "source": "source"}
