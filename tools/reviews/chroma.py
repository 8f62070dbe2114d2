"""Open Chroma in a folder, on a server or in the cloud: without telemetry, errors of one line."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from uuid import uuid4

from whythis.recsys.errors import ArtefactError, DataError, MissingPartError
from whythis.recsys.interactions import shown

if TYPE_CHECKING:
    import httpx
    from chromadb import Collection
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.config import Settings

SERVER = "WHYTHIS_CHROMA"
"""Environment variable with the address of a Chroma server; unset: Chroma in the folder itself."""

VECTORS: CreateCollectionConfiguration = {
    "hnsw": {"space": "cosine", "sync_threshold": 2, "batch_size": 2}
}
"""How vectors lie in a collection. What stays below its threshold is not in the vector files, which
every process that opens the collection would then write anew, with memory that nobody cleared."""

_DATABASE = "chroma.sqlite3"
_LINK = "server.json"
_CLOUD = "cloud:"
_KEY = "CHROMA_API_KEY"
_WAIT = 120.0  # seconds for one answer of a server


@dataclass(frozen=True)
class Place:
    """Say where an index lies: in the folder itself or, where `server` has an address, there.

    server: "", http://HOST:PORT, https://HOST or cloud:TENANT/DATABASE. collection: its name there;
    on a server one of the artefact's own, so that no two meet.
    """

    folder: Path
    server: str = ""
    collection: str = "sentences"

    def __str__(self) -> str:
        """Return words for a message."""
        if self.server:
            return f"the review index on the Chroma server {shown(self.server, 200)}"
        return f"the review index in {shown(self.folder, 200)}"


def find_place(folder: Path, *, new: bool = False) -> Place | None:
    """Return where the folder's index is, by the setting `SERVER`; None where there is none.

    new: give a folder without one a place of its own.

    Raises:
        DataError: the setting is no address.
        ArtefactError: the folder's note of its collection is damaged, or cannot be written.
        MissingPartError: the folder's index is on a server and the setting names none.
    """
    server, link = os.environ.get(SERVER, ""), folder / _LINK
    if not server:
        if new or (folder / _DATABASE).is_file():
            return Place(folder)
        if link.is_file():
            raise MissingPartError(
                f"the index of {shown(folder, 200)} was made on a Chroma server and {SERVER} is "
                f"not set: set it to the server's address, or run `whythis index DIR` again"
            )
        return None
    _check_address(server)
    try:
        if link.is_file():
            return Place(folder, server, _linked(link))
        if not new:
            return None
        name = f"whythis-{uuid4().hex}"
        folder.mkdir(parents=True, exist_ok=True)
        part = link.with_name(f"{_LINK}.part")
        part.write_text(json.dumps({"collection": name}) + "\n", encoding="utf-8")
        part.replace(link)
    except OSError as error:
        raise ArtefactError(f"{link} cannot be used ({error}): free it and try again") from error
    return Place(folder, server, name)


def is_database(folder: Path) -> bool:
    """Tell whether an index was ever made of the folder; opening one would create it."""
    return (folder / _DATABASE).is_file() or (folder / _LINK).is_file()


@contextmanager
def connected(place: Place) -> Iterator[Client]:
    """Give a client; it is closed when the block fails and else stays open.

    Clients of one folder share one database, which is released with the last of them.

    Raises:
        ArtefactError: the folder cannot be written, its database is damaged, or the server speaks
            another version.
        MissingPartError: the server is not there, or lets nobody in with this key.
    """
    client = _remote(place) if place.server else _embedded(place)
    try:
        yield client
    except BaseException:
        release(client)
        raise


def release(client: Client) -> None:
    """Close a client and, which Chroma leaves to the garbage collector, its connections."""
    client.close()
    for session in _sessions(client):
        session.close()


def seal(place: Place) -> str:
    """Return the sha256 over the vector files: reading never changes them, only writing does.

    Compare it before the first read: at damaged vector files Chroma brings the whole process down.
    On a server, whose files are its own affair, it is empty.
    """
    if place.server:
        return ""
    digest = sha256()
    # Without this file Chroma reads none of the others beside it: the vectors are in the database.
    for index in sorted(place.folder.glob("*/index_metadata.pickle")):
        for path in sorted(index.parent.iterdir()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(place.folder)} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()


def version(place: Place) -> tuple[int, ...] | None:
    """Return what is another after every writing to the index; None where that cannot be seen.

    On a server it cannot.
    """
    if place.server:
        return None
    try:
        found = (place.folder / _DATABASE).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def guarded(place: Place) -> Iterator[None]:
    """Turn what Chroma raises about its files or its server into one line.

    Raises:
        ArtefactError: anything Chroma failed at inside the block.
        MissingPartError: the server did not answer.
    """
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except httpx.HTTPError as error:
        raise _unreachable(place, error) from error
    except (
        ChromaError,
        sqlite3.Error,
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
    ) as error:
        mend = "delete it there" if place.server else "delete the folder"
        raise ArtefactError(
            f"{place} cannot be used ({_reason(error)}); if it is damaged, {mend} and make it again"
        ) from error


def collection_of(place: Place, client: Client) -> Collection | None:
    """Return the place's collection, or None; raises what Chroma raises, and at a broken seal."""
    from chromadb.errors import NotFoundError

    try:
        collection = client.get_collection(place.collection, embedding_function=None)
    except NotFoundError:
        return None
    written = (collection.metadata or {}).get("vectors")  # absent while an update is under way
    if written and written != seal(place):
        raise ValueError("its vectors are not those that were written")
    return collection


