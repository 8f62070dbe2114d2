"""Execute the causes of a score: delete personas or past items, score again, and compare.

Nothing here is estimated. Every effect is the difference between two runs of the model, and every
score taken apart is summed up again and compared with the score the ranking used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whythis.recsys.errors import DataError, ModelError
from whythis.recsys.metrics import rank_of
from whythis.recsys.model import Mixture
from whythis.recsys.recommender import Recommender

Floats = npt.NDArray[np.float64]
_WIDTH = 16
_CELLS = 1 << 22  # matches held at once when histories are scored in batches: 32 MB
TOLERANCE = 1e-5
"""How far the parts of a score may sum from the score itself."""


@dataclass(frozen=True)
class PersonaPart:
    """Hold one persona's part in the score of one item for one user.

    share a_k in 0..1 and match r_k: score = sum_k share * match + bias. `effect` is the score with
    the persona minus the score with it deleted and attention renormalised: positive means that it
    speaks for the item. `mass`: its part of the recency-weighted history.
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
    contributions: Floats


@dataclass(frozen=True)
class Removal:
    """Hold one executed removal of past items: score and rank of the item before and after."""

    removed: tuple[str, ...]
    score_before: float
    score_after: float
    rank_before: int
    rank_after: int


@dataclass(frozen=True)
class NecessarySet:
    """Hold a set whose removal pushes the item out of the top `top`, or the best one found.

    `complete`: the item did leave. `minimal`: no single member can be spared (each was tried).
    """

    removal: Removal
    top: int
    complete: bool
    minimal: bool


def decompose(rec: Recommender, user: str, item: str) -> Decomposition:
    """Take the score of an unseen item apart into personas and history events.

    Raises `ModelError` where the parts do not sum to the ranking's own score, or where a deletion
    effect disagrees with its closed form a_k (r_k - s_mean) / (1 - a_k).
    """
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    k = rec.model.k
    keep = np.vstack([np.ones((1, k), dtype=bool), ~np.eye(k, dtype=bool)])
    runs = rec.mixture(history, keep=keep)
    scores = runs.scores.numpy()
    bias = float(rec.model.bias[target].detach())
    share, match = runs.shares[0, :, target].numpy(), runs.matches[0, :, target].numpy()
    contributions = _contributions(rec, runs, history, target)
    _assert_sums(rec, user, item, float(scores[0, target]), bias, share, match, contributions)
    _assert_closed_form(user, item, scores[:, target] - bias, share, match)
    parts = tuple(
        PersonaPart(
            persona=p,
            mass=float(runs.masses[0, p]),
            share=float(share[p]),
            match=float(match[p]),
            effect=float(scores[0, target] - scores[p + 1, target]),
            rank_without=rank_of(scores[p + 1], target, hidden),
        )
        for p in range(k)
    )
    return Decomposition(
        user=user,
        item=item,
        score=float(scores[0, target]),
        rank=rank_of(scores[0], target, hidden),
        candidates=len(rec.item_ids) - len(set(hidden.tolist())),
        bias=bias,
        personas=parts,
        history=tuple(rec.item_ids.ids[i] for i in history),
        contributions=contributions,
    )


def remove(
    rec: Recommender, user: str, item: str, sets: Sequence[Sequence[str]]
) -> tuple[Removal, ...]:
    """Score an item again for each set of past items, as if the user had never liked them.

    Where the history is cut at the window, older liked items move up into it. The removed items
    stay seen, so they do not enter the ranking. Raises `DataError` where a set names an item that
    is not in the user's history.
    """
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    window = rec.config.window
    liked = rec.liked(user)[-(window + max(map(len, sets), default=0)) :]
    masks = np.ones((len(sets), len(liked)), dtype=bool)
    for row, removed in enumerate(sets):
        for past in removed:
            index = rec.item_ids.index(past)
            if index not in history:
                raise DataError(
                    f"item {past!r} ({rec.title(past)}) is not among the {len(history)} liked "
                    f"items that user {user!r}'s scores rest on: it cannot be removed"
                )
            masks[row, liked == index] = False
    masks &= masks[:, ::-1].cumsum(1)[:, ::-1] <= window
    before = rec.scores(history)
    rank_before = rank_of(before, target, hidden)
    return tuple(
        Removal(
            removed=tuple(removed),
            score_before=float(before[target]),
            score_after=float(after[target]),
            rank_before=rank_before,
            rank_after=rank_of(after, target, hidden),
        )
        for removed, after in zip(sets, _rescore(rec, liked, masks), strict=True)
    )


