"""Name a user's personas in words a person understands, from the persona's own weighted history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from whythis.recsys.recommender import Recommender
from whythis.recsys.titles import cut

MIN_MASS = 0.02
"""A persona holding less of the weighted history than this is too thin to be named or told."""

_COVER = 0.34  # a label must hold for at least this share of the persona's weight
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class PersonaCard:
    """Hold a named persona of one user.

    `mass`: its attention whatever the item (of `HistoryPersonas`, its part of the recency-weighted
    history); `items`: the user's liked items by their weight in this persona, heaviest first, each
    with that weight (they sum to 1 over all items).
    """

    persona: int
    name: str
    mass: float
    items: tuple[tuple[str, float], ...]


def persona_cards(rec: Recommender, user: str, shown: int = 5) -> tuple[PersonaCard, ...]:
    """Return the user's personas of at least `MIN_MASS`, heaviest first, with distinct names.

    A name is built from labels (genres, else words of descriptions) that hold more of this
    persona's weight than of the user's other personas; where the data have neither, or two
    personas would share a name, from titles. Deterministic. A name that the user gave stands.
    """
    cards = rec.named.get(user, lambda: _cards(rec, user))
    return tuple(replace(card, items=card.items[:shown]) for card in cards)


def _cards(rec: Recommender, user: str) -> tuple[PersonaCard, ...]:
    """Return the named personas with all items of the history."""
    history = rec.history(user)
    if not len(history):
        return ()
    runs = rec.mixture(history, items=np.zeros(0, dtype=np.int64))  # no scores are asked for
    masses, weights = runs.masses[0].numpy(), runs.weights[0].numpy()  # K ; T, K
    order = [int(p) for p in np.argsort(-masses, kind="stable") if masses[p] >= MIN_MASS]
    ids = [rec.item_ids.ids[i] for i in history]
    labels = _labels(rec, history)
    names = {p: name for p, name in rec.names.get(user, {}).items() if p in order}
    taken = {_words(name) for name in names.values()}
    for p in order:
        if p in names:
            continue
        heaviest = [ids[i] for i in np.argsort(-weights[:, p], kind="stable")]
        for name in _candidates(rec, labels, weights, masses, p, heaviest):
            if _words(name) not in taken:
                names[p] = name
                taken.add(_words(name))
                break
    return tuple(
        PersonaCard(
            persona=p,
            name=names[p],
            mass=float(masses[p]),
            items=tuple(
                (ids[i], float(weights[i, p])) for i in np.argsort(-weights[:, p], kind="stable")
            ),
        )
        for p in order
    )


def _words(name: str) -> frozenset[str]:
    """Return what tells names apart: "drama and war" and "War and Drama" read as one."""
    return frozenset(name.casefold().split(" and "))


def _labels(rec: Recommender, history: npt.NDArray[np.int64]) -> list[frozenset[str]]:
    """Return what each past item is called by: genres, else the words of its description."""
    genres = rec.items["genres"].iloc[history].tolist()
    if any(len(named) for named in genres):
        return [frozenset(str(g) for g in named) for named in genres]
    texts = rec.items["text"].iloc[history].tolist()
    words = [Counter(w.casefold() for w in _WORD.findall(str(text))) for text in texts]
    return [frozenset(w for w in counts if w not in _STOP) for counts in words]


def _candidates(
    rec: Recommender,
    labels: Sequence[frozenset[str]],
    weights: npt.NDArray[np.float64],
    masses: npt.NDArray[np.float64],
    persona: int,
    heaviest: Sequence[str],
) -> Iterator[str]:
    """Yield names without end, the best first; the last ones are numbered."""
    inside = _coverage(labels, weights[:, persona])
    others = masses.copy()
    others[persona] = 0.0
    outside = _coverage(labels, weights @ others / others.sum()) if others.sum() > 0 else {}
    lift = {g: v - outside.get(g, 0.0) for g, v in inside.items() if v >= _COVER}
    # what sets the persona apart first, then what most of it is
    ranked = sorted(lift, key=lambda g: (-(lift[g] + 0.25 * inside[g]), g))
    if ranked and lift[ranked[0]] > 0:
        main, rest = ranked[0], [g for g in ranked[1:] if lift[g] > 0] or ranked[1:]
        if rest:
            yield f"{_plain(main)} and {_plain(rest[0])}"
        yield _plain(main)
        for other in rest[1:]:
            yield f"{_plain(main)} and {_plain(other)}"
    titles = [cut(rec.title(item)) for item in heaviest]
    stem = f"{_plain(ranked[0])} like " if ranked else ""
    for n in range(1, len(titles) + 1):
        yield stem + " and ".join(titles[:n][-2:]) if n > 1 else stem + titles[0]
    # personas of the same few items: by what else those are, then by number
    yield from (f"{_plain(other)} like {titles[0]}" for other in ranked[1:])
    yield from (f"{stem}{titles[0]}, part {n}" for n in count(2))


def _coverage(
    labels: Sequence[frozenset[str]], weights: npt.NDArray[np.float64]
) -> dict[str, float]:
    total: dict[str, float] = {}
    for names, weight in zip(labels, weights, strict=True):
        for name in names:
            total[name] = total.get(name, 0.0) + float(weight)
    return total


def _plain(label: str) -> str:
    return _SPOKEN.get(label) or cut(label if label.isupper() else label.lower())


_SPOKEN = {
    "Sci-Fi": "science fiction",
    "Film-Noir": "film noir",
    "Children's": "family films",
    "War": "war stories",
    "Animation": "animation",
    "Musical": "musicals",
    "Western": "westerns",
    "Documentary": "documentaries",
}

_STOP = frozenset(
    {"about", "after", "also", "because", "been", "before", "being", "between", "both", "could"}
    | {"does", "doing", "down", "each", "from", "have", "having", "here", "into", "itself", "just"}
    | {"more", "most", "much", "must", "only", "other", "over", "same", "should", "some", "such"}
    | {
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
    }
    | {"under", "until", "upon", "very", "were", "what", "when", "where", "which", "while", "will"}
    | {"with", "would", "your"}
)
