"""What goes wrong around the server gives a correct answer or a clear error; nothing is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.plugin.running import whythis
from tests.plugin.writers.test_agent import endpoint, message
from tests.tools.reviews import test_server as chroma
from whythis.conversation.assistant import WhyThis
from whythis.conversation.reply import Event
from whythis.conversation.session import Session
from whythis.explanation import Explanation
from whythis.recsys import artefact
from whythis.server.app import create_app
from whythis.server.config import ServerConfig
from whythis.server.logs import Lines, open_log
from whythis.tools.reviews.embedding import MiniLM
from whythis.tools.reviews.store import ReviewStore
from whythis.tools.workspace import REVIEWS_FOLDER
from whythis.writers.agent import AgentWriter

from .serving import ITEM, USER, keys_of, running, serving, until

_MAIN = "from whythis.cli import main; main()"
PAIR = {"user": USER, "item": ITEM}
LISTED = {"user": USER, "text": "What do you recommend?"}


class Slow(WhyThis):
    """Answer as ever, but only after a while, and between events too."""

    seconds = 0.3
    gate = threading.Event()
    gate.set()

    def explain(self, user: str, item: str, **options: Any) -> Explanation:
        assert self.gate.wait(30)
        time.sleep(self.seconds)
        return super().explain(user, item, **options)

    def stream(
        self, user: str, text: str, session: Session | None = None, *, written: bool = True
    ) -> Iterator[Event]:
        for event in super().stream(user, text, session, written=written):
            time.sleep(self.seconds)
            yield event


@pytest.fixture(scope="module")
def slow(small_indexed: Path) -> Iterator[Slow]:
    with Slow.open(small_indexed) as opened:
        assert isinstance(opened, Slow)
        opened.explain(USER, ITEM)
        yield opened


# The language model


def truncated(_: int, __: dict[str, Any]) -> tuple[int, bytes]:
    return 200, message('{"p1": "There is also your')[:70]


@pytest.mark.parametrize(
    "reply",
    [
        lambda *_: (500, b'{"error": {"message": "boom"}}'),
        lambda *_: (429, b'{"error": {"message": "slow down"}}'),
        lambda *_: time.sleep(1.0) or (200, message("late")),
        truncated,
        None,
    ],
    ids=["500", "429", "slow", "truncating", "down"],
)
def test_a_language_model_that_fails_is_done_without(small_indexed: Path, reply: Any) -> None:
    with endpoint(reply or truncated) as url:
        address = "http://127.0.0.1:1/v1" if reply is None else url
        chat = ChatOpenAI(
            model="m", base_url=address, api_key=SecretStr("none"), timeout=0.5, max_retries=0
        )
        writer = AgentWriter(chat, "openai:m")
        with (
            WhyThis.open(small_indexed, writer=writer) as assistant,
            serving(assistant) as served,
            served.client() as client,
        ):
            found = Explanation.from_json(client.post("/v1/explain", json=PAIR).json())
            assert found.llm == "none"
            assert found.llm_error
            assert found.sentences
            assert {v.outcome for v in found.verdicts.values()} == {"verified"}
            without = client.post("/v1/explain", json={**PAIR, "llm": False}).json()
            assert without["llm_error"] is None
            asked = client.post("/v1/ask", json={"user": USER, "text": "Why is Amber Road here?"})
            assert asked.status_code == 200
            figures = client.get("/metrics").text
        chat.root_client.close()
    assert "whythis_language_model_failures_total 0.0" not in figures
    assert any(line["event"] == "language_model_failed" for line in served.log)


# The review store


@pytest.mark.integration
def test_a_chroma_server_that_is_killed_and_comes_back(
    small_artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(small_artefact, tmp_path / "artefact")
    port = chroma.free_port()
    monkeypatch.setattr(chroma, "free_port", lambda: port)
    first = chroma.Server(tmp_path / "chroma")
    monkeypatch.setenv(chroma.SERVER, first.address)
    reviews = artefact.read_reviews(folder)
    assert reviews is not None
    ReviewStore.build(folder / REVIEWS_FOLDER, reviews, MiniLM()).close()
    pairs = [{"user": "u01", "item": "i00"}, {"user": "u02", "item": "i01"}]
    try:
        with (
            WhyThis.open(folder) as assistant,
            serving(assistant) as served,
            served.client() as client,
        ):
            before = client.post("/v1/explain", json=pairs[0]).json()
            assert "review_quote" in {c["kind"] for c in before["claims"].values()}
            first.kill()
            gone = [client.post("/v1/explain", json=pair) for pair in pairs]
            assert client.get("/healthz").status_code == 200
            again = chroma.Server(tmp_path / "chroma")
            back = [client.post("/v1/explain", json=pair) for pair in pairs]
            again.kill()
    finally:
        first.kill()
    for said in gone:
        if said.status_code == 200:  # what was read before is known still
            assert said.json()["answer"] == before["answer"]
            continue
        assert (said.status_code, said.json()["error"]["type"]) == (503, "missing_part")
        assert "chroma run" in said.json()["error"]["message"]
    assert 503 in {said.status_code for said in gone}
    assert [said.status_code for said in back] == [200, 200]
    assert back[0].json()["answer"] == before["answer"]


# The client


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/chat/completions"])
def test_a_client_that_is_gone_is_no_longer_answered(slow: Slow, path: str) -> None:
    sent: dict[str, Any] = dict(LISTED)
    if "chat" in path:
        said = [{"role": "user", "content": "What do you recommend?"}]
        sent = {"model": f"whythis:{USER}", "messages": said, "stream": True}
    with serving(slow) as served, served.client() as client:
        queue = served.app.state.service.lane(True).queue
        accept = {"Accept": "text/event-stream"}
        with client.stream("POST", path, json=sent, headers=accept) as response:
            next(response.iter_lines())
            assert queue.running == 1
        until(lambda: queue.running == 0, 5)
        assert client.post("/v1/recommend", json={"user": USER}).status_code == 200
        until(lambda: len(served.log) == 2)
    assert not [line for line in served.log if line["level"] == "error"]


def test_a_body_that_never_comes_is_given_up(slow: Slow) -> None:
    with serving(slow, seconds=0.5) as served:
        port = int(served.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(
                b"POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
            assert raw.recv(1000).startswith(b"HTTP/1.1 408 ")


# Too much at once


def test_an_answer_that_takes_too_long_is_given_up(slow: Slow) -> None:
    with serving(slow, seconds=0.15) as served, served.client() as client:
        said = client.post("/v1/explain", json=PAIR)
        assert (said.status_code, said.json()["error"]["type"]) == (504, "timeout")
        accept = {"Accept": "text/event-stream"}
        until(lambda: served.app.state.service.lane(False).queue.running == 0)
        streamed = client.post("/v1/ask", json=LISTED, headers=accept)
        assert "timeout" in streamed.text
        until(lambda: served.app.state.service.lane(False).queue.running == 0)
        assert client.post("/v1/recommend", json={"user": USER}).status_code == 200


def test_whoever_asks_a_lot_waits_behind_whoever_asks_little(slow: Slow, tmp_path: Path) -> None:
    keys = keys_of(tmp_path / "keys.json", greedy=[USER], modest=["u02"])
    ended: list[str] = []
    slow.gate.clear()
    with serving(slow, keys=tmp_path / "keys.json", waiting=4) as served:

        def ask(name: str, user: str, item: str) -> httpx.Response:
            with served.client(keys[name]) as client:
                said = client.post("/v1/explain", json={"user": user, "item": item})
            if said.status_code == 200:
                ended.append(name)
            return said

        with ThreadPoolExecutor(12) as pool:
            greedy = [pool.submit(ask, "greedy", USER, ITEM) for _ in range(10)]
            until(lambda: sum(one.done() for one in greedy) == 5)  # refused at once
            modest = pool.submit(ask, "modest", "u02", "i01")
            until(lambda: served.app.state.service.lane(False).queue.waiting == 5)
            slow.gate.set()
        statuses = sorted(one.result().status_code for one in greedy)
    assert modest.result().status_code == 200
    assert statuses == [200] * 5 + [429] * 5
    assert ended.index("modest") <= 2
    late = next(one.result() for one in greedy if one.result().status_code == 429)
    assert int(late.headers["retry-after"]) >= 1


def test_what_runs_is_answered_before_the_server_ends(slow: Slow) -> None:
    with ThreadPoolExecutor(1) as pool:
        with serving(slow) as served:
            answer = pool.submit(httpx.post, f"{served.url}/v1/explain", json=PAIR, timeout=30)
            until(lambda: served.app.state.service.lane(False).queue.running == 1)
        assert answer.result().status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{served.url}/healthz")


# The disk


def test_a_log_that_cannot_be_written_stops_nobody(slow: Slow) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115
    log = open_log(full)
    app = create_app(slow, ServerConfig(page=False, port=0), log=log)
    with running(app) as url:
        assert httpx.post(f"{url}/v1/recommend", json={"user": USER}).status_code == 200
    lines = log.handlers[0]
    assert isinstance(lines, Lines)
    assert lines.lost == 1
    with suppress(OSError):
        full.close()


def test_a_correction_on_a_full_disk_is_refused_and_can_be_made_later(
    small_indexed: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_indexed, tmp_path / "artefact")
    with WhyThis.open(folder) as assistant, serving(assistant) as served, served.client() as client:
        rec = assistant.ws.recommender
        past = rec.item_ids.ids[rec.history(USER)[0]]
        waits = {"act": "forget", "items": [past], "data_hash": rec.hashes["data"]}
        asked = {"user": USER, "text": "Yes.", "session": {"user": USER, "proposal": waits}}
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            refused = client.post("/v1/ask", json=asked)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if refused.status_code == 200:  # the assistant may say so itself
            assert refused.json()["note"], refused.text
            assert not refused.json()["changes"]
        else:
            assert refused.status_code == 503, refused.text
            assert refused.json()["error"]["type"] in ("artefact", "storage")
        assert past in known(assistant)
        assert client.post("/v1/ask", json=asked).status_code == 200
        assert past not in known(assistant)
    with WhyThis.open(folder) as opened:
        assert past not in known(opened)


def known(assistant: WhyThis) -> set[str]:
    rec = assistant.ws.recommender
    return {rec.item_ids.ids[n] for n in rec.history(USER)}


# The command


def test_the_command_refuses_what_would_be_open_to_all(small_artefact: Path) -> None:
    whythis("serve", small_artefact, "--host", "0.0.0.0").refused("whythis keys", "127.0.0.1")
    whythis("serve", small_artefact / "none").refused("none")
    whythis("serve", small_artefact, "--keys", "none.json").refused("none.json")


@pytest.mark.integration
def test_the_command_serves_with_several_processes_until_it_is_stopped(
    small_indexed: Path, tmp_path: Path
) -> None:
    keys, port = keys_of(tmp_path / "keys.json", mine=[USER]), chroma.free_port()
    options = ["--port", str(port), "--no-page", "--keys", tmp_path / "keys.json"]
    with (tmp_path / "log").open("w") as log:
        served = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "serve", small_indexed, "--workers", "2", *options],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert served.poll() is None, (tmp_path / "log").read_text()
            with suppress(httpx.HTTPError):
                return httpx.get(f"{url}/readyz").status_code == 200
            return False

        try:
            until(ready, 120)
            head = {"Authorization": f"Bearer {keys['mine']}"}
            for _ in range(4):
                said = httpx.post(f"{url}/v1/explain", json=PAIR, headers=head, timeout=30)
                assert said.status_code == 200
            assert httpx.post(f"{url}/v1/explain", json=PAIR).status_code == 401
        finally:
            served.send_signal(signal.SIGTERM)
            served.wait(30)
    told, *lines = (tmp_path / "log").read_text().splitlines()
    assert told.startswith("serving ")
    # Python's own tracker of resources may complain of what the signal cut short.
    levels = {json.loads(line)["level"] for line in lines if line.startswith("{")}
    assert levels == {"info"}
    assert keys["mine"] not in (tmp_path / "log").read_text()
