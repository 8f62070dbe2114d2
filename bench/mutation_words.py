"""Say the wrong thing: turned round, denied, overdone, compared wrongly, or made up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from whythis.bench.falsehoods import Lies, Scene, falsehoods
from whythis.bench.ground_truth import GroundTruth
from whythis.bench.mutation_names import CAUSAL, RANKED
from whythis.bench.mutation_spans import rewritten
from whythis.bench.paraphrasing import Told

_BECAUSE = (
    "{title} is here because your taste for {taste} gets {share} of the weight.",
    "Your taste for {taste} gets {share} of the weight, so {title} was recommended.",
    "With {share} of the weight, your taste for {taste} is the reason for {title}.",
    "Thanks to your taste for {taste}, which has {share} of the weight, {title} is in your list.",
    "{title} ranks this high because {share} of the weight lies on your taste for {taste}.",
)


def flipped(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Turn one word of direction round; the sentence tells a direction, so it is false then."""
    if not set(told.kinds) & CAUSAL:
        return
    both = re.search(r"(?i)\bwith\b", told.text) and re.search(r"(?i)\bwithout\b", told.text)
    found = []
    for pattern, by in falsehoods().flips:
        if not (both and by.lower() == "with"):
            found += list(rewritten(told, truth, pattern, by))
    for text in scene.some(found, 3):
        yield text, "the direction is turned round"


