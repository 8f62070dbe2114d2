"""Say what a batch answers with, and open it: the same in every process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from whythis.recsys.errors import DataError
from whythis.text.language import Style

if TYPE_CHECKING:
    from whythis.text.checker import Veto
    from whythis.tools.workspace import Workspace
    from whythis.writers.writer import Writer

RETRIES = 6
"""How often a request is sent again: with the client's growing pauses, for half a minute."""


class Setup(BaseModel):
    """Name what answers are made with; plain data, so that other processes can open it.

    folder: the artefact. recommender, checkers: names for `whythis.extending`. llm, model and
    base_url: as for `whythis explain`. top: how many recommendations are explained for a row
    without an item. concurrency: how many rows are asked about at once in one process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    recommender: str | None = None
    llm: str = "none"
    model: str | None = None
    base_url: str | None = None
    style: Style = "plain"
    seed: int = 0
    checkers: tuple[str, ...] = ()
    top: int | None = Field(None, ge=1)
    concurrency: int = Field(1, ge=1)


class Opened(NamedTuple):
    """Hold what a setup names, opened in this process."""

    ws: Workspace
    writer: Writer | None
    vetoes: Sequence[Veto]


@contextmanager
def opened(setup: Setup) -> Iterator[Opened]:
    """Open what the setup names, and release the files of the review index in the end."""
    parts = open_setup(setup)
    try:
        yield parts
    finally:
        if parts.ws.reviews is not None:
            parts.ws.reviews.close()


def open_setup(setup: Setup) -> Opened:
    """Open what the setup names; close the review store in the end.

    Raises as `open_workspace` and `whythis.extending` do, and `DataError` where a model in this
    process is to be asked several things at once.
    """
    if setup.concurrency > 1 and setup.llm == "local":
        raise DataError(
            f"--concurrency {setup.concurrency}: a model in this process answers one at a time; "
            "give --processes instead"
        )
    import torch

    from whythis.extending import checker, open_any_writer, recommended_by
    from whythis.tools.workspace import open_workspace

    torch.set_num_threads(1)
    vetoes = tuple(checker(name) for name in setup.checkers)
    ws = open_workspace(setup.folder)
    try:
        if setup.recommender is not None:
            ws = recommended_by(ws, setup.recommender)
        writer = open_any_writer(
            setup.llm,
            model=setup.model,
            base_url=setup.base_url,
            seed=setup.seed,
            retries=RETRIES,
        )
    except BaseException:
        if ws.reviews is not None:
            ws.reviews.close()
        raise
    return Opened(ws, writer, vetoes)
