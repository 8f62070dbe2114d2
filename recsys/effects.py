"""Execute the causes of a score: delete personas or past items, score again, and compare.

Nothing here is estimated. Every effect is the difference between two runs of the recommender, and
every score taken apart is summed up again and compared with the score the ranking used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.metrics import rank_of
from whythis.recsys.model import Mixture
from whythis.recsys.recommender import Recommender
from whythis.recsys.scorer import Floats, Indices, Masks, Place, Scorer

TOLERANCE = 1e-5
"""How far the parts of a score may sum from the score itself."""


@dataclass(frozen=True)
class PersonaPart:
    """Hold one persona's part in the score of one item for one user.

    share a_k in 0..1 and match r_k: score = sum_k share * match + bias. `effect` is the score with
    the persona minus the score with it deleted and attention renormalised: positive means that it
    speaks for the item. `mass`: its attention whatever the item.
    """

    persona: int
    mass: float
    share: float
    match: float
    effect: float
    rank_without: int


@dataclass(frozen=True)
class Decomposition:
    """Hold a score taken apart: personas, and contributions per (history event, persona).

    `contributions`: T x K; their sum plus `bias` is `score` within `TOLERANCE` (checked).
    `rank` is the place among the items the user has not seen.
    """

    user: str
    item: str
    score: float
    rank: int
    candidates: int
    bias: float
    personas: tuple[PersonaPart, ...]
    history: tuple[str, ...]
    contributions: Floats | None


@dataclass(frozen=True)
class Removal:
    """Hold one executed removal of past items: score and rank of the item before and after.

    `beyond`: without them the recommender's list ends before the item, and `rank_after` is only
    the best rank that it can have. Scores are NaN where the recommender shows none.
    """

    removed: tuple[str, ...]
    score_before: float
    score_after: float
    rank_before: int
    rank_after: int
    beyond: bool = False


@dataclass(frozen=True, eq=False)
class Reruns:
    """Score one item for one user again with parts of the history; make it with `reruns`.

    `history`: T items, oldest first; `before`: where the item stands with all of them.
    """

    rec: Scorer
    user: str
    item: str
    target: int
    history: Indices
    hidden: Indices
    before: Place

    def without(self, gone: Masks) -> list[Place]:
        """Return where the item stands without the events marked in each row of `gone`, B x T.

        Where the history is cut at the window, older liked items move up into it. The removed
        items stay seen, so they do not enter the ranking.
        """
        return self._places(*_moved_up(self.rec, self.user, gone)) if len(gone) else []

    def only(self, kept: Masks) -> list[Place]:
        """Return where the item stands with nothing but the events marked in each row, B x T."""
        return self._places(self.history, kept)

    def _places(self, liked: Indices, masks: Masks) -> list[Place]:
        return list(self.rec.places(liked, masks, self.target, self.hidden))


@dataclass(frozen=True, eq=False)
class Every:
    """Hold what each part of a score does by itself: the score minus the score without the part.

    `personas`: K, each deleted and attention renormalised, as in `without_persona`; `events`: T,
    oldest first, each past item removed as in `Reruns.without`.
    """

    personas: Floats
    events: Floats
    score: float


def every_effect(rec: Recommender, user: str, item: str) -> Every:
    """Delete every persona and every past item of an unseen item, one at a time, in one pass.

    Only this item is scored, so nothing is known of ranks.
    """
    target, k, size = rec.candidate(user, item), rec.model.k, len(rec.history(user))
    # as they are; each persona deleted; each event removed
    gone = np.vstack([np.zeros((1 + k, size), dtype=bool), np.eye(size, dtype=bool)])
    keep = np.ones((len(gone), k), dtype=bool)
    keep[1 : 1 + k] = ~np.eye(k, dtype=bool)
    liked, masks = _moved_up(rec, user, gone)
    scores = rec.mixture(liked, masks, keep, np.array([target])).scores[:, 0].numpy()
    effects = scores[0] - scores[1:]
    return Every(effects[:k], effects[k:], float(scores[0]))


def _moved_up(rec: Scorer, user: str, gone: Masks) -> tuple[Indices, Masks]:
    """Return liked items and masks over them in which others take the places of those gone."""
    window, size = rec.window, gone.shape[1]
    liked = rec.liked(user)[-(window + int(gone.sum(1).max(initial=0))) :]
    masks = np.ones((len(gone), len(liked)), dtype=bool)
    masks[:, len(liked) - size :] = ~gone
    return liked, most_recent(masks, window)


def most_recent(masks: Masks, window: int) -> Masks:
    """Return the masks with no more than the last `window` of the events each row counts."""
    return np.asarray(masks & (masks[:, ::-1].cumsum(1)[:, ::-1] <= window))


def reruns(rec: Scorer, user: str, item: str) -> Reruns:
    """Prepare to score an unseen item again for a user.

    Raises `ModelError` where the recommender's list for the user ends before the item: what moves
    it cannot be seen there.
    """
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    before = rec.place_in(rec.scores(history), target, hidden)
    if before.beyond:
        raise ModelError(
            f"item {item!r} is not among the best {rec.depth} that this recommender lists for user "
            f"{user!r}: what moves it cannot be seen; ask about an item it lists"
        )
    return Reruns(rec, user, item, target, history, hidden, before)


def persona_effects(rec: Recommender, user: str, item: str) -> Floats:
    """Return the score of an unseen item minus its score with each persona deleted: K."""
    target, history = rec.candidate(user, item), rec.history(user)
    return np.asarray(rec.scores(history)[target] - rec.without_personas(history)[:, target])


def decompose(rec: Recommender, user: str, item: str) -> Decomposition:
    """Take the score of an unseen item apart into personas and history events.

    Raises `ModelError` where the parts do not sum to the ranking's own score, or where a deletion
    effect disagrees with its closed form a_k (r_k - s_mean) / (1 - a_k).
    """
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    whole, without = rec.scores(history), rec.without_personas(history)
    alone = rec.mixture(history, items=np.array([target]))  # every part of this item's score
    bias = float(rec.model.bias[target].detach())
    share, match = alone.shares[0, :, 0].numpy(), alone.matches[0, :, 0].numpy()
    contributions = _contributions(rec, alone, history, target)
    score, effect = float(whole[target]), persona_effects(rec, user, item)
    totals = {"personas": float((share * match).sum()) + bias, "score": float(alone.scores[0, 0])}
    if contributions is not None:
        totals["history events"] = float(contributions.sum()) + bias
    _assert_sums(user, item, score, totals)
    _assert_closed_form(user, item, effect, share, match)
    parts = tuple(
        PersonaPart(
            persona=p,
            mass=float(alone.masses[0, p]),
            share=float(share[p]),
            match=float(match[p]),
            effect=float(effect[p]),
            rank_without=rank_of(without[p], target, hidden),
        )
        for p in range(rec.model.k)
    )
    return Decomposition(
        user=user,
        item=item,
        score=score,
        rank=rank_of(whole, target, hidden),
        candidates=len(rec.item_ids) - len(set(hidden.tolist())),
        bias=bias,
        personas=parts,
        history=tuple(rec.item_ids.ids[i] for i in history),
        contributions=contributions,
    )


def remove(rec: Scorer, user: str, item: str, sets: Sequence[Sequence[str]]) -> tuple[Removal, ...]:
    """Score an item again for each set of past items, as if the user had never liked them.

    See `Reruns.without`. Raises `DataError` where a set names an item that is not in the user's
    history, and `ModelError` as `reruns` does.
    """
    runs = reruns(rec, user, item)
    gone = np.zeros((len(sets), len(runs.history)), dtype=bool)
    for row, removed in enumerate(sets):
        for past in removed:
            found = runs.history == rec.item_ids.index(past)
            if not found.any():
                raise DataError(
                    f"item {past!r} ({rec.title(past)}) is not among the {len(runs.history)} liked "
                    f"items that user {user!r}'s scores rest on: it cannot be removed"
                )
            gone[row] |= found
    return tuple(
        removal(runs.before, after, removed)
        for removed, after in zip(sets, runs.without(gone), strict=True)
    )


def removal(before: Place, after: Place, removed: Sequence[str]) -> Removal:
    """Return the record of a removal that was executed."""
    return Removal(
        removed=tuple(removed),
        score_before=before.score,
        score_after=after.score,
        rank_before=before.rank,
        rank_after=after.rank,
        beyond=after.beyond,
    )


def without_history(rec: Scorer, user: str, item: str) -> Place:
    """Return where the item stands for this user as if the user had never liked anything."""
    nothing = np.zeros(0, dtype=np.int64)
    return rec.place_in(rec.scores(nothing), rec.candidate(user, item), rec.seen(user))


def without_persona(rec: Recommender, user: str, item: str, persona: int) -> Removal:
    """Score an item again with one persona deleted, by a run of its own."""
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    if not 0 <= persona < rec.model.k:
        raise DataError(f"persona {persona} does not exist: this model has {rec.model.k}, from 0")
    keep = np.ones((1, rec.model.k), dtype=bool)
    keep[0, persona] = False
    before = rec.scores(history)
    after = next(rec.with_personas(history, keep))
    ranks = rank_of(before, target, hidden), rank_of(after, target, hidden)
    return Removal((), float(before[target]), float(after[target]), *ranks)


def _contributions(
    rec: Recommender, alone: Mixture, history: Indices, target: int
) -> Floats | None:
    found = rec.model.contributions(torch.from_numpy(history), alone.shares[0, :, 0], target)
    return None if found is None else np.asarray(found.numpy(), dtype=np.float64)


def _assert_sums(user: str, item: str, ranking: float, totals: Mapping[str, float]) -> None:
    for name, total in totals.items():
        if abs(total - ranking) > TOLERANCE:
            raise ModelError(
                f"the {name} of item {item!r} for user {user!r} sum to {total:.7f}, the ranking "
                f"used {ranking:.7f}: this model cannot be explained; fit it again"
            )


def _assert_closed_form(
    user: str, item: str, effects: Floats, share: Floats, match: Floats
) -> None:
    mean = float((share * match).sum())
    for p, a in enumerate(share):
        if a > 1 - 1e-6:  # the only persona: nothing is left to renormalise
            continue
        closed = a * (match[p] - mean) / (1 - a)
        if abs(closed - effects[p]) > TOLERANCE:
            raise ModelError(
                f"deleting persona {p} of user {user!r} moves item {item!r} by {effects[p]:.7f}, "
                f"its closed form says {closed:.7f}: this model cannot be explained; fit it again"
            )
