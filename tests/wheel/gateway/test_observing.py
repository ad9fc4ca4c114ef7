"""Metrics and telemetry through real gateways; the collector speaks OTLP/HTTP and decodes what comes."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from openflywheel.base.errors import MissingExtra
from openflywheel.base.nouns import Call, Exchange
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.metrics import FOLDER
from openflywheel.serve.gateway import GatewaySettings
from openflywheel.wheel.gateway.observing import Observers, metrics_folder

Start = Callable[..., Any]
Until = Callable[..., Any]
KINDS = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CHAT = {"model": "flywheel/answer", "messages": [{"role": "user", "content": "my secret question"}]}


class Collector(ThreadingHTTPServer):
    """What an OpenTelemetry collector would have got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[Any] = []

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.of(ExportTraceServiceRequest)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def events(self) -> list[Any]:
        return [
            record
            for request in self.of(ExportLogsServiceRequest)
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def metrics(self) -> dict[str, Any]:
        return {
            metric.name: metric
            for request in self.of(ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def of(self, kind: type) -> list[Any]:
        return [request for request in self.got if isinstance(request, kind)]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(KINDS[self.path].FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        for name in ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"):
            monkeypatch.setenv(name, "50")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def told(collector: Collector, gateway: Start, until: Until) -> Callable[..., Collector]:
    """What a gateway tells the collector of what a client does: at least so many spans and events."""

    def run(do: Callable[[Any], object], spans: int = 1, events: int = 0, content: bool = False) -> Collector:
        do(gateway(serve={"gateway": {"telemetry": True, "content": content}}).http())
        until(lambda: len(collector.spans()) >= spans and len(collector.events()) >= events)
        return collector

    return run


def attributes(found: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in found.attributes}


def test_a_request_is_a_span_under_the_clients_own(told: Callable[..., Collector]) -> None:
    header = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    collector = told(lambda http: http.post("/v1/chat/completions", json=CHAT, headers=header))
    [span] = collector.spans()
    assert (span.name, span.kind) == ("chat small", span.SPAN_KIND_CLIENT)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
    said = attributes(span)
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "up"
    assert said["gen_ai.request.model"] == "small"
    assert said["gen_ai.response.id"].startswith("chatcmpl-")
    assert said["gen_ai.usage.input_tokens"] > 0
    assert said["gen_ai.usage.output_tokens"] > 0
    assert said["gen_ai.conversation.id"]
    assert said["openflywheel.task"] == "answer"
    assert "error.type" not in said
    [resource] = [
        r.resource for request in collector.of(ExportTraceServiceRequest) for r in request.resource_spans
    ]
    assert attributes(resource)["service.name"] == "openflywheel"


def test_without_a_parent_a_span_begins_its_own_trace(told: Callable[..., Collector]) -> None:
    def do(http: Any) -> None:
        http.post("/v1/chat/completions", json=CHAT, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        http.post("/v1/chat/completions", json=CHAT)

    first, second = told(do, spans=2).spans()
    assert second.parent_span_id == b""
    assert second.trace_id != first.trace_id


def test_content_is_on_the_span_only_where_it_is_asked_for(told: Callable[..., Collector]) -> None:
    def do(http: Any) -> None:
        http.post("/v1/chat/completions", json=CHAT)

    silent = told(do)
    assert b"secret question" not in b"".join(request.SerializeToString() for request in silent.got)
    said = attributes(told(do, spans=2, content=True).spans()[-1])
    parts = [{"type": "text", "content": "my secret question"}]
    assert json.loads(said["gen_ai.input.messages"]) == [{"role": "user", "parts": parts}]
    [output] = json.loads(said["gen_ai.output.messages"])
    assert (output["role"], output["finish_reason"]) == ("assistant", "stop")
    assert output["parts"][0]["content"] == "Echo: my secret question"


def test_an_error_and_a_stream_are_told(told: Callable[..., Collector], fake: Any) -> None:
    fake.script({"rules": [{"model": "bad", "status": 400}]})

    def do(http: Any) -> None:
        http.post("/v1/chat/completions", json={**CHAT, "model": "up/bad"})
        http.post("/v1/chat/completions", json={**CHAT, "stream": True})
        http.post("/v1/embeddings", json={"model": "up/e", "input": "text"})

    failed, streamed, embedded = told(do, spans=3).spans()
    assert attributes(failed)["error.type"] == "400"
    assert failed.status.code == failed.status.STATUS_CODE_ERROR
    assert attributes(streamed)["gen_ai.request.stream"] is True
    assert attributes(streamed)["gen_ai.response.time_to_first_chunk"] > 0
    assert embedded.name == "embeddings e"


def test_durations_and_tokens_are_metrics(told: Callable[..., Collector], until: Until) -> None:
    collector = told(lambda http: http.post("/v1/chat/completions", json=CHAT))
    metrics = until(lambda: m if "gen_ai.client.token.usage" in (m := collector.metrics()) else None)
    duration = metrics["gen_ai.client.operation.duration"]
    assert duration.unit == "s"
    [point] = duration.histogram.data_points
    assert (point.count, point.explicit_bounds[0]) == (1, 0.01)
    assert attributes(point)["gen_ai.provider.name"] == "up"
    usage = metrics["gen_ai.client.token.usage"].histogram.data_points
    assert {attributes(point)["gen_ai.token.type"] for point in usage} == {"input", "output"}


def test_a_signal_is_an_evaluation_of_the_providers_answer(told: Callable[..., Collector]) -> None:
    def do(http: Any) -> None:
        answered = http.post("/v1/chat/completions", json=CHAT)
        exchange = answered.headers["x-flywheel-exchange"]
        said = {"exchange": exchange, "rating": 0.5, "outcome": "resolved", "comment": "private words"}
        assert http.post("/v1/signals", json=said).status_code == 200

    collector = told(do, events=3)
    events = {attributes(e)["gen_ai.evaluation.name"]: e for e in collector.events()}
    assert set(events) == {"rating", "outcome", "comment"}
    assert {e.event_name for e in events.values()} == {"gen_ai.evaluation.result"}
    assert attributes(events["rating"])["gen_ai.evaluation.score.value"] == 0.5
    assert attributes(events["outcome"])["gen_ai.evaluation.score.label"] == "resolved"
    [span] = collector.spans()
    for name in ("gen_ai.response.id", "gen_ai.conversation.id", "openflywheel.exchange.id"):
        assert attributes(events["rating"])[name] == attributes(span)[name]
    assert b"private words" not in b"".join(request.SerializeToString() for request in collector.got)


def test_a_collector_that_is_away_costs_no_answer(gateway: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    http = gateway(serve={"gateway": {"telemetry": True}}).http()
    assert http.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_without_its_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.startswith("openflywheel.serve._gateway.telemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtra, match=r"pip install 'openflywheel\[otel\]'"):
        Observers([], GatewaySettings(telemetry=True))


def test_an_observer_that_fails_costs_no_answer(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("openflywheel.serve._gateway.rest_admin.Tally.__call__", fails)
    http = gate.http()
    assert http.post("/v1/chat/completions", json=CHAT).status_code == 200
    assert 'openflywheel_requests_total{ended="",' in http.get("/metrics").text


def test_what_waits_is_sent_at_the_end(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    observers = Observers([], GatewaySettings(telemetry=True))
    exchange = Exchange(episode="e", task="route", input="", output="a", variant="m1", latency=0.1)
    observers(Finished(exchange, Call(id=exchange.id, surface="chat", status=200)))
    assert collector.spans() == []
    asyncio.run(observers.close())
    [span] = collector.spans()
    assert (span.name, span.kind) == ("chat m1", span.SPAN_KIND_INTERNAL)
    assert attributes(span)["gen_ai.provider.name"] == "openflywheel"


def test_a_folder_of_metrics_is_empty_at_first_and_gone_afterwards(tmp_path: Path) -> None:
    with metrics_folder(tmp_path, 1):
        [folder] = (tmp_path / "metrics").iterdir()
        assert os.environ[FOLDER] == str(folder)
    assert not folder.exists()
    assert FOLDER not in os.environ
    folder.mkdir()
    (folder / "counter_1.db").touch()  # left by one that was killed
    with metrics_folder(tmp_path, 1):
        assert list(folder.iterdir()) == []
    (folder.parent / "other-8300").mkdir(parents=True)  # another gateway's, which runs
    with metrics_folder(tmp_path, 1):
        assert len(list(folder.parent.iterdir())) == 2


@pytest.mark.slow
def test_workers_count_together(serving: Start, until: Callable[..., Any]) -> None:
    served = serving("--workers", "2")
    for _ in range(8):  # a connection each, so that both workers answer
        assert served.http().post("/v1/chat/completions", json=CHAT).status_code == 200
    text = until(lambda: t if "circuit_open" in (t := served.http().get("/metrics").text) else "")
    [requests] = [line for line in text.splitlines() if line.startswith("openflywheel_requests_total{")]
    assert requests.endswith(" 8.0")
    files = list((served.store / "metrics").glob("*/histogram_*.db"))
    assert {int(file.stem.rpartition("_")[2]) for file in files} == set(served.workers())
    served.stop()
    assert not list((served.store / "metrics").iterdir())
