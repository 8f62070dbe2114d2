"""Open Chroma on a folder: offline, without telemetry, with errors of one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

from whythis.recsys.errors import ArtefactError
from whythis.recsys.interactions import shown

if TYPE_CHECKING:
    from chromadb.api.client import Client

_DATABASE = "chroma.sqlite3"


def is_database(folder: Path) -> bool:
    """Tell whether Chroma has ever written into the folder; opening one would create it."""
    return (folder / _DATABASE).is_file()


@contextmanager
def connected(folder: Path) -> Iterator[Client]:
    """Give a client of the folder; it is closed when the block fails and else stays open.

    Clients of one folder share one database, which is released with the last of them.

    Raises:
        ArtefactError: the folder cannot be written or its database is damaged.
    """
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    # Shared by the spelling of the path: two spellings would be two systems on the same files.
    path = str(folder.resolve())
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if is_database(folder):
            _check(folder)
        try:
            # No .env file of the current folder may choose Chroma's parts.
            settings = Settings(_env_file=None, anonymized_telemetry=False)
            client = cast("Client", chromadb.PersistentClient(path=path, settings=settings))
        except BaseException:
            # A system that failed to start stays registered and would be handed out again.
            if path not in SharedSystemClient._identifier_to_refcount:
                SharedSystemClient._identifier_to_system.pop(path, None)
            raise
    try:
        yield client
    except BaseException:
        client.close()
        raise


def seal(folder: Path) -> str:
    """Return the sha256 over the vector files: reading never changes them, only writing does.

    Compare it before the first read: at damaged vector files Chroma brings the whole process down.
    """
    digest = sha256()
    # Without this file Chroma reads none of the others beside it: the vectors are in the database.
    for index in sorted(folder.glob("*/index_metadata.pickle")):
        for path in sorted(index.parent.iterdir()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Turn what Chroma raises about its files into one line.

    Raises:
        ArtefactError: anything Chroma failed at inside the block.
    """
    from chromadb.errors import ChromaError

    try:
        yield
    except (
        ChromaError,
        sqlite3.Error,
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
    ) as error:
        reason = shown(" ".join(str(error).split()), 160)
        raise ArtefactError(
            f"the index in {shown(folder, 200)} cannot be used ({reason}); if it is damaged, "
            "delete the folder and make it again"
        ) from error


def _check(folder: Path) -> None:
    """Read the database's pages: at a damaged one Chroma would abort the whole process."""
    # Not read-only: after a crash SQLite first rolls back what was half written.
    address = f"{(folder / _DATABASE).resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True)) as database:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        database.execute("SELECT * FROM migrations").fetchall()
