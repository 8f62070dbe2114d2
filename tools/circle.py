"""Find the users whose likes are most like one user's, and count how many of them liked an item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whythis.recsys.scorer import Indices, Scorer
from whythis.tools.workspace import Workspace

SIZE = 50
"""The users in a circle, at most."""


@dataclass(frozen=True)
class Circle:
    """Hold how many of a circle of `size` users liked an item (`liked`).

    Beside it: how many of all the other `users`, neither in the circle nor the user asked about,
    did (`everyone`).
    """

    size: int
    liked: int
    everyone: int
    users: int

    @property
    def more(self) -> bool:
        """Return whether a larger part of the circle liked it than of everyone else."""
        return self.liked * max(1, self.users) > self.everyone * self.size


def nearest(rec: Scorer, user: str, item: str, size: int = SIZE) -> Indices:
    """Return the users whose likes are nearest to the user's by cosine, as indices, nearest first.

    The item asked about counts for nobody, so liking it brings no one nearer. Only users who share
    at least one like are near; equally near ones stand in the order of their ids.
    """
    mine, target = rec.user_ids.index(user), rec.item_ids.index(item)
    likes = rec.likes_matrix
    asked = np.zeros(likes.shape[1], dtype=np.int64)
    asked[likes[mine].indices] = 1
    asked[target] = 0
    shared = np.asarray(likes @ asked)
    others = np.diff(likes.indptr) - rec.liked_by(target)
    shared[mine] = 0
    near = np.flatnonzero(shared)
    # the square of the cosine but for the user's own length: a quotient of whole numbers, so that
    # equal ones are equal to the last bit
    alike = shared[near] ** 2 / others[near]
    return np.asarray(near[np.lexsort((near, -alike))][:size], dtype=np.int64)


def circle(ws: Workspace, user: str, item: str, size: int = SIZE) -> Circle | None:
    """Return how many of the users nearest to this one liked the item, beside all others.

    None where no other user shares a like with this one. Raises `DataError` for an item already
    seen.
    """
    rec = ws.recommender
    target = rec.candidate(user, item)
    near = nearest(rec, user, item, size)
    if not len(near):
        return None
    likes = rec.liked_by(target)
    liked = int(likes[near].sum())
    return Circle(
        size=len(near),
        liked=liked,
        everyone=int(likes.sum()) - liked,
        users=len(rec.user_ids) - 1 - len(near),
    )
