"""Put the summary of a user's nearest neighbour in the place of the user's own; is it noticed?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from whythis.tools.evidence import evidence
from whythis.tools.memory.summary import Summary, check, compose, flagged, summarise
from whythis.tools.workspace import Workspace


class Swaps(NamedTuple):
    """Hold what became of the swaps: shares 0..1, and how alike the neighbours' histories are."""

    trials: int
    flagged: float
    own_flagged: float
    statements_false: float
    overlap: float


def swaps(ws: Workspace, trials: int, seed: int) -> Swaps:
    """Try `trials` users, or all with a like, each with the summary of the nearest other user.

    Nearest: by the largest overlap of likes, |A and B| / |A or B|. The summary is made to name the
    user throughout, and every id and hash is made anew. Also checks each user's own.
    """
    rec = ws.recommender
    users = [user for user in rec.user_ids.ids if len(rec.liked(user))]
    nearest, overlap = _nearest(ws, users)
    chosen = np.random.default_rng(seed).permutation(len(users))[:trials]
    found = []
    for row in chosen:
        own = summarise(ws, users[row])
        other = renamed(summarise(ws, users[nearest[row]]), users[row])
        outcomes = [one.outcome == "false" for one in check(other, ws)]
        found.append((any(outcomes), flagged(own, ws), np.mean(outcomes), overlap[row]))
    means = np.asarray(found, dtype=np.float64).mean(0)
    return Swaps(len(found), *map(float, means))


def renamed(told: Summary, user: str) -> Summary:
    """Return a summary that names another user throughout, as a forger would write it."""
    found = []
    for one in (statement.evidence for statement in told.statements):
        args = {**one.probe.args, "user": user}
        found.append(evidence(one.kind, one.value, source=one.source, probe="summary", **args))
    return compose(user, found, told.model_hash, told.data_hash)


def _nearest(ws: Workspace, users: list[str]) -> tuple[list[int], list[float]]:
    rec = ws.recommender
    liked = [rec.liked(user) for user in users]
    rows = np.repeat(np.arange(len(users)), [len(h) for h in liked])
    ones = np.ones(len(rows))
    shape = len(users), len(rec.item_ids)
    events = sparse.csr_matrix((ones, (rows, np.concatenate(liked))), shape=shape)
    sizes = np.asarray(events.sum(1)).ravel()
    nearest, overlap = [], []
    for row in range(len(users)):
        shared = np.asarray((events @ events[row].T).todense()).ravel()
        alike = shared / (sizes + sizes[row] - shared)
        alike[row] = -1.0
        nearest.append(int(alike.argmax()))
        overlap.append(float(alike.max()))
    return nearest, overlap
