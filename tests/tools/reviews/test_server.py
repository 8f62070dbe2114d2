"""An index on a Chroma server is the same index, and a server that goes away is said so."""

from __future__ import annotations

import http.server
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.tools.reviews.test_store import FEW, Words, everything, frame, many
from whythis.recsys.errors import ArtefactError, DataError, MissingPartError
from whythis.tools.reviews.chroma import SERVER, find_place, is_database
from whythis.tools.reviews.store import ReviewStore

CHROMA = Path(sys.executable).with_name("chroma")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """Run a real Chroma server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        command = [str(CHROMA), "run", "--path", str(folder), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.address}/api/v2/heartbeat", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the Chroma server did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    started = Server(tmp_path / "server")
    monkeypatch.setenv(SERVER, started.address)
    yield started
    started.kill()


@pytest.mark.integration
def test_an_index_on_a_server_is_the_embedded_one(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with (
        ReviewStore.build(one, FEW, Words()) as first,
        ReviewStore.build(other, many(700), Words()) as second,
    ):
        assert (first.count, second.count) == (8, 700)  # two artefacts do not meet
        assert first.place.collection != second.place.collection
        sentences = everything(first, ["film", "other"])
        hits = first.search("film", ["the music"], without_user="ann")
        assert list(first.sentences()) == sorted(sentences, key=lambda s: s.id)
    assert is_database(one)
    assert [path.name for path in one.iterdir()] == ["server.json"]
    encoder = Words()
    more = pd.concat([FEW, frame(("r9", "film", "eve", 5, 9, "A new one."))])
    with ReviewStore.build(one, more, encoder) as again:
        assert (again.count, encoder.seen) == (9, ["A new one."])
    ReviewStore.build(one, FEW, Words()).close()
    with ReviewStore.open(one, Words()) as opened:
        assert everything(opened, ["film", "other"]) == sentences
    monkeypatch.delenv(SERVER)
    with pytest.raises(MissingPartError, match=f"{SERVER} is not set"):
        ReviewStore.open(one, Words())
    with ReviewStore.build(tmp_path / "embedded", FEW, Words()) as embedded:
        assert everything(embedded, ["film", "other"]) == sentences
        assert embedded.search("film", ["the music"], without_user="ann") == hits


@pytest.mark.integration
def test_a_server_that_dies_is_said_in_one_line(tmp_path: Path, server: Server) -> None:
    store = ReviewStore.build(tmp_path / "one", many(2000), Words())
    failed: list[Exception] = []
    asked = threading.Event()

    def ask() -> None:
        try:
            while True:
                store.search("3", ["w3"], without_user=None)
                asked.set()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert asked.wait(60)
    server.kill()  # while queries are under way
    asking.join(60)
    assert not asking.is_alive()
    for error in failed:
        assert isinstance(error, MissingPartError), error
        assert "does not answer" in str(error)
        assert "chroma run" in str(error)
        assert "\n" not in str(error)
    assert failed
    with pytest.raises(MissingPartError, match="start it with `chroma run"):
        store.of_item("3")
    store.close()
    with pytest.raises(MissingPartError, match=SERVER):
        ReviewStore.open(tmp_path / "one", Words())


@pytest.mark.integration
def test_a_build_that_loses_its_server_is_finished_later(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, _total: int) -> None:
        if done > 600:
            server.kill()

    with pytest.raises(MissingPartError, match="does not answer"):
        ReviewStore.build(tmp_path / "one", many(), Words(), stop)
    again = Server(tmp_path / "server")
    monkeypatch.setenv(SERVER, again.address)
    try:
        with pytest.raises(ArtefactError, match="incomplete"):
            ReviewStore.open(tmp_path / "one", Words())
        encoder = Words()
        with ReviewStore.build(tmp_path / "one", many(), encoder) as store:
            ids = [sentence.id for sentence in store.sentences()]
            assert sorted(ids) == sorted(f"r{n}#1" for n in range(1300))
        assert 0 < len(encoder.seen) < 1300
    finally:
        again.kill()


class Old(http.server.BaseHTTPRequestHandler):
    """Answer as a Chroma server of long ago would, as far as a client asks."""

    def do_GET(self) -> None:
        body = b'{"name": "d", "tenant": "t", "id": "00000000-0000-0000-0000-000000000000"}'
        if self.path.endswith("identity"):
            body = b'{"user_id": "", "tenant": "default_tenant", "databases": ["default_database"]}'
        if self.path.endswith("version"):
            body = b'"0.6.3"'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Old) as old:
        threading.Thread(target=old.serve_forever, daemon=True).start()
        monkeypatch.setenv(SERVER, f"http://127.0.0.1:{old.server_port}")
        with pytest.raises(ArtefactError, match=r"has version '0.6.3', this is chromadb 1\."):
            ReviewStore.build(tmp_path / "one", FEW, Words())
        old.shutdown()


def test_no_server_is_said_and_nothing_else_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVER, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(MissingPartError, match="does not answer"):
        ReviewStore.build(tmp_path / "one", FEW, Words())
    with pytest.raises(MissingPartError, match="no review index"):
        ReviewStore.open(tmp_path / "two", Words())
    assert not (tmp_path / "one" / "chroma.sqlite3").exists()


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://x/y",
        "http://u:p@x",
        "cloud:",
        "cloud:tenant",
        "cloud:a/b/c",
        " ",
    ],
)
def test_an_address_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(SERVER, address)
    with pytest.raises(DataError, match=SERVER):
        find_place(tmp_path)


def test_the_cloud_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER, "cloud:tenant/database")
    monkeypatch.delenv("CHROMA_API_KEY", raising=False)
    with pytest.raises(MissingPartError, match="CHROMA_API_KEY is not set"):
        find_place(tmp_path)
    monkeypatch.setenv("CHROMA_API_KEY", "key")
    assert find_place(tmp_path) is None
    place = find_place(tmp_path, new=True)
    assert place == find_place(tmp_path)
    assert "key" not in str(place)


def test_a_damaged_note_of_the_collection_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVER, "http://127.0.0.1:1")
    for content in ("", "{}", "[]", '{"collection": "sentences"}', '{"collection": 7}'):
        (tmp_path / "server.json").write_text(content)
        with pytest.raises(ArtefactError, match=r"server\.json is damaged"):
            find_place(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["server.json"]
