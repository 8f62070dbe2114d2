"""Trace answers by OpenTelemetry's conventions for generative AI, when it is switched on.

A span is an answer; each verdict on a claim is an event `gen_ai.evaluation.result` of it. No user,
item, question or answer stands in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from whythis.recsys.errors import MissingPartError
from whythis.server.answers import Figures

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SYSTEM = "whythis"


class Tracing:
    """Make spans with a provider; without one, nothing."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """Take the provider; it is shut down by `close`."""
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer(SYSTEM)

    @contextmanager
    def span(self, operation: str, request_id: str) -> Iterator[Span | None]:
        """Trace what runs inside; `operation` is such as "explain" or "chat"."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode

        attributes = {
            "gen_ai.operation.name": "chat" if operation == "chat" else "invoke_agent",
            "gen_ai.provider.name": SYSTEM,
            "gen_ai.agent.name": SYSTEM,
            "whythis.operation": operation,
            "whythis.request_id": request_id,
        }
        # Not the current span: a streamed answer is read in other contexts than it began in.
        span = self._tracer.start_span(
            f"{attributes['gen_ai.operation.name']} {SYSTEM}",
            kind=SpanKind.SERVER,
            attributes=attributes,
        )
        try:
            yield span
        except Exception as error:
            # Its type alone: its words may name a user.
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


def tell(span: Span | None, figures: Figures) -> None:
    """Add what an answer rests on to its span."""
    if span is None:
        return
    attributes: dict[str, Any] = {
        "gen_ai.request.model": figures.model,
        "gen_ai.response.model": figures.model,
        "gen_ai.usage.output_tokens": figures.tokens,
        "whythis.sentences": figures.sentences,
        "whythis.language_model_failed": figures.failed,
    }
    span.set_attributes(attributes)
    for kind, outcome in figures.verdicts:
        event: Mapping[str, Any] = {
            "gen_ai.evaluation.name": f"claim.{kind}",
            "gen_ai.evaluation.score.label": outcome,
            "gen_ai.evaluation.score.value": float(outcome == "verified"),
        }
        span.add_event("gen_ai.evaluation.result", event)


def open_tracing(switched_on: bool) -> Tracing:
    """Return tracing that sends by OTLP to where OpenTelemetry's own variables say, or none.

    Raises `MissingPartError` where OpenTelemetry is not installed.
    """
    if not switched_on:
        return Tracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingPartError(
            "OpenTelemetry is not installed: pip install 'whythis[otel]'"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": SYSTEM}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)
