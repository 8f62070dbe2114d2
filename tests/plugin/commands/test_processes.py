"""The command line as a process: on a full disk, interrupted, in a pipe, asked for help."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.plugin.running import SMALL, TABLE, command, listing, process, unseen

# A full disk


class Disk(NamedTuple):
    """A folder that soon is full; `options` go to the process that writes there."""

    folder: Path
    options: dict[str, Any]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Callable[[int], Disk]]:
    """Return a function that makes a disk of some KiB: a real one, or a limit on every file."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def make(kib: int) -> Disk:
        nonlocal mounted
        if os.geteuid() == 0 and shutil.which("mount"):
            mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
            mounted = subprocess.run(mount, capture_output=True).returncode == 0
        if mounted:
            return Disk(folder, {})

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (kib << 8, kib << 8))

        return Disk(folder, {"preexec_fn": limit})

    yield make
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_fit_on_a_full_disk_leaves_nothing(
    ratings: Path, full_disk: Callable[[int], Disk]
) -> None:
    disk = full_disk(8)
    ran = process("fit", ratings, *TABLE, *SMALL, "--out", disk.folder / "new", **disk.options)
    ran.refused(str(disk.folder / "new"), "free some space")
    assert not listing(disk.folder)


def test_an_index_on_a_full_disk_is_not_taken_for_whole(
    fitted: Path, full_disk: Callable[[int], Disk]
) -> None:
    disk = full_disk(256)
    for path in fitted.iterdir():
        if path.is_file():
            shutil.copy(path, disk.folder)
    ran = process("index", disk.folder, **disk.options)
    ran.refused(str(disk.folder))
    again = process("explain", disk.folder, "--user", "u00", "--item", unseen(fitted))
    if again.code:
        again.refused("whythis index")
    else:
        assert "review" not in again.out


def test_a_page_on_a_full_disk_is_refused(films: Path, full_disk: Callable[[int], Disk]) -> None:
    shutil.rmtree(films / "reviews")  # Chroma writes on being opened, and would meet the limit
    disk = full_disk(4)
    page = disk.folder / "page.html"
    asked = ("explain", films, "--user", "u00", "--item", unseen(films), "--html", page)
    process(*asked, **disk.options).refused(str(page), "cannot be written")
    assert not listing(disk.folder)


# Processes, pipes, help


@pytest.mark.parametrize(
    "words", [[], ["fit"], ["explain"], ["data", "fetch"], ["bench"], ["demo"], ["models", "list"]]
)
def test_help_shows_an_example_and_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom whythis.cli import app\n"
        "try: app(sys.argv[1:], prog_name='whythis')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'chromadb', 'langchain_core', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words, "--help"], capture_output=True, text=True
    )
    assert ran.stderr.strip() == "[]"
    assert "Usage: whythis" in ran.stdout
    assert ("Example: whythis " if words else "Begin with: whythis ") in ran.stdout


def test_no_colour_and_no_control_characters_in_a_pipe(fitted: Path) -> None:
    asked = ("explain", fitted, "--user", "u00", "--item", unseen(fitted))
    plain = process(*asked)
    assert plain.code == 0
    assert all(character.isprintable() or character == "\n" for character in plain.out + plain.err)
    forced = process(*asked, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out
    assert "\x1b[" in forced  # bold and italic are no colours
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]", forced)
    narrow = process(*asked, env={"PYTHONIOENCODING": "ascii"})
    assert (narrow.code, narrow.err) == (0, "")


def test_whoever_stops_reading_gets_no_traceback(fitted: Path) -> None:
    asked = command("recommend", fitted, "--user", "u00")
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()


def test_an_interrupted_fit_says_so_and_leaves_nothing(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    long = [*TABLE, "--dim", "64", "--steps", "1000000", "--out", str(out)]
    with subprocess.Popen(
        command("fit", ratings, *long),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a suite started in the background inherits an ignored SIGINT, and so would the child
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        assert running.stderr is not None
        while "step:" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        said, rest = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "")
    assert rest.splitlines()[-1] == "interrupted"
    assert "Traceback" not in rest
    assert not listing(tmp_path)
