"""Skip, with the reason, the tests whose real parts are not on this machine.

With WHYTHIS_TESTS=all (as `make test` sets it) nothing is skipped: a missing part is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from whythis.downloads import locate
from whythis.recsys.errors import MissingPartError

if TYPE_CHECKING:
    from whythis.tools.workspace import Workspace

LANGUAGE_MODEL = "qwen2.5-coder-1.5b"


def pytest_configure() -> None:
    """Compute in one thread: the matrices are tiny, and waiting for other threads is not."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if os.environ.get("WHYTHIS_TESTS") == "all":
        # every check of a commit gives the same verdict; runs by hand go on searching
        settings.register_profile("same", derandomize=True)
        settings.load_profile("same")


def missing_language_model() -> str | None:
    """Say what the local language model lacks to run here; None when it can."""
    if importlib.util.find_spec("llama_cpp") is None:
        return "llama-cpp-python is not installed: pip install 'whythis[local]'"
    try:
        locate(LANGUAGE_MODEL)
    except MissingPartError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that cannot run here as skipped."""
    if os.environ.get("WHYTHIS_TESTS") == "all":
        return
    reason = missing_language_model()
    if reason is None:
        return
    for item in items:
        if item.get_closest_marker("llm"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def small_artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fitted artefact of the small dataset; copy the folder before changing it."""
    from whythis.recsys.fitting import fit

    from .recsys.small import CONFIG, small_dataset

    folder = tmp_path_factory.mktemp("small") / "artefact"
    fit(small_dataset(), folder, CONFIG)
    return folder


@pytest.fixture(scope="session")
def small_indexed(small_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the small artefact with an index of its reviews; copy it before changing it."""
    from whythis.recsys.artefact import read_reviews
    from whythis.tools.reviews.embedding import MiniLM
    from whythis.tools.reviews.opinions import OpinionTable
    from whythis.tools.reviews.store import ReviewStore
    from whythis.tools.workspace import REVIEWS_FOLDER

    folder = tmp_path_factory.mktemp("indexed") / "artefact"
    shutil.copytree(small_artefact, folder)
    reviews = read_reviews(folder)
    assert reviews is not None
    with ReviewStore.build(folder / REVIEWS_FOLDER, reviews, MiniLM()) as store:
        OpinionTable.build(folder / REVIEWS_FOLDER, store)
    return folder


@pytest.fixture(scope="session")
def small_workspace(small_indexed: Path) -> Iterator[Workspace]:
    """Give the small artefact and its reviews, opened."""
    from whythis.tools.workspace import open_workspace

    workspace = open_workspace(small_indexed)
    yield workspace
    workspace.store().close()
