"""Keep results that are dear to make and often asked for, those asked for last, up to a size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_V = TypeVar("_V")


class Kept(Generic[_V]):
    """Hold results by key, in any thread; a key must name all that its result depends on.

    Two threads that ask for the same at once may both make it: a result must be the same each time.
    """

    def __init__(self, most: int, size: Callable[[_V], int] = lambda _: 1) -> None:
        """Hold results whose sizes add up to at most `most`; a larger one is not kept at all."""
        self._most = most
        self._size = size
        self._lock = Lock()
        self._results: OrderedDict[Hashable, _V] = OrderedDict()
        self._held = 0

    @property
    def held(self) -> int:
        """Return the sum of the sizes of what is held."""
        return self._held

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._results.clear()
            self._held = 0

    def get(self, key: Hashable, make: Callable[[], _V]) -> _V:
        """Return the result held for a key; make and hold it where there is none."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        made = make()  # without the lock, which would make others wait
        size = self._size(made)
        with self._lock:
            if size <= self._most and key not in self._results:
                self._results[key] = made
                self._held += size
                while self._held > self._most:
                    self._held -= self._size(self._results.popitem(last=False)[1])
        return made
