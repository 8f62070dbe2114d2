"""Name the wrong one: another item, like or taste than a sentence is true of."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from whythis.bench.falsehoods import Lies, Scene, falsehoods
from whythis.bench.ground_truth import GroundTruth, Taste
from whythis.bench.mutation_spans import exchanged, masked, occurrences
from whythis.bench.paraphrasing import Told

CAUSAL = frozenset({"persona_effect", "history_effect"})
RANKED = frozenset({"persona_effect", "history_effect", "not_about_you", "rank"})
_MEASURED = RANKED | {"rating", "popularity", "review_quote"}
_PLACED = re.compile(r"\d|\b(place|rank|list|top|recommend)")


def swapped_item(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Name another item: one of which nothing told here is true (`GroundTruth.others`), or one
    that the user has seen, which is never ranked, where a place is told."""
    if not set(told.kinds) <= _MEASURED:
        return
    other = scene.one(list(truth.others(told.removal)))
    if other is not None and (text := _retitled(told, truth, truth.title_of(other))):
        yield text, f"nothing told of {truth.title} is true of {truth.title_of(other)}"
    if set(told.kinds) <= RANKED and _PLACED.search(masked(told, truth)):
        liked = scene.one([t for i, t in truth.liked.items() if i not in told.named])
        if liked is not None and (text := _retitled(told, truth, liked)):
            yield text, f"the user has seen {liked}: it is not ranked"


def item_for_cause(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Exchange the item and a past like: the user never liked an unseen item."""
    if told.removal is None or not occurrences(truth.title, told.text):
        return
    like = truth.liked[scene.pick(told.removal.items)]
    if occurrences(like, told.text) and truth.title not in like and like not in truth.title:
        text = told.text.replace(like, "\0").replace(truth.title, like)
        yield text.replace("\0", truth.title), f"the user never liked {truth.title}"


def swapped_like(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Name a title that the user never liked, or a liked one without which the item stands
    elsewhere than is told and does not fall, or which does not weigh most in the taste told."""
    for item in told.named:
        stranger = scene.one(_never_liked(truth))
        if stranger is not None and (
            text := exchanged(told.text, truth.liked[item], truth.title_of(stranger))
        ):
            yield text, f"the user never liked {truth.title_of(stranger)}"
    if told.removal is not None:
        gone = told.removal.items
        position = int(scene.rng.integers(len(gone)))
        free = [i for i in truth.liked if i not in told.named]
        for other in scene.rng.permutation(np.asarray(free, dtype=object))[:8]:
            mixed = (*gone[:position], str(other), *gone[position + 1 :])
            after = truth.without(mixed)
            if after <= truth.rank and after != told.removal.rank_after:
                text = exchanged(told.text, truth.liked[gone[position]], truth.liked[other])
                if text is not None:
                    yield text, f"without these it would be {after}, so it does not fall"
                return
    elif told.rests is not None and re.search("most|heav|more than", told.text):
        free = [i for i in truth.liked if i not in told.rests.heaviest]
        other = scene.one(free)
        if other is not None and (
            text := exchanged(told.text, truth.liked[told.rests.heaviest[0]], truth.liked[other])
        ):
            yield text, f"{truth.liked[other]} is not what weighs most in it"


def swapped_taste(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Name another taste of the user: one of the opposite sign, with another share, or resting on
    other items, so that what is told is not true of it."""
    for taste in told.tastes:
        free = [t for t in truth.tastes if t not in told.tastes and _contrary(told, taste, t)]
        if free and (text := exchanged(told.text, taste.name, scene.pick(free).name)):
            yield text, f"that is true of the taste for {taste.name} instead"
    if len(told.tastes) == 2 and told.tastes[0].sign == -told.tastes[1].sign != 0:
        one, two = (t.name for t in told.tastes)
        if one not in two and two not in one:
            text = told.text.replace(one, "\0").replace(two, one).replace("\0", two)
            yield text, "the two tastes are exchanged"


def invented_taste(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Name a taste that nobody has (none of the listed shares a word with a taste of the user)."""
    held = {w for t in truth.tastes for w in _words(t.name)}
    for taste in told.tastes:
        free = [name for name in falsehoods().tastes if not held & _words(name)]
        if free and (text := exchanged(told.text, taste.name, scene.pick(free))):
            yield text, "the user has no such taste"


def of_another_user(told: Told, truth: GroundTruth, scene: Scene) -> Lies:
    """Take a taste, a like or a whole sentence of another user: a taste sharing no word with one of
    this user's, a title this user never liked."""
    held = {w for t in truth.tastes for w in _words(t.name)}
    theirs = [o for o in scene.others if o.user != truth.user]
    names = {t.name for o in theirs for t in o.tastes if not held & _words(t.name)}
    for taste in told.tastes:
        if names and (text := exchanged(told.text, taste.name, scene.pick(sorted(names)))):
            yield text, "that is a taste of another user"
    never = set(_never_liked(truth))
    likes = sorted({i for o in theirs for i in o.liked if i in never})
    if told.removal is not None and likes:
        like = truth.title_of(scene.pick(likes))
        if text := exchanged(told.text, truth.liked[told.removal.items[0]], like):
            yield text, f"another user liked {like}, this one never did"
    if set(told.kinds) & CAUSAL:
        for owner, sentence in scene.some(scene.told, 30):
            gone = sentence.removal.items if sentence.removal is not None else ()
            foreign = any(not _words(t.name) & held for t in sentence.tastes)
            if owner.user != truth.user and (foreign or never & set(gone)):
                text = _retitled(sentence, owner, truth.title) or sentence.text
                yield text, f"said of user {owner.user}"
                return


def _contrary(told: Told, taste: Taste, other: Taste) -> bool:
    if "persona_effect" in told.kinds:
        return taste.sign != 0 and other.sign == -taste.sign
    if "persona_share" in told.kinds:
        told_number = re.search(r"\d", told.text) is not None
        apart = abs(taste.share - other.share)
        return apart > 0.02 if told_number else other.share < taste.share / 2
    if "persona_items" in told.kinds:
        return not set(taste.heaviest) & set(other.heaviest)
    return False


def _never_liked(truth: GroundTruth) -> list[str]:
    rec = truth.ws.recommender
    liked = {rec.item_ids.ids[i] for i in rec.liked(truth.user)} | {truth.item}
    titles = {rec.short_title(i).casefold() for i in liked}
    return [i for i in rec.item_ids.ids if rec.short_title(i).casefold() not in titles]


def _retitled(told: Told, truth: GroundTruth, other: str) -> str | None:
    hidden = masked(replace(told, text=told.text), truth)
    spans = [s for s in occurrences(truth.title, told.text) if "\0" in hidden[s[0] : s[1]]]
    text = told.text
    for start, end in reversed(spans):
        text = text[:start] + other + text[end:]
    return text if spans else None


def _words(name: str) -> set[str]:
    return set(re.findall(r"\w{3,}", name.casefold())) - {"and", "the", "like"}
