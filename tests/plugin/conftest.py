"""Fit one small artefact for all tests of the surfaces."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .running import SMALL, TABLE, table, whythis


@pytest.fixture(scope="session")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    path.write_text(table(), "utf-8")
    return path


@pytest.fixture(scope="session")
def fitted(ratings: Path) -> Path:
    """Return a fitted and indexed artefact; no test may change it."""
    folder = ratings.parent / "films"
    assert whythis("fit", ratings, *TABLE, *SMALL, "--out", folder).code == 0
    assert whythis("index", folder).code == 0
    return folder


@pytest.fixture
def films(fitted: Path, tmp_path: Path) -> Path:
    """Return a copy of the artefact that a test may damage."""
    return shutil.copytree(fitted, tmp_path / "copy")
