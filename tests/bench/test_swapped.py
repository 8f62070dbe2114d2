"""A neighbour's summary under the user's own name is noticed; the user's own is let pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.recsys.small import NOBODY
from whythis.bench.swapped import _nearest, renamed, swaps
from whythis.tools.memory.summary import flagged, from_json, summarise
from whythis.tools.workspace import Workspace


def test_every_swap_among_the_small_users_is_noticed(small_workspace: Workspace) -> None:
    found = swaps(small_workspace, 30, 0)
    assert (found.trials, found.flagged, found.own_flagged) == (30, 1.0, 0.0)
    assert 0 < found.overlap < 1
    assert 0.5 < found.statements_false <= 1
    assert swaps(small_workspace, 30, 0) == found
    assert swaps(small_workspace, 10_000, 0).trials == 61  # all but the one without a like


def test_the_nearest_shares_the_most_likes(small_workspace: Workspace) -> None:
    rec = small_workspace.recommender
    users = [user for user in rec.user_ids.ids if user != NOBODY]
    nearest, overlap = _nearest(small_workspace, users)
    liked = [set(rec.liked(user).tolist()) for user in users]
    for row in (0, 7, len(users) - 1):
        told = [
            -1.0
            if other == row
            else len(liked[row] & liked[other]) / len(liked[row] | liked[other])
            for other in range(len(users))
        ]
        assert overlap[row] == pytest.approx(max(told))
        assert nearest[row] == int(np.argmax(told))


def test_a_renamed_summary_is_well_formed(small_workspace: Workspace) -> None:
    forged = renamed(summarise(small_workspace, "u00"), "u01")
    assert from_json(forged.as_json()) == forged
    own = {one.id for one in summarise(small_workspace, "u01").statements}
    assert not {one.id for one in forged.statements} <= own


def test_of_two_accounts_with_one_past_either_summary_is_true(small_workspace: Workspace) -> None:
    rec = small_workspace.owned()
    rows = rec.interactions[rec.interactions["user"] == "u00"]
    both = pd.concat([rec.interactions, rows.assign(user="twin")], ignore_index=True)
    ws = replace(small_workspace, recommender=replace(rec, interactions=both))
    assert not flagged(renamed(summarise(ws, "twin"), "u00"), ws)
    assert flagged(renamed(summarise(ws, "twin"), "u01"), ws)