def _settings() -> Settings:
    from chromadb.config import Settings

    # No .env file of the current folder may choose Chroma's parts.
    return Settings(_env_file=None, anonymized_telemetry=False)


def _embedded(place: Place) -> Client:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient

    # Shared by the spelling of the path: two spellings would be two systems on the same files.
    path = str(place.folder.resolve())
    with guarded(place):
        place.folder.mkdir(parents=True, exist_ok=True)
        if (place.folder / _DATABASE).is_file():
            _check(place.folder)
        try:
            return cast("Client", chromadb.PersistentClient(path=path, settings=_settings()))
        except BaseException:
            # A system that failed to start stays registered and would be handed out again.
            if path not in SharedSystemClient._identifier_to_refcount:
                SharedSystemClient._identifier_to_system.pop(path, None)
            raise


def _remote(place: Place) -> Client:
    """Return a client of the server, once it has answered with a version that is spoken here."""
    import chromadb
    import httpx
    from chromadb.errors import ChromaError

    try:
        if place.server.startswith(_CLOUD):
            tenant, _, database = place.server.removeprefix(_CLOUD).partition("/")
            client = chromadb.CloudClient(tenant, database, os.environ[_KEY], _settings())
        else:
            parts = urlsplit(place.server)
            secure = parts.scheme == "https"
            client = chromadb.HttpClient(
                host=parts.hostname or "",
                port=parts.port or (443 if secure else 8000),
                ssl=secure,
                settings=_settings(),
            )
        for session in _sessions(cast("Client", client)):
            session.timeout = _WAIT  # Chroma itself would wait for ever
        theirs, ours = client.get_version(), metadata.version("chromadb")
    except (httpx.HTTPError, ChromaError, ValueError, KeyError, OSError) as error:
        raise _unreachable(place, error) from error
    # The server's own number differs from its package's; the first part is that of the protocol.
    if theirs.partition(".")[0] != ours.partition(".")[0]:
        release(cast("Client", client))
        raise ArtefactError(
            f"the Chroma server {shown(place.server, 200)} has version {shown(theirs, 20)}, this "
            f"is chromadb {ours}: run a server of version {ours.partition('.')[0]}"
        )
    return cast("Client", client)


def _sessions(client: Client) -> list[httpx.Client]:
    """Return the connections of a client: its own and, of a system apart, its administrator's."""
    import httpx

    servers = [getattr(part, "_server", None) for part in (client, client._admin_client)]
    found = [getattr(server, "_session", None) for server in servers]
    return [session for session in found if isinstance(session, httpx.Client)]


def _unreachable(place: Place, error: Exception) -> MissingPartError:
    return MissingPartError(
        f"the Chroma server {shown(place.server, 200)} does not answer as one "
        f"({_reason(error) or type(error).__name__}): start it with `chroma run --path FOLDER`, "
        f"mend {SERVER}, or unset it to use the folder"
    )


def _reason(error: Exception) -> str:
    return shown(" ".join(str(error).split()), 160)


def _check_address(server: str) -> None:
    if server.startswith(_CLOUD):
        if not re.fullmatch(r"cloud:[^/\s]+/[^/\s]+", server):
            raise DataError(f"{SERVER} is {shown(server)}: write cloud:TENANT/DATABASE")
        if not os.environ.get(_KEY):
            raise MissingPartError(f"{SERVER} is {shown(server)} and {_KEY} is not set: set it")
        return
    try:
        parts = urlsplit(server)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        good = good and not (parts.path.strip("/") or parts.query or parts.username)
    except ValueError:  # a port that is none
        good = False
    if not good:
        raise DataError(
            f"{SERVER} is {shown(server)}: write http://HOST:PORT, https://HOST or "
            "cloud:TENANT/DATABASE, or unset it"
        )


def _linked(link: Path) -> str:
    try:
        name = json.loads(link.read_text(encoding="utf-8"))["collection"]
    except (ValueError, KeyError, TypeError):
        name = ""
    if not (isinstance(name, str) and re.fullmatch("whythis-[0-9a-f]{32}", name)):
        raise ArtefactError(f"{link} is damaged: delete it and run `whythis index DIR` again")
    return name


def _check(folder: Path) -> None:
    """Read the database's pages: at a damaged one Chroma would abort the whole process."""
    # Not read-only: after a crash SQLite first rolls back what was half written.
    address = f"{(folder / _DATABASE).resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True)) as database:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        database.execute("SELECT * FROM migrations").fetchall()
