"""Prometheus metrics of finished requests.

With several worker processes each writes files of its own under $PROMETHEUS_MULTIPROC_DIR, and whichever is
asked adds all of them up; without that variable (one process) they stay in memory.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from openflywheel.base.nouns import Attempt, Signal
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.names import Names
from openflywheel.serve._upstream.client import Upstream

OURS = "flywheel"  # the provider of what our own models answer
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
RESERVED = 2**20  # bytes of each of a process's files: on a full disk a memory map without its blocks kills
Labels = tuple[str, str, str, str, int, str]


class _Series(Struct, frozen=True):
    """What one kind of request counts in: looked up once, since `labels` costs more than counting."""

    requests: Counter
    seconds: Histogram
    first_byte: Histogram
    asked: Counter
    given: Counter
    cost: Counter


class Metrics:
    """Called with each finished request; `expose` gives the text that Prometheus fetches."""

    def __init__(self, names: Names) -> None:
        if FOLDER in os.environ:
            own = os.getpid()  # else it is asked six times a request, which costs as much as counting
            values.ValueClass = values.MultiProcessValue(lambda: own)  # type: ignore[no-untyped-call]
        self._names, self._series = names, dict[Labels, _Series]()
        self._registry = CollectorRegistry()
        _reserve()
        about, model = ["surface", "task", "variant", "provider"], ["task", "variant"]
        self._requests = self._counter("requests", "Requests answered.", [*about, "status", "ended"])
        self._seconds = self._histogram("request_seconds", "Until the whole answer was there.", about[:3])
        self._first = self._histogram("first_byte_seconds", "Until a stream began.", about[:3])
        self._tokens = self._counter("tokens", "Tokens.", [*model, "kind"])
        self._cost = self._counter("cost", "Money, in the currency of the prices.", model)
        self._attempts = self._counter("attempts", "Tries; status 0: no answer.", ["provider", "status"])
        self._retries = self._counter("retries", "Further tries at the same model.", ["provider"])
        self._fallbacks = self._counter("fallbacks", "Turns to another model after this.", ["provider"])
        self._signals = self._counter("signals", "Signals heard, repeated ones too.", ["kind", "source"])
        self._running = self._gauge("provider_running", "Requests at a provider now.", ["provider"])
        self._open = self._gauge("circuit_open", "Workers that leave a provider alone.", ["provider"])
        self._trouble = self._gauge("journal_trouble", "Workers that cannot keep rows.", [])
        self._behind = self._gauge(
            "champions_not_loaded", "Promoted models that a worker could not load.", []
        )

    def _counter(self, name: str, said: str, labels: Sequence[str]) -> Counter:
        return Counter(f"openflywheel_{name}", said, labels, registry=self._registry)

    def _histogram(self, name: str, said: str, labels: Sequence[str]) -> Histogram:
        return Histogram(f"openflywheel_{name}", said, labels, registry=self._registry, buckets=SECONDS)

    def _gauge(self, name: str, said: str, labels: Sequence[str]) -> Gauge:
        registry = self._registry
        return Gauge(f"openflywheel_{name}", said, labels, registry=registry, multiprocess_mode="livesum")

    def __call__(self, finished: Finished) -> None:
        """Count a request."""
        exchange, call = finished.exchange, finished.call
        provider = call.attempts[-1].provider if call.attempts else OURS
        variant = self._names(exchange.variant, answered=call.status < 400)
        labels = (call.surface, exchange.task, variant, provider, call.status, exchange.ended)
        series = self._series.get(labels) or self._bind(labels)
        series.requests.inc()
        series.seconds.observe(exchange.latency)
        if finished.first_byte:
            series.first_byte.observe(finished.first_byte)
        series.asked.inc(call.input_tokens)
        series.given.inc(call.output_tokens)
        if exchange.cost:
            series.cost.inc(exchange.cost)
        self._tried(call.attempts)

    def _bind(self, labels: Labels) -> _Series:
        surface, task, variant, *_ = labels
        self._series[labels] = series = _Series(
            requests=self._requests.labels(*labels),
            seconds=self._seconds.labels(surface, task, variant),
            first_byte=self._first.labels(surface, task, variant),
            asked=self._tokens.labels(task, variant, "input"),
            given=self._tokens.labels(task, variant, "output"),
            cost=self._cost.labels(task, variant),
        )
        return series

    def _tried(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._attempts.labels(attempt.provider, attempt.status).inc()
        for before, after in pairwise(attempts):
            again = (before.provider, before.model) == (after.provider, after.model)
            (self._retries if again else self._fallbacks).labels(before.provider).inc()

    def heard(self, signals: Iterable[Signal]) -> None:
        """Count signals that were kept."""
        for signal in signals:
            self._signals.labels(signal.kind, signal.source).inc()

    def look(self, upstreams: Iterable[Upstream], *, trouble: bool, behind: Collection[str] = ()) -> None:
        """Take the state of this process as it is now; `behind` are tasks whose champion is not loaded."""
        self._trouble.set(trouble)
        self._behind.set(len(behind))
        for upstream in upstreams:
            self._running.labels(upstream.name).set(upstream.running)
            self._open.labels(upstream.name).set(upstream.circuit.open)

    def expose(self) -> bytes:
        """The metrics of all processes in Prometheus' text format."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        folder, registry = Path(os.environ[FOLDER]), CollectorRegistry()
        for gone in _of_the_dead(folder):
            gone.unlink(missing_ok=True)  # the gauges of its last moment; what it counted stays counted
        MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _reserve() -> None:
    """Make this process's files before they are mapped. Raises OSError."""
    for kind in ("counter", "histogram", "gauge_livesum") if FOLDER in os.environ else ():
        file = Path(os.environ[FOLDER], f"{kind}_{os.getpid()}.db")
        if not file.exists():
            file.write_bytes(bytes(RESERVED))


def _of_the_dead(folder: Path) -> list[Path]:
    """Gauges of processes that are gone."""
    return [file for file in folder.glob("gauge_live*_*.db") if not _alive(int(file.stem.rpartition("_")[2]))]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
