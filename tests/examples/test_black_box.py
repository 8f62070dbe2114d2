"""The model of another library is explained as the example stands."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "black_box.py"
TITLE = r"\d\. .+ \(\d{4}\)"


@pytest.mark.skipif(
    importlib.util.find_spec("implicit") is None and os.environ.get("WHYTHIS_TESTS") != "all",
    reason="implicit is not installed: pip install 'whythis[bench]'",
)
def test_three_recommendations_of_another_library_are_explained() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    blocks = done.stdout.strip().split("\n\n")
    assert [block[:3] for block in blocks] == ["1. ", "2. ", "3. "]
    for n, block in enumerate(blocks, 1):
        title, answer = block.splitlines()
        assert re.fullmatch(TITLE, title)
        assert re.search(rf"it would fall from {n}\w\w to \d+\w\w place", answer)
        assert "taste" not in answer
