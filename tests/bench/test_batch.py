"""The bench of batches times what it names, and finds nothing lost where it kills."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from whythis.bench.batch import CONCURRENCY, PROCESSES, measure
from whythis.bench.loopback import endpoint


def test_everything_is_measured(small_artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whythis.bench.batch.PROCESSES", (1,))
    monkeypatch.setattr("whythis.bench.batch.CONCURRENCY", (4,))
    result = measure(small_artefact, 60, 0, kills=1)
    figures = result.figures
    assert {target.figure for target in result.targets} <= set(figures)
    assert all(target.met(figures[target.figure]) for target in result.targets)
    assert figures["processes 1 rows/s"] > 0
    assert 50 < figures["processes 1 MB at end"] < 5000
    assert 1 < figures["concurrency 4 requests at once"] <= 4
    assert figures["kills that met it at work"] == 1
    assert (PROCESSES, CONCURRENCY) == ((1, 2), (1, 8, 32))


def test_the_scripted_endpoint_fails_when_it_is_told_to() -> None:
    with endpoint(faults=(503,)) as served:
        ask = urllib.request.Request(f"{served.url}/chat/completions", b"{}")
        with pytest.raises(urllib.error.HTTPError, match="503") as failed:
            urllib.request.urlopen(ask)
        failed.value.close()
        with urllib.request.urlopen(ask) as answered:
            assert answered.status == 200
    assert served.asked == 2
