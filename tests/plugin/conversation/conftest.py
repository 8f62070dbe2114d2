"""Give tests a conversation with a copy of the small artefact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .talking import Talk, talk


@pytest.fixture
def speak(small_indexed: Path, tmp_path: Path) -> Iterator[Talk]:
    """Give a conversation that may change its artefact."""
    one = talk(small_indexed, tmp_path)
    yield one
    one.assistant.close()


@pytest.fixture(scope="module")
def asked(small_indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """Give a conversation that no test may change the artefact of."""
    one = talk(small_indexed, tmp_path_factory.mktemp("asked"))
    yield one
    one.assistant.close()
