"""Answer a batch on this machine, in this process or in several."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import TypeVar

from whythis.batch.asked import Asked
from whythis.batch.order import in_order
from whythis.batch.rows import Row, explain_batch
from whythis.batch.setup import Opened, Setup, open_setup, opened
from whythis.recsys.errors import WhyThisError

_T = TypeVar("_T")


def answered(asked: Iterable[Asked], setup: Setup, processes: int) -> Iterator[Row]:
    """Yield the rows that `explain_batch` makes, in its order, by so many processes.

    Raises `WhyThisError` where one of them is ended from outside, and as `opened` and
    `explain_batch` do.
    """
    if processes == 1:
        with opened(setup) as parts:
            yield from answer_with(asked, setup, parts)
        return
    chunks = in_chunks(asked, chunk_size(setup))
    context = get_context("spawn")  # a fork would share the locks of torch and of Chroma
    try:
        with ProcessPoolExecutor(processes, context, _end_with_parent) as pool:
            for rows in in_order(pool, partial(_rows, setup), chunks, 2 * processes):
                yield from rows
    except BrokenProcessPool as error:
        raise WhyThisError(
            f"one of {processes} processes was ended from outside, perhaps for its memory: run the "
            "same command again to go on, with fewer --processes"
        ) from error


def answer_with(asked: Iterable[Asked], setup: Setup, parts: Opened) -> Iterator[Row]:
    """Yield the rows of `explain_batch` for a setup that is open."""
    return explain_batch(
        asked,
        parts.ws,
        writer=parts.writer,
        style=setup.style,
        seed=setup.seed,
        vetoes=parts.vetoes,
        top=setup.top,
        concurrency=setup.concurrency,
    )


def chunk_size(setup: Setup) -> int:
    """Return how many rows a process is handed at a time: enough for its threads to keep busy."""
    return max(8, 4 * setup.concurrency)


def in_chunks(things: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield lists of `size` things; the last may be shorter."""
    stream = iter(things)
    while chunk := list(islice(stream, size)):
        yield chunk


def _rows(setup: Setup, asked: list[Asked]) -> list[Row]:
    return list(answer_with(asked, setup, _open_for_good(setup)))


@lru_cache(maxsize=1)
def _open_for_good(setup: Setup) -> Opened:
    """Open a setup until this process ends."""
    return open_setup(setup)


def _end_with_parent() -> None:
    """Leave nobody behind where the parent is killed: it cannot say so itself."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
