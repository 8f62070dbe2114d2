"""Count requests, waiting, claims and refusals for Prometheus; nothing in them names anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from whythis.server.work import FairQueue, Lane

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Keep the figures of one app, in a registry of its own."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        """Begin at nothing."""
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            ProcessCollector,
        )

        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "whythis_requests",
            "Requests by route and status; 0: the client was gone.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "whythis_request_seconds",
            "How long requests took.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._claims = Counter(
            "whythis_claims", "Claims by verdict.", ("verdict",), registry=self._registry
        )
        self._failures = Counter(
            "whythis_language_model_failures",
            "Answers that code gave since the language model failed.",
            registry=self._registry,
        )
        for name, about in (
            ("running", "Answers being computed."),
            ("waiting", "Requests queued."),
        ):
            gauge = Gauge(f"whythis_{name}", about, ("lane",), registry=self._registry)
            for lane in lanes:
                gauge.labels(lane.name).set_function(partial(_read, lane.queue, name))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def claims(self, outcomes: Iterable[str]) -> None:
        """Count the claims of an answer by what was found of them."""
        for outcome in outcomes:
            self._claims.labels(outcome).inc()

    def failure(self) -> None:
        """Count a failure of the language model."""
        self._failures.inc()

    def text(self) -> tuple[bytes, str]:
        """Return the figures as Prometheus reads them, and their content type."""
        from prometheus_client import generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_LATEST

        return generate_latest(self._registry), CONTENT_TYPE_LATEST


def _read(queue: FairQueue, name: str) -> float:
    return float(getattr(queue, name))
