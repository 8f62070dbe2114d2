"""Serve a scripted language model on this machine, as slow and as faulty as wanted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WRITTEN = {
    "p1": "Your {p1.persona} speaks for {item}.",
    "h1": "You will adore this masterpiece: {h1.had}.",
}
"""What it drafts: a sentence that holds where there is such a claim, and one that boasts."""


@dataclass
class Served:
    """Count what an endpoint was asked, and how much of it at once at most."""

    url: str = ""
    asked: int = 0
    most: int = 0
    now: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def endpoint(seconds: float = 0.0, faults: Sequence[int] = (), every: int = 1) -> Iterator[Served]:
    """Give an endpoint of the OpenAI protocol that takes so many seconds for each answer.

    faults: HTTP statuses to answer with in turn, 0 for an answer and -1 for a connection that ends
    without one; at each `every`-th request, while there are some left.
    """
    served, left = Served(), list(faults)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with served.lock:
                served.asked += 1
                served.now += 1
                served.most = max(served.most, served.now)
                status = left.pop(0) if left and served.asked % every == 0 else 0
            try:
                time.sleep(seconds)
                if status == -1:
                    self.close_connection = True
                    return
                self._say(status or 200, {"error": {}} if status else _completion(request))
            finally:
                with served.lock:
                    served.now -= 1

        def _say(self, status: int, what: dict[str, Any]) -> None:
            body = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After-Ms", "10")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Pass over clients that went away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def _completion(request: dict[str, Any]) -> dict[str, Any]:
    said = json.dumps(WRITTEN) if "response_format" in request else "I have looked."
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
