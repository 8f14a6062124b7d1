"""What one process counts of itself."""

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Outcome(StrEnum):
    """How a request ended."""

    OK = "ok"
    REFUSED = "refused"
    LIMITED = "limited"
    FAILED = "failed"


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "panelry_api_requests",
            "Requests to the API, by action and how they ended.",
            ["action", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "panelry_api_request_seconds",
            "How long requests to the API took, by action.",
            ["action"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._sizes = Histogram(
            "panelry_api_set_size",
            "How many requests were gathered into one call of the business, by call.",
            ["call"],
            buckets=SIZES,
            registry=self._registry,
        )
        self._alone = Gauge(
            "panelry_limits_alone",
            "1 while the shared rate limits cannot be reached and this process counts its share alone.",
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._counting = cache(self._counters)  # looking labels up costs more than counting

    def request(self, action: str, outcome: Outcome, seconds: float) -> None:
        """Count one finished request; `action` must be one of few words, never what a caller sent."""
        count, observe = self._counting(action, outcome)
        count()
        observe(seconds)

    def _counters(self, action: str, outcome: Outcome) -> tuple[Callable[[], None], Callable[[float], None]]:
        return self._requests.labels(action, outcome).inc, self._seconds.labels(action).observe

    def sizes_of(self, call: str) -> Callable[[float], None]:
        """Return what counts the sizes of the sets of one call."""
        return self._sizes.labels(call).observe

    def watch_limits(self, is_alone: Callable[[], bool]) -> None:
        """Ask this whenever metrics are read."""
        self._alone.set_function(is_alone)

    def add(self, collector: Collector) -> None:
        """Tell what this collects, too."""
        self._registry.register(collector)

    def text(self) -> bytes:
        """Write all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