def denied(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Put in a negation: the denial of what is true is false."""
    found = [t for p, by in falsehoods().denials for t in rewritten(told, truth, p, by)]
    for text in scene.some(found, 2):
        yield text, "what is true is denied"


def affirmed(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Take out a negation: what is denied in a true sentence does not hold."""
    found = [t for p, by in falsehoods().affirmations for t in rewritten(told, truth, p, by)]
    for text in scene.some(found, 1):
        yield text, "what is denied in truth is affirmed"


def exaggerated(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Say that one cause is the only one where there is another; overdo a size.

    Another taste must speak for the item, or another past like must hold it up. A move is called
    small where it is twenty places or more, and large where it is one.
    """
    words, taste, gone = falsehoods(), told.tastes[0] if told.tastes else None, told.removal
    if set(told.kinds) & CAUSAL:
        named = set(told.named)
        likes = any(rank > truth.rank for i, rank in truth.alone.items() if i not in named)
        tastes = any(t.causes for t in truth.tastes if t not in told.tastes)
        shared = (taste is None or (taste.sign > 0 and tastes)) and (gone is None or likes)
        if shared and not re.search(r"\b(mainly|mostly|only|alone|among other|just)\b", told.text):
            found = [t for p, by in words.sole for t in rewritten(told, truth, p, by)]
            for text in scene.some(found, 2):
                yield text, "it is not the only one"
        moves = {abs(m.rank_after - m.rank_before) for m in (*told.tastes[:1], gone) if m}
        if moves and (min(moves) >= 20 or max(moves) == 1):
            sizes = words.belittled if min(moves) >= 20 else words.blown_up
            found = [t for p, by in sizes for t in rewritten(told, truth, p, by)]
            for text in scene.some(found, 1):
                yield text, f"it moves by {', '.join(map(str, sorted(moves)))}"
    if told.kinds == ("persona_share",) and taste is not None:
        much = "hardly any" if taste.share > 0.2 else "almost all"
        for text in rewritten(
            told, truth, r"\d+\s?(%|per ?cent) of the weight", f"{much} of the weight"
        ):
            yield text, f"it is {taste.share:.0%} of the weight"
    if "rating" in told.kinds and truth.facts.ratings < 1000:
        pattern = r"\b(from |by |the )?\d[\d,]* (people|users|ratings)"
        for text in scene.some(list(rewritten(told, truth, pattern, r"\1many thousands of \2")), 1):
            yield text, f"it has {truth.facts.ratings} ratings"


def caused_by_share(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Make the weight of a taste a cause, where that taste does not lift the item at all."""
    if told.kinds != ("persona_share",):
        return
    idle = [t for t in truth.tastes if not t.causes and t.sign <= 0]
    for taste in scene.some(idle, 2):
        percent = f"{100 * taste.share:.0f} %"
        say = scene.pick(_BECAUSE)
        text = say.format(title=truth.title, taste=taste.name, share=percent)
        yield text, f"the taste for {taste.name} has weight but does not lift the item"
    if told.tastes[0] in idle:
        yield (
            f"{truth.title} is in your list because {_lowered(told.text)}",
            "the weight is no cause: that taste does not lift the item",
        )


def compared(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Compare wrongly: the lesser taste before the greater, the item above one that beats it."""
    if not set(told.kinds) & (RANKED | {"rating", "popularity", "persona_share"}):
        return
    for text, false in scene.some(list(_comparisons(truth)), 2):
        yield text, false
    first = told.tastes[0] if told.tastes else None
    largest = max((t.effect for t in truth.tastes), default=0.0)
    if first is None or "persona_effect" not in told.kinds or not told.text.startswith("Your "):
        return
    if first.sign > 0 and first.effect < largest - 1e-3:
        text = f"More than any other taste of yours, {_lowered(told.text)}"
        yield text, f"another taste speaks for it more than that for {first.name}"


def _comparisons(truth: GroundTruth) -> Lies:
    title, tastes = truth.title, truth.tastes
    ordered = sorted(tastes, key=lambda t: t.effect)
    for less, more in pairwise(ordered):
        if more.effect - less.effect > 1e-2:
            yield (
                f"Your taste for {less.name} does more for {title} than that for {more.name}.",
                f"the effects are {less.effect:.2f} and {more.effect:.2f}",
            )
            if less.sign > 0:
                yield (
                    f"None of your tastes speaks for {title} more than the one for {less.name}.",
                    f"the one for {more.name} does",
                )
    ordered = sorted(tastes, key=lambda t: t.share)
    for less, more in pairwise(ordered):
        if more.share - less.share > 0.02:
            yield (
                f"Your taste for {less.name} weighs more here than your taste for {more.name}.",
                f"the shares are {less.share:.0%} and {more.share:.0%}",
            )
            yield (
                f"Your taste for {less.name} has the largest weight of all.",
                f"that for {more.name} has more",
            )
    for best in truth.ws.recommender.recommend(truth.user, 10):
        if best.rank < truth.rank:
            other = truth.title_of(best.item)
            yield f"{title} ranks above {other} for you.", f"{other} ranks {best.rank}"
    if truth.rank > 1:
        yield f"Nothing you haven't seen ranks higher for you than {title}.", "other items do"
        yield f"{title} tops your list.", f"it ranks {truth.rank}"
    if truth.facts.place > 0.1 * truth.facts.of:
        yield f"{title} is one of the most liked titles here.", f"{truth.facts.place} by likes"
    if truth.facts.place > 1:
        yield f"No title has more likes than {title}.", f"it is {truth.facts.place} by likes"


def added_sentence(_told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Say something that no data here support."""
    for text in scene.some(list(_about(falsehoods().unsupported, truth, scene)), 2):
        yield text, "nothing supports it"


def added_clause(told: Told, _truth: GroundTruth, scene: Scene) -> Lies:
    """Append an unsupported clause to a true sentence."""
    body, stop = told.text.rstrip("."), "." if told.text.endswith(".") else ""
    for clause in scene.some(list(falsehoods().clauses), 2):
        yield f"{body}{clause}{stop or '.'}", "nothing supports the clause at its end"


def about_others(_told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Say what other people like, which nothing here knows."""
    for text in scene.some(list(_about(falsehoods().others, truth, scene)), 1):
        yield text, "nothing is known of that"


def _about(texts: Sequence[str], truth: GroundTruth, scene: Scene) -> Iterator[str]:
    like = scene.one(list(truth.liked.values()))
    taste = scene.one([t.name for t in truth.tastes])
    for text in texts:
        if ("{like}" not in text or like) and ("{taste}" not in text or taste):
            yield text.format(title=truth.title, like=like, taste=taste)


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]
