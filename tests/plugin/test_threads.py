"""Many threads may ask one workspace: each gets what it would have got alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from whythis.explain import explain
from whythis.tools.workspace import Workspace, open_workspace

Pair = tuple[str, str]


def told(ws: Workspace, pair: Pair) -> str:
    plain = explain(ws, *pair).as_json()
    del plain["metrics"]["ms"]
    return json.dumps(plain, sort_keys=True)


def test_answers_do_not_depend_on_who_else_asks(small_indexed: Path) -> None:
    ws = open_workspace(small_indexed)
    try:
        rec = ws.recommender
        pairs = [
            (user, one.item) for user in rec.user_ids.ids[:24] for one in rec.recommend(user, 3)
        ]
        alone = [told(ws, pair) for pair in pairs]
    finally:
        ws.store().close()
    fresh = open_workspace(small_indexed)  # nothing is held yet: threads make it side by side
    try:
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda pair: told(fresh, pair), pairs * 2))
    finally:
        fresh.store().close()
    assert together == alone * 2
