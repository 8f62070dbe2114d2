"""Make quotations false: altered, spliced, of another item, of the wrong tone, or the user's own.

No altered quotation stands in any stored review of the item, as a whole or inside a sentence.
"""

from __future__ import annotations

import re

from whythis.bench.falsehoods import Lies, Scene
from whythis.bench.ground_truth import GroundTruth
from whythis.bench.mutation_spans import rewritten
from whythis.bench.paraphrasing import Told

_WORD = re.compile(r"\b[^\W\d_]{4,}\b")
_AUXILIARY = re.compile(r"\b(is|was|are|were|has|had|can|could|would|will|should|does|did|do)\b")
_DENIAL = re.compile(r"\b(?:not|never|no|hardly|without) |n['’]t\b")


def word_changed(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Change one word of the quotation into a word from another review."""
    for quote in _quoted(told):
        words = list(_WORD.finditer(quote))
        pool = sorted({w for s in _elsewhere(truth, scene) for w in _WORD.findall(s)})
        for found in scene.some(words, 2):
            other = scene.one(pool)
            if other is not None and other.casefold() != found[0].casefold():
                changed = quote[: found.start()] + other + quote[found.end() :]
                yield from _with(told, truth, quote, changed, f"the review says {found[0]!r}")


def negated(told: Told, truth: GroundTruth, _scene: Scene) -> Lies:
    """Put a negation into the quotation, or take one out of it."""
    for quote in _quoted(told):
        without = _DENIAL.sub("", quote, count=1)
        found = _AUXILIARY.search(quote)
        if found is not None:
            changed = f"{quote[: found.end()]} not{quote[found.end() :]}"
            yield from _with(told, truth, quote, changed, "a negation was put in")
        elif without == quote:
            head, gap, tail = quote.partition(" ")
            yield from _with(told, truth, quote, f"{head}{gap}never {tail}", "“never” was put in")
        if without != quote:
            yield from _with(told, truth, quote, without, "a negation was taken out")


def spliced(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Put the beginning of one review and the end of another together."""
    for quote in _quoted(told):
        own = [s.text for s in truth.quotes if told.quote and s.review != told.quote.review]
        for other in (scene.one(own), scene.one(_elsewhere(truth, scene))):
            if other is not None:
                one, two = quote.split(), other.split()
                changed = " ".join([*one[: (len(one) + 1) // 2], *two[len(two) // 2 :]])
                yield from _with(told, truth, quote, changed, "two reviews are spliced")


def of_another_item(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Quote truly what was written about another item."""
    for quote in _quoted(told):
        if (other := scene.one(_elsewhere(truth, scene))) is not None:
            yield from _with(told, truth, quote, other, "that was written about another item")


def tone_turned(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Call a favourable review critical, and a critical one favourable; its rating says which."""
    if told.quote is None or told.quote.rating is None:
        return
    if told.quote.rating >= truth.like:
        turns = [(r"\b(favourable|positive)\b", "critical"), (r"\bwho liked it\b", "who hated it")]
        turns += [(r"\bhighly\b", "badly"), (r"\b(?:One|A) (reviewer|review)\b", r"One angry \1")]
    elif told.quote.rating <= truth.dislike:
        turns = [(r"\b(critical|negative)\b", "favourable"), (r"\bless happy\b", "delighted")]
        turns += [
            (r"\bNot every(one|body)\b", r"Every\1"),
            (r"\bOne (reviewer|review)\b", r"One enthusiastic \1"),
        ]
    else:
        return
    found = [text for pattern, by in turns for text in rewritten(told, truth, pattern, by)]
    for text in scene.some(found, 1):
        yield text, f"the reviewer rated it {told.quote.rating:g}"


def leaked(told: Told, _truth: GroundTruth, _scene: Scene) -> Lies:
    """Leave the sentence as it is: the review quoted is to be made the user's own."""
    if told.quote is not None:
        yield told.text, "it quotes the user's own review of the item"


def _quoted(told: Told) -> list[str]:
    quote = told.quote.text if told.quote is not None else None
    return [quote] if quote is not None and quote in told.text else []


def _elsewhere(truth: GroundTruth, scene: Scene) -> list[str]:
    return [s.text for other in scene.others if other.item != truth.item for s in other.quotes]


def _with(told: Told, truth: GroundTruth, quote: str, changed: str, false: str) -> Lies:
    stored = truth.ws.reviews.of_item(truth.item) if truth.ws.reviews is not None else ()
    if not any(_plain(changed) in _plain(sentence.text) for sentence in stored):
        yield told.text.replace(quote, changed), false


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
