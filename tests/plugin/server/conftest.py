"""Open the small artefact once for all tests of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from whythis.conversation.assistant import WhyThis

from .serving import Served, serving


@pytest.fixture(scope="session")
def assistant(small_indexed: Path) -> Iterator[WhyThis]:
    with WhyThis.open(small_indexed) as opened:
        opened.ask("u00", "What can you do?")  # routing learns once, at the first question
        yield opened


@pytest.fixture(scope="session")
def served(assistant: WhyThis) -> Iterator[Served]:
    """Give a server without keys; no test may change what it answers."""
    with serving(assistant) as one:
        yield one
