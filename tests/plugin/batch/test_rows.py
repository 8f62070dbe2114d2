"""Rows are those of single explanations, in order, and none is lost whatever fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whythis.batch.asked import Asked
from whythis.batch.order import in_order
from whythis.batch.rows import FIELDS, explain_batch
from whythis.bench.loopback import endpoint
from whythis.explain import explain
from whythis.explanation import Explanation
from whythis.recsys.errors import ArtefactError
from whythis.tools.workspace import Workspace
from whythis.writers.agent import open_writer


def best(ws: Workspace, user: str, n: int = 1) -> list[str]:
    return [one.item for one in ws.recommender.recommend(user, n)]


def timeless(found: Explanation) -> dict[str, Any]:
    plain = found.as_json()
    plain["metrics"]["ms"] = {}
    return plain


def test_rows_are_those_of_single_explanations(small_workspace: Workspace) -> None:
    ws = small_workspace
    users = ("u01", "u02", "u03")
    asked = [Asked(n, user, best(ws, user)[0]) for n, user in enumerate(users)]
    rows = list(explain_batch(asked, ws, seed=3, style="detailed"))
    assert [tuple(row) for row in rows] == [FIELDS] * 3
    for one, row in zip(asked, rows, strict=True):
        assert one.item is not None
        found = explain(ws, one.user, one.item, seed=3, style="detailed")
        assert row["explanation"] == timeless(found)
        assert (row["answer"], row["error"], row["row"]) == (found.answer, None, one.row)
        assert Explanation.from_json(row["explanation"]).answer == found.answer


def test_a_user_without_an_item_gets_the_best(small_workspace: Workspace) -> None:
    rows = list(explain_batch([Asked(4, "u01", None)], small_workspace, top=3))
    assert [row["item"] for row in rows] == best(small_workspace, "u01", 3)
    assert {row["row"] for row in rows} == {4}


def test_what_cannot_be_answered_says_so_in_its_place(small_workspace: Workspace) -> None:
    ws = small_workspace
    good = best(ws, "u01")[0]
    seen = ws.recommender.item_ids.ids[ws.recommender.seen("u01")[0]]
    asked = [
        Asked(0, "absent", good),
        Asked(1, "u01", "no such film"),
        Asked(2, "u01", good),
        Asked(3, "u01", seen),
        Asked(4, "", None, "it was no JSON"),
        Asked(5, "u01", None),
        Asked(6, "absent", None),
    ]
    rows = list(explain_batch(asked, ws))
    assert [row["row"] for row in rows] == list(range(7))
    assert [row["error"] is None for row in rows] == [False, False, True, *[False] * 4]
    for row, word in zip(
        rows, ("absent", "no such film", "", "seen", "JSON", "--top"), strict=False
    ):
        assert word in (row["error"] or "")
    assert all(row["explanation"] is None for row in rows if row["error"])


def test_a_store_that_fails_ends_the_batch(small_workspace: Workspace) -> None:
    from dataclasses import replace

    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise ArtefactError("the review server is gone")

    ws = replace(small_workspace, reviews=Gone())  # type: ignore[arg-type]
    asked = [Asked(0, "u01", best(small_workspace, "u01")[0])]
    with pytest.raises(ArtefactError, match="gone"):
        list(explain_batch(asked, ws))


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 8), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_results_keep_their_order_and_few_are_held(naps: list[int], width: int, held: int) -> None:
    taken = given_back = 0

    def things() -> Iterator[int]:
        nonlocal taken
        for nap in naps:
            taken += 1
            assert taken - given_back <= held
            yield nap

    def slow(nap: int) -> int:
        time.sleep(nap / 1000)
        return nap

    found = []
    with ThreadPoolExecutor(width) as pool:
        for one in in_order(pool, slow, things(), held):
            found.append(one)
            given_back += 1
    assert found == naps


def test_an_endpoint_is_asked_so_much_at_once_and_no_more(small_workspace: Workspace) -> None:
    ws = small_workspace
    users = [f"u{n:02}" for n in range(1, 13)]
    asked = [Asked(n, user, best(ws, user)[0]) for n, user in enumerate(users)]
    with endpoint(0.05) as served:
        writer = open_writer("openai", model="scripted", base_url=served.url)
        wide = list(explain_batch(asked, ws, writer=writer, concurrency=4))
        most = served.most
        narrow = list(explain_batch(asked, ws, writer=writer))
    assert wide == narrow
    assert 1 < most <= 4
    assert {row["llm"] for row in wide} == {"openai:scripted"}
    assert all(row["llm_error"] is None for row in wide)


def test_faults_that_pass_are_waited_out(small_workspace: Workspace) -> None:
    ws = small_workspace
    asked = [Asked(n, user, best(ws, user)[0]) for n, user in enumerate(("u01", "u02", "u03"))]
    with endpoint(faults=(429, 500, 503, 429, -1), every=2) as served:
        writer = open_writer("openai", model="scripted", base_url=served.url, retries=6)
        rows = list(explain_batch(asked, ws, writer=writer, concurrency=3))
    assert [row["llm_error"] for row in rows] == [None] * 3
    with endpoint() as served:
        writer = open_writer("openai", model="scripted", base_url=served.url)
        assert list(explain_batch(asked, ws, writer=writer)) == rows


def test_faults_that_stay_are_answered_by_the_realiser(small_workspace: Workspace) -> None:
    ws = small_workspace
    asked = [Asked(n, user, best(ws, user)[0]) for n, user in enumerate(("u01", "u02"))]
    with endpoint(faults=(401,) * 50) as served:
        writer = open_writer("openai", model="scripted", base_url=served.url, retries=6)
        rows = list(explain_batch(asked, ws, writer=writer, concurrency=2))
        assert served.asked == 2  # a refused key is not sent again
    plain = list(explain_batch(asked, ws))
    assert [row["answer"] for row in rows] == [row["answer"] for row in plain]
    assert all("401" in row["llm_error"] and row["llm"] == "none" for row in rows)
