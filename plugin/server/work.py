"""Compute answers in threads: so many at once, and whoever waits is served in turn."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from whythis.server.errors import Refused
from whythis.server.limits import too_many

T = TypeVar("T")
_Waiter = asyncio.Future[None]


@dataclass(frozen=True)
class Turn:
    """Say for whom something is computed: keys take turns, and within a key its users."""

    key: str
    user: str


class FairQueue:
    """Let `places` callers in at once; the rest wait, and are let in by keys in turn.

    Within a key, its users take turns, and requests of one user are served as they came. Belongs
    to one event loop.
    """

    def __init__(self, places: int, waiting: int, most: int) -> None:
        """Let at most `waiting` requests of a key wait, and `most` of all."""
        self._free, self._places = places, places
        self._waiting, self._most = waiting, most
        self._keys: dict[str, dict[str, deque[_Waiter]]] = {}
        self.spent = 1.0  # seconds that a turn takes, on average of late

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return sum(len(line) for users in self._keys.values() for line in users.values())

    @property
    def running(self) -> int:
        """Return how many are in."""
        return self._places - self._free

    async def enter(self, turn: Turn) -> None:
        """Wait for a place; give it back with `leave`. Raises `Refused` (429) at a full queue."""
        if self._free and not self._keys:
            self._free -= 1
            return
        users = self._keys.get(turn.key, {})
        mine, all_ = sum(map(len, users.values())), self.waiting
        if mine >= self._waiting or all_ >= self._most:
            raise too_many("too many requests are waiting", (all_ + 1) * self.spent / self._places)
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._keys.setdefault(turn.key, users).setdefault(turn.user, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._next()  # it had been let in
            raise

    def leave(self, seconds: float) -> None:
        """Give a place back that was held so long, and let the next in."""
        self.spent += 0.2 * (seconds - self.spent)
        self._next()

    def _next(self) -> None:
        while self._keys:
            key, users = next(iter(self._keys.items()))
            user, line = next(iter(users.items()))
            waiter = line.popleft()
            # whoever was served goes to the end
            del users[user], self._keys[key]
            if line:
                users[user] = line
            if users:
                self._keys[key] = users
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1


class Stream(Generic[T]):
    """Read in the event loop what a thread makes; the thread stops when the reader is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        """Read until `deadline`, in the loop's time."""
        self._loop, self._deadline = loop, deadline
        self._made: asyncio.Queue[T | BaseException | None] = asyncio.Queue()
        self._gone = threading.Event()

    def fill(self, make: Callable[[], Iterator[T]]) -> None:
        """Make everything, in a thread; what is raised is raised again where it is read."""
        try:
            made = make()
            try:
                for one in made:
                    if self._gone.is_set():
                        return
                    self._put(one)
            finally:
                if hasattr(made, "close"):
                    made.close()
        except Exception as error:  # noqa: BLE001
            self._put(error)
        else:
            self._put(None)

    def _put(self, one: T | BaseException | None) -> None:
        # The loop may have ended with the server: nobody reads any more.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._made.put_nowait, one)

    async def read(self) -> AsyncGenerator[T, None]:
        """Yield what is made; raises what making raised, `Refused` (504) past the deadline."""
        try:
            while True:
                try:
                    async with asyncio.timeout_at(self._deadline):
                        one = await self._made.get()
                except TimeoutError:
                    raise too_slow() from None
                if one is None:
                    return
                if isinstance(one, BaseException):
                    raise one
                yield one
        finally:
            self.stop()

    def stop(self) -> None:
        """Tell the thread that nobody reads any more."""
        self._gone.set()


class Lane:
    """Compute in so many threads of its own, behind a fair queue; each answer has its time."""

    def __init__(self, name: str, threads: int, waiting: int, most: int, seconds: float) -> None:
        """Name it; nothing runs yet."""
        self.name, self.seconds = name, seconds
        self.queue = FairQueue(threads, waiting, most)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"whythis-{name}")

    async def run(self, turn: Turn, compute: Callable[[], T]) -> T:
        """Return what `compute` returns, waiting for a turn included.

        Raises `Refused`: 429 at a full queue, 504 past the time. A computation that is late keeps
        its place until it ends: there are never more at once.
        """
        try:
            async with asyncio.timeout(self.seconds):
                await self.queue.enter(turn)
                return await asyncio.shield(self._started(compute))
        except TimeoutError:
            raise too_slow() from None

    async def stream(self, turn: Turn, make: Callable[[], Iterator[T]]) -> Stream[T]:
        """Return the stream of what `make` yields; raises as `run`, before anything is made."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self.queue.enter(turn)
        except TimeoutError:
            raise too_slow() from None
        stream: Stream[T] = Stream(loop, deadline)
        self._started(lambda: stream.fill(make))
        return stream

    def _started(self, compute: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        running = loop.run_in_executor(self._pool, compute)

        def over(done: asyncio.Future[T]) -> None:
            self.queue.leave(loop.time() - start)
            if not done.cancelled():
                done.exception()  # nobody may be there to ask for it

        running.add_done_callback(over)
        return running

    def close(self) -> None:
        """Start nothing more; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def too_slow() -> Refused:
    """Return the refusal of an answer that took too long."""
    return Refused(504, "timeout", "the answer took too long: ask again, or for a shorter one")
