"""Let a pool work on many things at once, and give the results in the order of the things."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")


def in_order(
    pool: Executor, function: Callable[[_A], _B], things: Iterable[_A], held: int
) -> Iterator[_B]:
    """Yield `function` of each thing, at most `held` of them taken and not yet yielded."""
    waiting: deque[Future[_B]] = deque()
    try:
        for thing in things:
            waiting.append(pool.submit(function, thing))
            if len(waiting) >= held:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
