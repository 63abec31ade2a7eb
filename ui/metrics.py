"""What a server measures about itself, for Prometheus. One process is the unit: each has its own numbers.

No label has a value that a user chose: routes are templates, statuses and kinds of errors are those of the program.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from assistant.errors import PaperchatError

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog
    from ui.lifecycle import Lifecycle
    from ui.work_queue import WorkQueue

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_OTHER = "other"
# Seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
# Outcomes of questions, by the strength of the answer where there is one.
_OUTCOMES = {"firm": "answer", "tentative": "tentative", "none": "abstain", "stopped": "stopped"}
_FAILED = "failed"
# The stages of an answer, by the names of their times.
_STAGES = {"retrieve_ms": "retrieve", "rerank_ms": "rank", "first_text_ms": "first_text", "total_ms": "total"}


class ServerMetrics:
    """The numbers of one server, in a registry of its own. Thread-safe."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("paperchat", "Version of paperchat.", registry=registry).info({"version": version("paperchat")})
        self._requests = Counter(
            "paperchat_http_requests",
            "HTTP requests by route template and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "paperchat_http_request_seconds",
            "Time from a request to the end of its reply, by route template.",
            ["route"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._questions = Counter("paperchat_questions", "Questions by outcome.", ["outcome"], registry=registry)
        self._stages = Histogram(
            "paperchat_question_stage_seconds",
            "Time of a question until a stage of its answer was complete; rank is the time of re-ranking alone.",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "paperchat_queue_wait_seconds",
            "Time that work waited for its turn.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "paperchat_errors", "Errors that callers were told of, by kind.", ["kind"], registry=registry
        )
        self._loads = Counter(
            "paperchat_model_loads", "Times that the models were loaded.", ["result"], registry=registry
        )
        self._load_seconds = Gauge(
            "paperchat_model_load_seconds", "Seconds that loading the models took the last time.", registry=registry
        )
        for outcome in (*_OUTCOMES.values(), _FAILED):
            self._questions.labels(outcome)  # a rate needs the zero before the first one

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request that has been answered; `route` is a template."""
        self._requests.labels(method if method in _METHODS else _OTHER, route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def question(self, outcome: str, timings: Mapping[str, float]) -> None:
        """Count a question, by how `ui.logs.QuestionLog` says that it ended, with the times of its stages in ms."""
        self._questions.labels(_OUTCOMES.get(outcome, _FAILED)).inc()
        for name, stage in _STAGES.items():
            if name in timings:
                self._stages.labels(stage).observe(timings[name] / 1000)

    def error(self, kind: str) -> None:
        """Count an error that a caller was told of."""
        self._errors.labels(kind).inc()

    def watch_loading(self, assistant: Future[Assistant]) -> None:
        """Count the loading of the models when it has ended."""
        started = time.monotonic()

        def loaded(future: Future[Assistant]) -> None:
            self._loads.labels("failed" if future.exception() else "ok").inc()
            self._load_seconds.set(time.monotonic() - started)

        assistant.add_done_callback(loaded)

    def watch_queue(self, queue: WorkQueue) -> None:
        """Tell of a queue, whenever the metrics are read."""
        queue.on_turn = self._queue_seconds.observe
        self._registry.register(_QueueCollector(queue))

    def watch_lifecycle(self, lifecycle: Lifecycle) -> None:
        """Tell how much work goes on, on the page too, whenever the metrics are read."""
        running = Gauge("paperchat_work_running", "Work that was accepted and has not ended.", registry=self._registry)
        running.set_function(lambda: lifecycle.running)

    def watch_library(self, catalog: Catalog) -> None:
        """Tell of a library, whenever the metrics are read."""
        self._registry.register(_LibraryCollector(catalog))

    def text(self) -> bytes:
        """Return all numbers in the text format of Prometheus; the catalog is read for it."""
        return generate_latest(self._registry)


class _QueueCollector(Collector):
    """Reads a queue."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue

    def describe(self) -> list[Metric]:
        """Return nothing: the numbers are read when they are wanted."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        queue = self._queue
        yield GaugeMetricFamily("paperchat_queue_running", "Work that has its turn.", queue.running)
        yield GaugeMetricFamily("paperchat_queue_waiting", "Work that waits for its turn.", queue.waiting)
        refused = "Requests that were refused because too many waited."
        yield CounterMetricFamily("paperchat_queue_refusals", refused, queue.refused)


class _LibraryCollector(Collector):
    """Reads a catalog; one that cannot be read has no numbers but that it cannot be read."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def describe(self) -> list[Metric]:
        """Return nothing: the numbers are read when they are wanted."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        try:
            numbers = list(self._numbers())
        except PaperchatError:
            numbers = []
        yield GaugeMetricFamily("paperchat_library_readable", "1 if the catalog can be read.", float(bool(numbers)))
        yield from numbers

    def _numbers(self) -> Iterator[Metric]:
        ledger, last_ingest = self._catalog.ledger, self._catalog.records.last_ingest
        yield GaugeMetricFamily("paperchat_library_papers", "Papers of the library.", self._catalog.papers.count())
        yield GaugeMetricFamily(
            "paperchat_library_pending_papers", "Papers that wait to be indexed.", ledger.pending_count()
        )
        yield GaugeMetricFamily(
            "paperchat_index_generation", "Grows with each change of the indexes.", ledger.generation
        )
        if last_ingest:
            ended = "Time at which the last ingest was completed, in seconds since 1970."
            yield GaugeMetricFamily("paperchat_last_ingest_timestamp_seconds", ended, last_ingest.timestamp())
            age = "Seconds since the last ingest was completed."
            yield GaugeMetricFamily("paperchat_last_ingest_age_seconds", age, time.time() - last_ingest.timestamp())
