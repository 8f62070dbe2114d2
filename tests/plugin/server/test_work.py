"""So many at once, the others in turn, by keys and users; what is late is given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whythis.server.errors import Refused
from whythis.server.limits import Rates, check_depth
from whythis.server.work import FairQueue, Lane, Turn


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=30))
def test_keys_take_turns_and_within_a_key_its_users(turns: list[tuple[str, str]]) -> None:
    async def served() -> list[tuple[str, str]]:
        queue, order = FairQueue(1, 100, 100), []
        await queue.enter(Turn("first", "first"))

        async def one(key: str, user: str) -> None:
            await queue.enter(Turn(key, user))
            order.append((key, user))
            queue.leave(0.1)

        tasks = [asyncio.create_task(one(*turn)) for turn in turns]
        await asyncio.sleep(0)
        assert (queue.waiting, queue.running) == (len(turns), 1)
        queue.leave(0.1)
        await asyncio.gather(*tasks)
        assert (queue.waiting, queue.running) == (0, 0)
        return order

    order = asyncio.run(served())
    assert sorted(order) == sorted(turns)
    waiting = list(turns)
    for key, _ in order:
        # nobody is served while another key, served less often by now, waits
        mine = sum(k == key for k, _ in order[: len(turns) - len(waiting)])
        others = {k for k, _ in waiting} - {key}
        for other in others:
            theirs = sum(k == other for k, _ in order[: len(turns) - len(waiting)])
            assert mine <= theirs
        waiting.remove(order[len(turns) - len(waiting)])


def test_a_full_queue_says_when_to_come_again() -> None:
    async def full() -> tuple[Refused, Refused]:
        queue = FairQueue(1, 2, 3)
        await queue.enter(Turn("a", "x"))
        tasks = [asyncio.create_task(queue.enter(Turn("a", user))) for user in "xy"]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as mine:
            await queue.enter(Turn("a", "z"))
        tasks.append(asyncio.create_task(queue.enter(Turn("b", "x"))))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as anyone:
            await queue.enter(Turn("c", "x"))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        queue.leave(0)
        assert (queue.waiting, queue.running) == (0, 0)
        return mine.value, anyone.value

    for refused in asyncio.run(full()):
        assert refused.status_code == 429
        assert int((refused.headers or {})["Retry-After"]) >= 1


def test_a_place_is_not_lost_where_who_waited_is_gone() -> None:
    async def gone() -> None:
        queue = FairQueue(1, 9, 9)
        await queue.enter(Turn("a", "x"))
        waits = asyncio.create_task(queue.enter(Turn("a", "x")))
        await asyncio.sleep(0)
        queue.leave(0)  # lets it in
        waits.cancel()  # before it knows
        await asyncio.gather(waits, return_exceptions=True)
        assert queue.running == 0
        await asyncio.wait_for(queue.enter(Turn("a", "x")), 1)

    asyncio.run(gone())


def test_what_is_late_keeps_its_place_until_it_ends() -> None:
    async def late() -> None:
        lane, over = Lane("test", 1, 9, 9, seconds=0.1), threading.Event()
        with pytest.raises(Refused) as refused:
            await lane.run(Turn("a", "x"), lambda: over.wait(10))
        assert refused.value.status_code == 504
        assert lane.queue.running == 1
        with pytest.raises(Refused):  # waiting for a turn takes time too
            await lane.run(Turn("a", "x"), lambda: None)
        over.set()
        while lane.queue.running:
            await asyncio.sleep(0.01)
        assert await lane.run(Turn("a", "x"), lambda: 7) == 7
        lane.close()

    asyncio.run(late())


def test_what_a_computation_raises_is_raised() -> None:
    async def wrong() -> None:
        lane = Lane("test", 1, 9, 9, seconds=5)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await lane.run(Turn("a", "x"), lambda: 1 // 0)
        assert lane.queue.running == 0
        lane.close()

    asyncio.run(wrong())


def test_a_stream_ends_raises_and_is_given_up() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        try:
            for n in range(1000):
                made.append(n)
                yield n
                time.sleep(0.005)
        finally:
            made.append(-1)

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError

    async def read() -> None:
        lane = Lane("test", 1, 9, 9, seconds=0.5)
        stream = await lane.stream(Turn("a", "x"), lambda: iter([1, 2]))
        assert [n async for n in stream.read()] == [1, 2]
        with pytest.raises(ValueError):  # noqa: PT011
            _ = [n async for n in (await lane.stream(Turn("a", "x"), broken)).read()]
        reading = (await lane.stream(Turn("a", "x"), numbers)).read()
        assert await anext(reading) == 0
        await reading.aclose()  # type: ignore[attr-defined]
        while lane.queue.running:
            await asyncio.sleep(0.01)
        assert made[-1] == -1
        assert len(made) < 100
        with pytest.raises(Refused) as refused:
            _ = [n async for n in (await lane.stream(Turn("a", "x"), numbers)).read()]
        assert refused.value.status_code == 504
        lane.close()

    asyncio.run(read())


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    for _ in range(3):
        rates.take("a")
    with pytest.raises(Refused) as refused:
        rates.take("a")
    assert (refused.value.headers or {})["Retry-After"] == "1"
    rates.take("b")
    now[0] = 0.5
    rates.take("a")
    with pytest.raises(Refused):
        rates.take("a")
    now[0] = 1000.0
    for _ in range(3):
        rates.take("a")
    with pytest.raises(Refused):
        rates.take("a")


@given(st.integers(0, 40))
def test_depth_is_counted_exactly(depth: int) -> None:
    data: object = 1
    for n in range(depth):
        data = [data] if n % 2 else {"a": data, "b": 2}
    if depth <= 12:
        check_depth(data, 12)
    else:
        with pytest.raises(Refused):
            check_depth(data, 12)
