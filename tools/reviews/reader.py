"""Read many sentences on two processors: some in this process, some in a second one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Thread

from whythis.recsys.errors import ModelError
from whythis.tools.reviews.parsing import MODEL, Judgement, Reading, read_texts

Read = Callable[[Sequence[str]], Iterator[Reading]]

ENOUGH = 8192
"""The texts that are worth the seconds a second process takes to load spaCy."""
BATCH = 512  # as `read_texts` reads them, so that the results are those of one process


@contextmanager
def reader(texts: int, processors: int | None = None) -> Iterator[Read]:
    """Give a function that yields a reading a text, in order; `texts`: how many there will be.

    processors: default: as many as this process may use; more than two are not taken.

    Raises `ModelError` where the second process fails, and what `read_texts` raises.
    """
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if (
        texts < ENOUGH
        or (processors or free or 1) < 2
        or importlib.util.find_spec(MODEL) is None  # `read_texts` says it best
    ):
        yield read_texts
        return
    # A program of its own, and not a fork: other threads are at work here. -P: nothing in the
    # current folder passes for a module.
    command = [sys.executable, "-P", "-m", __name__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="ascii") as second:
        try:
            yield partial(_shared, second)
        except BaseException:
            second.kill()
            raise


def _shared(second: subprocess.Popen[str], texts: Sequence[str]) -> Iterator[Reading]:
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    waiting = deque(range(len(batches)))
    results: list[Future[list[Reading]]] = [Future() for _ in batches]

    def there() -> None:
        while (number := _next(waiting)) is not None:
            try:
                results[number].set_result(_asked(second, batches[number]))
            except (OSError, ValueError) as error:
                failure = ModelError(
                    f"the second process that reads sentences failed ({error}); run it again"
                )
                results[number].set_exception(failure)
                return

    thread = Thread(target=there)
    thread.start()
    try:
        for result in results:
            while not result.done() and (number := _next(waiting)) is not None:
                results[number].set_result(list(read_texts(batches[number])))
            yield from result.result()
    finally:
        waiting.clear()
        thread.join()


def _next(waiting: deque[int]) -> int | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _asked(second: subprocess.Popen[str], texts: Sequence[str]) -> list[Reading]:
    assert second.stdin is not None
    assert second.stdout is not None
    second.stdin.write(json.dumps(list(texts)) + "\n")
    second.stdin.flush()
    if not (line := second.stdout.readline()):
        raise ValueError("it ended")
    return [
        Reading(tuple(nouns), tuple(Judgement(*judgement) for judgement in judged))
        for nouns, judged in json.loads(line)
    ]


def main() -> None:
    """Answer each line, a list of texts, with a line: their readings."""
    for line in sys.stdin:
        print(json.dumps(list(read_texts(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
