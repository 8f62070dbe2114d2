"""Serve a scripted chat model over the OpenAI protocol on the loopback interface."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def endpoint() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the base URL and the requests received so far.

    The model calls the first tool offered, then `why` or `explain` about the first item id it was
    told, and otherwise answers: in the form asked for, with a sentence that holds and one that
    boasts.
    """
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(request)
            body = json.dumps(_completion(_reply(request))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()
            thread.join()


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    if "response_format" in request:
        draft = {
            "p1": "Your {p1.persona} speaks for {item}.",
            "h1": "You will adore this masterpiece: {h1.had}.",
        }
        return {"content": json.dumps(draft)}
    told = [m["content"] for m in request["messages"] if m["role"] == "tool"]
    names = {t["function"]["name"]: t["function"] for t in request.get("tools", [])}
    lists = next((name for name in ("recommendations", "recommend") if name in names), None)
    if not told and lists:
        return _call(lists, _arguments(names[lists], {"n": 3}))
    item = re.search(r'"item": ?"([^"]+)"', "\n".join(told))
    answers = next((name for name in ("why", "explain") if name in names), None)
    if item and answers and len(told) < 2:
        return _call(answers, _arguments(names[answers], {"item": item.group(1)}))
    return {"content": "I have looked."}


def _arguments(function: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments; a strict function wants all of them, if only as null."""
    if not function.get("strict"):
        return chosen
    return {**dict.fromkeys(function["parameters"]["required"]), **chosen}


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"content": None, "tool_calls": [{"id": name, "type": "function", "function": function}]}


def _completion(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", **message},
                "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
