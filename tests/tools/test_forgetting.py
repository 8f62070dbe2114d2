"""What is forgotten is in no byte of the folder, and nothing else is lost."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from whythis.recsys import artefact
from whythis.recsys.errors import ArtefactError, UnknownIdError
from whythis.tools.forgetting import forget
from whythis.tools.memory import events
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import open_workspace

WHYTHIS = Path(sys.executable).with_name("whythis")
USER, TEXT = "u05", "My favourite drama of all"


@pytest.fixture
def folder(small_indexed: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "artefact"
    shutil.copytree(small_indexed, copy)
    events.append(copy, USER, "reject", "i00", time=1.0)
    return copy


def holding(folder: Path, *what: str) -> list[str]:
    """Return the files that hold one of the words as bytes.

    A word as short as a user's id is not looked for in vectors: it stands there by chance.
    """
    found = []
    for path in folder.rglob("*"):
        words = [word for word in what if len(word) > 8 or path.suffix != ".bin"]
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words):
            found.append(str(path))
    return found


def test_no_byte_of_a_forgotten_user_is_left(folder: Path) -> None:
    before = artefact.load(folder)
    with open_workspace(folder).store() as store:
        others = [s for s in store.sentences() if s.user != USER]
    assert holding(folder, TEXT)  # so that finding nothing means something
    counted = forget(folder, USER, dry_run=True)
    assert holding(folder, TEXT)
    found = forget(folder, USER)
    assert found == counted
    assert found.interactions == (before.interactions["user"] == USER).sum() > 0
    assert (found.reviews, found.sentences, found.corrections) == (1, 2, 1)
    assert "fit" in found.left[0]
    assert holding(folder, TEXT, "I cried twice", USER) == []
    after = artefact.load(folder)
    assert USER not in set(after.interactions["user"])
    assert len(after.interactions) == len(before.interactions) - found.interactions
    assert after.hashes["data"] != before.hashes["data"]
    assert after.hashes["model"] == before.hashes["model"]
    reviews = artefact.read_reviews(folder)
    assert reviews is not None
    assert set(reviews["user"]) >= {"ann", "bob"}
    assert USER not in set(reviews["user"])
    with open_workspace(folder).store() as store:
        assert list(store.sentences()) == others
        assert store.search("i00", ["drama"], without_user=None)
    with pytest.raises(UnknownIdError, match="check the id"):
        forget(folder, USER)


@pytest.mark.parametrize("left", [1, 2, 3])
def test_who_reads_what_is_left_writes_no_vector_file(folder: Path, left: int) -> None:
    """Chroma writes memory that nobody cleared, so that a process that read the text wrote it."""

    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in new.rglob("*.bin")}

    new = folder.with_name("new")
    with open_workspace(folder).store() as store:
        ids = [sentence.id for sentence in store.sentences()]
        with store.without(new, ids[left:]) as smaller:
            before = written()
            assert before
            assert len(smaller.vectors_of_item("i00")[0]) == smaller.count == left
    with ReviewStore.open(new) as again:
        assert [sentence.id for sentence in again.sentences()] == ids[:left]
    assert written() == before


def test_what_cannot_be_written_is_said(folder: Path) -> None:
    blocked = folder / "blocked"
    blocked.write_text("a file")
    with (
        open_workspace(folder).store() as store,
        pytest.raises(ArtefactError, match="was not written"),
    ):
        store.without(blocked / "new", ["1#1"])


def test_one_item_of_a_user_can_be_forgotten(folder: Path) -> None:
    before = artefact.load(folder).interactions
    other = before[before["user"] == USER]["item"].iloc[0]
    found = forget(folder, USER, other)
    assert (found.interactions, found.reviews) == (1, 0)
    assert holding(folder, TEXT)
    found = forget(folder, USER, "i00")
    assert found.reviews == 1
    assert holding(folder, TEXT) == []
    left = artefact.load(folder).interactions
    assert len(left[left["user"] == USER]) >= len(before[before["user"] == USER]) - 2


def test_who_only_wrote_is_forgotten_too(folder: Path) -> None:
    found = forget(folder, "ann")
    assert (found.interactions, found.reviews) == (0, 3)
    assert holding(folder, "A tender drama", "The songs are a joy") == []


def test_an_unknown_user_is_named(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    for user, item in (("zed", None), (USER, "i37x")):
        events.delete(folder, USER)
        with pytest.raises(UnknownIdError, match=f"nothing of user '{user}'"):
            forget(folder, user, item)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("at", ["rename", "replace", "rmtree", "unlink"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_killed_forget_is_finished_by_running_it_again(folder: Path, at: str, nth: int) -> None:
    owner = "shutil" if at == "rmtree" else "pathlib.Path"
    script = f"""
import os, pathlib, shutil, signal
real, count = {owner}.{at}, 0
def stop(path, *args, **options):
    global count
    if {str(folder)!r} in str(path):
        count += 1
        if count == {nth}:
            os.kill(os.getpid(), signal.SIGKILL)
    return real(path, *args, **options)
from whythis.tools.forgetting import forget
{owner}.{at} = stop
forget(pathlib.Path({str(folder)!r}), {USER!r})
"""
    total = len(artefact.load(folder).interactions)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode in (0, -signal.SIGKILL)
    mine = 0
    with open_workspace(folder).store() as store:  # the earlier one or the new one, whole
        rows = artefact.load(folder).interactions
        mine = int((rows["user"] == USER).sum())
        assert bool(store.of_user(USER)) == bool(mine)
    if killed.returncode:
        try:
            forget(folder, USER)
        except UnknownIdError:
            assert mine == 0  # it was killed after its end
    assert holding(folder, TEXT, USER) == []
    assert len(artefact.load(folder).interactions) < total
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_the_command_counts_and_says_what_stays(folder: Path) -> None:
    command = [str(WHYTHIS), "forget", str(folder), "--user", USER, "--json"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(run.stdout)
    assert told["sentences"] == 2
    assert any("whythis fit" in line for line in told["left"])
    assert subprocess.run(command, check=False, capture_output=True).returncode == 2
