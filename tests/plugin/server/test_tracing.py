"""Spans say what an answer rests on and never whom it is about."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from whythis.conversation.assistant import WhyThis
from whythis.server.tracing import Tracing, open_tracing

from .serving import ITEM, USER, serving


def test_each_verdict_is_an_evaluation_of_the_answer(assistant: WhyThis) -> None:
    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with serving(assistant, tracing=Tracing(provider)) as one, one.client() as client:
        said = client.post("/v1/explain", json={"user": USER, "item": ITEM}).json()
        client.post("/v1/explain", json={"user": USER, "item": "zz"})
        best = assistant.recommend(USER, 1)[0].title
        asked = {"user": USER, "text": f"Why is {best} recommended to me?"}
        client.post("/v1/ask", json=asked, headers={"Accept": "text/event-stream"})
    whole, failed, streamed = kept.get_finished_spans()
    assert whole.name == "invoke_agent whythis"
    told = dict(whole.attributes or {})
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert told["gen_ai.provider.name"] == "whythis"
    assert told["gen_ai.request.model"] == "none"
    verdicts = [dict(event.attributes or {}) for event in whole.events]
    assert {event.name for event in whole.events} == {"gen_ai.evaluation.result"}
    assert [v["gen_ai.evaluation.name"] for v in verdicts] == [
        f"claim.{claim['kind']}" for claim in said["claims"].values()
    ]
    assert {v["gen_ai.evaluation.score.label"] for v in verdicts} == {"verified"}
    assert {v["gen_ai.evaluation.score.value"] for v in verdicts} == {1.0}
    assert dict(failed.attributes or {})["error.type"] == "UnknownIdError"
    assert not failed.events
    assert streamed.events
    text = json.dumps([json.loads(span.to_json()) for span in (whole, failed, streamed)])
    for word in (f'"{USER}"', f'"{ITEM}"', "zz", best, "recommended"):
        assert word not in text


def test_spans_go_where_the_environment_says_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    got: list[str] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            got.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{sink.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        for switched_on in (False, True):
            tracing = open_tracing(switched_on)
            with tracing.span("explain", "id") as span:
                assert (span is not None) == switched_on
            tracing.close()
            assert len(got) == switched_on
        sink.shutdown()
    assert got == ["/v1/traces"]
