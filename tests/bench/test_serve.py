"""The load asks what it says, never the same twice, and its figures are what was measured."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.plugin.server.serving import Served, serving
from whythis.bench.load import Connection, closed
from whythis.bench.serve import jain, memory, questions
from whythis.conversation.assistant import WhyThis


@pytest.fixture(scope="module")
def served(small_indexed: Path) -> Iterator[Served]:
    with WhyThis.open(small_indexed) as assistant, serving(assistant) as one:
        yield one


def port(served: Served) -> int:
    return int(served.url.rpartition(":")[2])


def test_no_question_is_asked_twice(small_artefact: Path) -> None:
    asked = [(one["user"], one["item"]) for one in questions(small_artefact, 0)]
    assert len(asked) == len(set(asked)) > 500
    assert asked != [(one["user"], one["item"]) for one in questions(small_artefact, 1)]


def test_a_load_counts_what_was_answered(served: Served, small_artefact: Path) -> None:
    asked = questions(small_artefact, 0)
    wrong = iter([{"user": "nobody at all"}] * 10_000)
    load = asyncio.run(
        closed(port(served), "/v1/explain", {"a": asked, "b": asked, "c": wrong}, 1.5)
    )
    assert load.seconds["a"]
    assert load.seconds["b"]
    assert not load.seconds["c"]
    assert {failure[:3] for failure in load.failed} == {"422"}
    assert 1.5 <= load.took < 10
    assert all(0 < one < load.took for one in load.all)
    answered = [line for line in served.log if line["status"] == 200]
    assert len(answered) == len(load.all)


def test_a_load_that_runs_out_of_questions_is_no_measurement(served: Served) -> None:
    with pytest.raises(RuntimeError, match="too few"):
        asyncio.run(closed(port(served), "/v1/explain", {"a": iter([])}, 1.0))


def test_a_streamed_answer_is_timed_by_its_events(served: Served, small_artefact: Path) -> None:
    async def ask() -> list[tuple[str, float]]:
        (one,) = islice(questions(small_artefact, 0), 1)
        connection = await Connection.open(port(served))
        return await connection.events("/v1/ask", {"user": one["user"], "text": "Hello?"})

    found = asyncio.run(ask())
    assert found[0][0] == "step"
    assert found[-1][0] == "done"
    assert [at for _, at in found] == sorted(at for _, at in found)


def test_fairness_and_memory() -> None:
    assert jain([5, 5, 5]) == 1
    assert jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert 10 < memory(os.getpid()) < 100_000
