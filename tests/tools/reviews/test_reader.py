"""Two processes read what one does, in the same order, and say so when the second one fails."""

import subprocess
from collections.abc import Sequence

import pytest

from whythis.recsys.errors import ModelError
from whythis.tools.reviews import reader as module
from whythis.tools.reviews.parsing import Reading, read_texts
from whythis.tools.reviews.reader import BATCH, reader

TEXTS = [
    text
    for n in range(BATCH)
    for text in (f"The sound number {n} is great.", "Bad strap \ud800.", "", f"No word {n} judges.")
]


def test_few_texts_are_read_here() -> None:
    with reader(len(TEXTS), processors=2) as read:
        assert read is read_texts


def test_two_processes_read_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(second: subprocess.Popen[str], texts: Sequence[str]) -> list[Reading]:
        asked.append(len(texts))
        return real(second, texts)

    real = module._asked
    monkeypatch.setattr(module, "_asked", counted)
    monkeypatch.setattr(module, "ENOUGH", 1)
    with reader(len(TEXTS), processors=2) as read:
        both = [*read(TEXTS), *read(TEXTS[:5]), *read([])]
    assert both == [*read_texts(TEXTS), *read_texts(TEXTS[:5])]
    assert asked


def test_a_process_that_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH", 1)
    monkeypatch.setattr(module, "__name__", "whythis.tools.reviews.tiny_absent")
    with (
        pytest.raises(ModelError, match="run it again"),
        reader(len(TEXTS), processors=2) as read,
    ):
        list(read(TEXTS))
