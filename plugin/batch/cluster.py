"""Answer a batch with Ray Data, on this machine or on the cluster that RAY_ADDRESS names."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from whythis.batch.asked import Asked
from whythis.batch.local import answer_with, chunk_size, in_chunks
from whythis.batch.rows import Row
from whythis.batch.setup import Setup, open_setup
from whythis.recsys.errors import MissingPartError, WhyThisError

_WINDOW = 2_000  # chunks handed to Ray at a time: what is asked is not held all at once


class Answerer:
    """Keep a setup open in a process of Ray's, and answer chunks of rows given as JSON."""

    def __init__(self, setup: str) -> None:
        """Open it for as long as the process lives."""
        self._setup = Setup.model_validate_json(setup)
        self._parts = open_setup(self._setup)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Answer every chunk of a batch."""
        return {"rows": [self._answer(chunk) for chunk in batch["asked"]]}

    def _answer(self, chunk: str) -> str:
        asked = [Asked(*one) for one in json.loads(chunk)]
        return json.dumps(list(answer_with(asked, self._setup, self._parts)))


def answered(asked: Iterable[Asked], setup: Setup, processes: int) -> Iterator[Row]:
    """Yield the rows that `explain_batch` makes, in its order, by so many processes of Ray's.

    On a cluster every machine must have this package and see the artefact at the same path.
    Raises `MissingPartError` without ray, and `WhyThisError` for what its processes raise.
    """
    with _ray(processes) as data:
        for window in in_chunks(in_chunks(asked, chunk_size(setup)), _WINDOW):
            chunks = [{"asked": json.dumps(chunk)} for chunk in window]
            made = data.from_items(chunks, override_num_blocks=len(chunks)).map_batches(
                Answerer,
                fn_constructor_args=(setup.model_dump_json(),),
                batch_size=1,
                compute=data.ActorPoolStrategy(size=processes),
                num_cpus=1,
            )
            for one in made.iter_rows():
                yield from json.loads(one["rows"])


@contextmanager
def _ray(processes: int) -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray reads it when it is imported
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingPartError("ray is not installed: pip install 'whythis[batch]'") from error
    own: dict[str, Any] = (
        {} if os.environ.get("RAY_ADDRESS") else {"address": "local", "num_cpus": processes}
    )
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **own)
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        yield ray.data
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise _ours(error) from error
    finally:
        ray.shutdown()


def _ours(error: BaseException) -> WhyThisError:
    """Return what a process of Ray's raised on purpose, or one line of what went wrong."""
    at: BaseException | None = error
    while at is not None:
        for found in (at, getattr(at, "cause", None)):
            if isinstance(found, WhyThisError):
                return WhyThisError(str(found.args[0] if found.args else found).splitlines()[-1])
        at = at.__cause__
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
    return WhyThisError(f"Ray failed: {last}; run the same command again to go on")
