"""Skip, with the reason, the tests whose real parts are not on this machine.

With WHYTHIS_TESTS=all (as `make test` sets it) nothing is skipped: a missing part is a failure.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

from whythis.downloads import locate
from whythis.recsys.errors import MissingPartError

LANGUAGE_MODEL = "qwen2.5-coder-1.5b"


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