def _rescore(
    rec: Recommender, liked: npt.NDArray[np.int64], masks: npt.NDArray[np.bool_]
) -> Iterator[Floats]:
    """Yield the scores of all items (n) for each mask, a bounded number of them at a time."""
    rows = max(1, _CELLS // (rec.model.k * len(rec.item_ids)))
    for start in range(0, len(masks), rows):
        yield from rec.mixture(liked, masks[start : start + rows]).scores.numpy()


def necessary_set(
    rec: Recommender, user: str, item: str, *, top: int = 10, limit: int = 5
) -> NecessarySet:
    """Search a small set of past items without which the item leaves the top `top`.

    Greedy: each round executes the removal of every remaining item beside those already chosen
    and keeps the one after which the item ranks lowest; then members that can be spared are put
    back. At most `limit` items; where that is not enough the best set found, incomplete.
    Raises `DataError` for an empty history, a limit below 1, or an item outside the top already.
    """
    past = [rec.item_ids.ids[i] for i in rec.history(user)]
    if not past:
        raise DataError(f"user {user!r} has no liked items: there is nothing to remove")
    if limit < 1:
        raise DataError(f"limit is {limit}: allow at least 1 item to be removed")
    if (rank := rec.rank(user, item)) > top:
        raise DataError(
            f"item {item!r} ranks {rank} for user {user!r}, outside the top {top} already: "
            f"ask about the top {rank}"
        )
    chosen: list[str] = []
    while True:
        rest = [p for p in past if p not in chosen]
        tried = remove(rec, user, item, [[*chosen, p] for p in rest])
        best = max(tried, key=_lowest)
        if not chosen:  # later rounds look only where single removals already hurt
            past = [r.removed[0] for r in sorted(tried, key=_lowest, reverse=True)[:_WIDTH]]
        chosen = list(best.removed)
        if best.rank_after > top or len(chosen) == min(limit, len(past)):
            break
    complete = best.rank_after > top
    while complete and len(chosen) > 1:
        spared = remove(rec, user, item, [[c for c in chosen if c != one] for one in chosen])
        enough = [r for r in spared if r.rank_after > top]
        if not enough:
            break
        best = max(enough, key=lambda r: r.rank_after)
        chosen = list(best.removed)
    return NecessarySet(best, top, complete, minimal=complete)


def _lowest(removal: Removal) -> tuple[int, float]:
    return removal.rank_after, -removal.score_after


def rank_without_history(rec: Recommender, user: str, item: str) -> int:
    """Return the item's rank for this user as if the user had never liked anything."""
    nothing = np.zeros(0, dtype=np.int64)
    return rank_of(rec.scores(nothing), rec.candidate(user, item), rec.seen(user))


def without_persona(rec: Recommender, user: str, item: str, persona: int) -> Removal:
    """Score an item again with one persona deleted, by a run of its own."""
    target, history, hidden = rec.candidate(user, item), rec.history(user), rec.seen(user)
    if not 0 <= persona < rec.model.k:
        raise DataError(f"persona {persona} does not exist: this model has {rec.model.k}, from 0")
    keep = np.ones((1, rec.model.k), dtype=bool)
    keep[0, persona] = False
    before = rec.scores(history)
    after = rec.mixture(history, keep=keep).scores[0].numpy()
    ranks = rank_of(before, target, hidden), rank_of(after, target, hidden)
    return Removal((), float(before[target]), float(after[target]), *ranks)


def _contributions(
    rec: Recommender, runs: Mixture, history: npt.NDArray[np.int64], target: int
) -> Floats:
    """Return a_k * c * w_ik <e_i, v_y> of every event i and persona k: T x K."""
    past = rec.model.history_side.detach().numpy()[history]  # T, d
    dots = past @ rec.model.candidate_side.detach().numpy()[target]
    weights = runs.weights[0].numpy()[: len(history)]  # an empty history is padded to one event
    shares = runs.shares[0, :, target].numpy()
    return np.asarray(float(runs.sizes[0]) * weights * dots[:, None] * shares)


def _assert_sums(
    rec: Recommender,
    user: str,
    item: str,
    score: float,
    bias: float,
    share: Floats,
    match: Floats,
    contributions: Floats,
) -> None:
    ranking = float(rec.scores(rec.history(user))[rec.item_ids.index(item)])
    by_persona = float((share * match).sum()) + bias
    by_event = float(contributions.sum()) + bias
    for name, total in (("personas", by_persona), ("history events", by_event), ("score", score)):
        if abs(total - ranking) > TOLERANCE:
            raise ModelError(
                f"the {name} of item {item!r} for user {user!r} sum to {total:.7f}, the ranking "
                f"used {ranking:.7f}: this model cannot be explained; fit it again"
            )


def _assert_closed_form(
    user: str, item: str, personal: Floats, share: Floats, match: Floats
) -> None:
    mean = float((share * match).sum())
    for p, a in enumerate(share):
        if a > 1 - 1e-6:  # the only persona: nothing is left to renormalise
            continue
        closed = a * (match[p] - mean) / (1 - a)
        executed = personal[0] - personal[p + 1]
        if abs(closed - executed) > TOLERANCE:
            raise ModelError(
                f"deleting persona {p} of user {user!r} moves item {item!r} by {executed:.7f}, its "
                f"closed form says {closed:.7f}: this model cannot be explained; fit it again"
            )
