"""Count what reviews judge: of an item, by a user, on a persona's items; choose for the pair.

The counts are read by rules (`whythis.tools.reviews.parsing`) and open to their sentences.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whythis.tools.reviews.opinions import Opinion
from whythis.tools.supporting import supporting
from whythis.tools.workspace import Workspace

_FLOOR = 0.1  # what the user never judged is told too, after what the user did


@dataclass(frozen=True)
class AspectCount:
    """Count an item's sentences that speak well and badly of an aspect, among `of` sentences.

    A sentence that does both counts in both. source: the one source of all the sentences, or
    "several". sentences: the ids of those counted, those that speak well first.
    """

    positive: int
    negative: int
    of: int
    source: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class OwnCount:
    """Count a user's reviews of other items that judge an aspect, among `of` such reviews."""

    reviews: int
    of: int
    sentences: tuple[str, ...]


def item_aspects(ws: Workspace, user: str, item: str) -> Mapping[str, AspectCount]:
    """Return what the item's reviews judge, the most judged first; may be empty.

    Over `ws.item_sentences`: without the user's own reviews, and nothing from the moment on.
    Raises `MissingPartError` where the reviews have not been read for aspects.
    """
    table = ws.opinion_table()
    kept = {s.id: s for s in ws.item_sentences(user, item)}
    sources = sorted({s.source for s in kept.values()})
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for opinion in table.of_item(item):
        if opinion.sentence in kept:
            found[opinion.aspect][opinion.polarity < 0].append(opinion.sentence)
    counts = {}
    for aspect, (good, bad) in found.items():
        well, badly = dict.fromkeys(good), dict.fromkeys(bad)
        counts[aspect] = AspectCount(
            positive=len(well),
            negative=len(badly),
            of=len(kept),
            source=sources[0] if len(sources) == 1 else "several",
            sentences=tuple(well | badly),
        )
    return dict(sorted(counts.items(), key=lambda pair: (-len(pair[1].sentences), pair[0])))


def own_aspects(ws: Workspace, user: str, item: str) -> Mapping[str, OwnCount]:
    """Return what the user's reviews of other items judge, the most judged first; may be empty.

    Reviews at the workspace's moment or later do not count. Raises as `item_aspects`.
    """
    table = ws.opinion_table()
    kept = {s.id: s for s in ws.own_sentences(user, item)}
    written = len({s.review for s in kept.values()})
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for opinion in table.of_user(user):
        if opinion.sentence in kept:
            found[opinion.aspect][opinion.sentence] = opinion.review
    counts = {
        aspect: OwnCount(len(set(reviews.values())), written, tuple(reviews))
        for aspect, reviews in found.items()
    }
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1].reviews, pair[0])))


def persona_aspects(ws: Workspace, user: str, item: str) -> Mapping[str, int]:
    """Return what is praised on the items of the persona that supports the item: sentences.

    As the user's own reviews praise it; where these praise nothing, as those of others do. The
    explained item does not count, nor reviews at the moment or later. Empty without such a
    persona. Raises as `item_aspects`.
    """
    table, card = ws.opinion_table(), supporting(ws, user, item)
    past = [id_ for id_, _ in card.items if id_ != item] if card else []
    own = _praised(ws, (o for o in table.of_user(user) if o.item in past))
    return own or _praised(ws, (o for id_ in past for o in table.of_item(id_) if o.user != user))


def choice(ws: Workspace, user: str, item: str) -> Mapping[str, float]:
    """Return the item's aspects, what suits the pair best first, with their weights.

    After ERRA (Cheng et al., ACL 2023), which takes the aspects that both the user and the item
    are known for; here counted instead of learned: weight(a) = (care(a) + 0.1) n / (n + 1)
    log(1 + V / v(a)), with n the item's sentences that judge a; care(a) = m / (m + 1) + p / (2 P),
    m the user's reviews of other items that judge it, p the sentences that praise it on the
    persona's items and P the most of any aspect; v(a) the reviewers of the corpus who judge it and
    V the most of any aspect, so that what everybody judges weighs less. Raises as `item_aspects`.
    """
    known = ws.opinion_table().vocabulary
    own, praised = own_aspects(ws, user, item), persona_aspects(ws, user, item)
    most = max(praised.values(), default=1)
    weights = {}
    for aspect, count in item_aspects(ws, user, item).items():
        n, m = len(count.sentences), own[aspect].reviews if aspect in own else 0
        care = m / (m + 1) + praised.get(aspect, 0) / (2 * most)
        rare = math.log(1 + max(known.values()) / known[aspect])
        weights[aspect] = (care + _FLOOR) * n / (n + 1) * rare
    return dict(sorted(weights.items(), key=lambda pair: (-pair[1], pair[0])))


def _praised(ws: Workspace, opinions: Iterable[Opinion]) -> dict[str, int]:
    praise = {
        (o.aspect, o.sentence)
        for o in opinions
        if o.polarity > 0 and (ws.moment is None or o.time is None or o.time < ws.moment)
    }
    counts = Counter(aspect for aspect, _ in praise)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
