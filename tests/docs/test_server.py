"""What docs/server.md shows runs: its server is started as it says, its commands and programs run.

The command below `<!-- serve -->` is started on a port of its own; each block below
`<!-- run: server -->` is run against it, in order and in one folder.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_readme import ROOT, demo, run
from tests.tools.reviews.test_server import free_port

__all__ = ["demo"]  # a fixture

PAGE = (ROOT / "docs" / "server.md").read_text("utf-8")
RUN = re.compile(r"^<!-- run: server -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVE = re.compile(r"^<!-- serve -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [found.groups() for found in RUN.finditer(PAGE)]
ALL = re.findall(r"^```\w+$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def port(demo: Path) -> Iterator[int]:
    free = free_port()
    (shown,) = SERVE.findall(PAGE)
    words = shlex.split(shown.replace("8000", str(free)))
    words[0] = str(Path(sys.executable).with_name(words[0]))
    process = subprocess.Popen(
        words, cwd=demo, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        for _ in range(600):
            assert process.poll() is None
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{free}/healthz", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield free
    finally:
        process.terminate()
        process.wait(30)


def test_every_block_is_run() -> None:
    assert len(BLOCKS) + len(SERVE.findall(PAGE)) == len(ALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_does_what_it_shows(demo: Path, port: int, number: int) -> None:
    language, text = BLOCKS[number]
    said = run(language, text.replace("localhost:8000", f"localhost:{port}"), demo)
    assert said.strip()
    assert '"error"' not in said
    assert "event: error" not in said
