"""Picture a person's list: what ranks, what each taste does to it, what changes when some are off.

Nothing is estimated: every number is read off a run of the recommender.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from whythis.recsys.errors import DataError
from whythis.recsys.metrics import rank_of
from whythis.recsys.naming import PersonaCard, persona_cards
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats, Indices, Masks, Scorer

MOST = 50
"""The longest list that is pictured."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Hold what one persona does to one item: its share 0..1 and its signed effect, executed.

    The effect is the score with the persona minus the score with it deleted and the attention of
    the others renormalised.
    """

    persona: int
    share: float
    effect: float


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one item: its rank and score with everything on and as it is now.

    None: it is not ranked, or the recommender shows no scores. `pulls`: of the personas that are
    on; empty where the recommender's model is not known.
    """

    item: str
    rank_before: int | None
    rank: int | None
    score_before: float | None
    score: float | None
    pulls: tuple[Pull, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold a list as it is now, and `left`: what was in the list with everything on, and is not."""

    rows: tuple[Row, ...]
    left: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Taste:
    """Hold a persona of the user's and how many of the `n` best leave when it alone is off."""

    card: PersonaCard
    leave: int


def picture(
    rec: Scorer,
    user: str,
    *,
    personas_off: Collection[int] = (),
    items_off: Collection[str] = (),
    n: int = 10,
) -> Picture:
    """Run the recommender without some personas and past items; return the `n` best items.

    Personas that are off are deleted and the attention of the others renormalised; past items that
    are off are as if they had never been liked, but stay seen: they are not recommended again.

    Raises `UnknownIdError` for an unknown id, `DataError` for a past item that is not among the
    likes that the scores rest on, for a persona that does not exist, and where the recommender
    cannot switch both at once.
    """
    _check_length(n)
    history, hidden = rec.history(user), rec.seen(user)
    kept = _kept(rec, user, history, items_off)
    on = _on(rec, personas_off)
    if personas_off and items_off and not together(rec):
        raise DataError(
            "this model finds its personas anew for each history, so that none is the same when "
            "past items are off: switch either personas or past items"
        )
    before = rec.scores(history)
    now, without = _runs(rec, kept, on)
    first, best = _best(before, hidden, n), _best(now, hidden, n)
    shown = [*best, *(target for target in first if target not in best)]
    shares = _shares(rec, kept, on, shown)
    rows = tuple(
        Row(
            item=rec.item_ids.ids[target],
            rank_before=_rank(before, target, hidden),
            rank=_rank(now, target, hidden),
            score_before=_score(rec, before[target]),
            score=_score(rec, now[target]),
            pulls=tuple(
                Pull(int(p), float(shares[p, at]), float(now[target] - without[p][target]))
                for p in np.flatnonzero(on)
            ),
        )
        for at, target in enumerate(shown)
    )
    return Picture(rows[: len(best)], rows[len(best) :])


def tastes(rec: Scorer, user: str, n: int = 10) -> tuple[Taste, ...]:
    """Return the user's personas, heaviest first; none where the recommender is a black box."""
    _check_length(n)
    if not isinstance(rec, Recommender):
        return ()
    cards, hidden, history = persona_cards(rec, user), rec.seen(user), rec.history(user)
    keep = np.ones((len(cards), rec.model.k), dtype=bool)
    for at, card in enumerate(cards):
        keep[at, card.persona] = False
    best = set(_best(rec.scores(history), hidden, n))
    runs = _scored(rec, history, keep)
    return tuple(
        Taste(card, len(best - set(_best(scores, hidden, n))))
        for card, scores in zip(cards, runs, strict=True)
    )


def together(rec: Scorer) -> bool:
    """Return whether personas and past items can be off at the same time."""
    return isinstance(rec, Recommender) and rec.model.composed


def _check_length(n: int) -> None:
    if not 1 <= n <= MOST:
        raise DataError(f"n is {n}: ask for 1 to {MOST} items")


def _kept(rec: Scorer, user: str, history: Indices, items_off: Collection[str]) -> Indices:
    """Return the history without some items; older likes move up into their places."""
    gone = rec.item_ids.indices(list(items_off))
    strange = [int(i) for i in gone if i not in history]
    if strange:
        item = rec.item_ids.ids[strange[0]]
        raise DataError(
            f"item {item!r} ({rec.title(item)}) is not among the {len(history)} likes that the "
            "list rests on: it cannot be off"
        )
    liked = rec.liked(user)
    return liked[~np.isin(liked, gone)][-rec.window :]


def _on(rec: Scorer, personas_off: Collection[int]) -> Masks:
    """Return which personas take part, K; none at all for a black box."""
    if not isinstance(rec, Recommender):
        if personas_off:
            raise DataError("this recommender shows no personas: none can be off")
        return np.ones(0, dtype=bool)
    on = np.ones(rec.model.k, dtype=bool)
    for persona in personas_off:
        if not 0 <= persona < rec.model.k:
            raise DataError(f"persona {persona} does not exist: there are {rec.model.k}, from 0")
        on[persona] = False
    return on


def _runs(rec: Scorer, history: Indices, on: Masks) -> tuple[Floats, list[Floats]]:
    """Return the scores of all items, and those with each of K personas deleted besides."""
    if not isinstance(rec, Recommender):
        return rec.scores(history), []
    keep = on & ~np.eye(len(on), dtype=bool)
    scores, *without = _scored(rec, history, np.vstack([on, keep]))
    return scores, without


def _scored(rec: Recommender, history: Indices, keep: Masks) -> Iterator[Floats]:
    """Yield the scores of all items for each row of `keep`, B x K: the personas taking part."""
    for row in keep:
        yield np.asarray(rec.mixture(history, keep=row[None]).scores[0].numpy(), dtype=np.float64)


def _shares(rec: Scorer, history: Indices, on: Masks, items: Sequence[int]) -> Floats:
    """Return the shares of K personas in the scores of m items, K x m."""
    if not isinstance(rec, Recommender):
        return np.zeros((0, len(items)))
    targets = np.array(items, dtype=np.int64)
    mixed = rec.mixture(history, keep=on[None], items=targets)
    return np.asarray(mixed.shares[0].numpy(), dtype=np.float64)


def _best(scores: Floats, hidden: Indices, n: int) -> list[int]:
    """Return the `n` best items that are not hidden and have a score; ties by index."""
    left = scores.copy()
    left[hidden] = -np.inf
    left[np.isnan(left)] = -np.inf
    order = np.argsort(-left, kind="stable")[:n]
    return [int(i) for i in order if np.isfinite(left[i])]


def _rank(scores: Floats, target: int, hidden: Indices) -> int | None:
    return rank_of(scores, target, hidden) if np.isfinite(scores[target]) else None


def _score(rec: Scorer, score: float) -> float | None:
    return float(score) if rec.access != "top_n" and np.isfinite(score) else None
