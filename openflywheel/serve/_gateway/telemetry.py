"""OpenTelemetry: a GenAI span for each request, two metrics, and an event for each signal, over OTLP/HTTP.

Names are those of the GenAI semantic conventions (open-telemetry/semantic-conventions-genai, status
Development). Where it is sent, what is sampled and how the service is called stand in OpenTelemetry's own
environment variables: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME, ...
"""

import asyncio
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from opentelemetry import context, propagate
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from openflywheel.base.nouns import Signal
from openflywheel.serve._gateway import asked as asking
from openflywheel.serve._gateway.app import App, Receive, Scope, Send
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.names import Names

OURS = "openflywheel"
OPERATIONS = {"embeddings": "embeddings"}  # by surface; all others are "chat"
DURATIONS = [0.01 * 2**n for n in range(14)]  # seconds; bucket bounds as the conventions say
TOKENS = [4**n for n in range(14)]

Attributes = dict[str, str | int | float | bool]


class Telemetry:
    """Called with each finished request. `content`: questions and answers stand on the spans."""

    def __init__(self, names: Names, *, content: bool) -> None:
        self._names, self._content = names, content
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: OURS}))
        self._traces = TracerProvider(resource=resource)
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource)
        self._logs = LoggerProvider(resource)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        self._tracer = self._traces.get_tracer(OURS, version(OURS))
        self._logger = self._logs.get_logger(OURS, version(OURS))
        meter = self._metrics.get_meter(OURS, version(OURS))
        self._seconds = meter.create_histogram(
            "gen_ai.client.operation.duration", "s", "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=DURATIONS,
        )  # fmt: skip
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )  # fmt: skip

    def __call__(self, finished: Finished) -> None:
        """Tell of a request; its parent is what `traced` found in the client's headers."""
        common, begin = _common(finished), round(finished.exchange.at * 1e9)
        span = self._tracer.start_span(
            f"{common['gen_ai.operation.name']} {common['gen_ai.request.model']}",
            kind=SpanKind.CLIENT if finished.call.attempts else SpanKind.INTERNAL,
            attributes=common | _details(finished) | (_content(finished) if self._content else {}),
            start_time=begin,
        )
        if "error.type" in common:
            span.set_status(Status(StatusCode.ERROR))
        span.end(begin + round(finished.exchange.latency * 1e9))
        self._measure(finished, common)

    def _measure(self, finished: Finished, common: Attributes) -> None:
        call = finished.call
        model = self._names(str(common["gen_ai.request.model"]), answered=call.status < 400)
        bounded = common | {"gen_ai.request.model": model}
        self._seconds.record(finished.exchange.latency, bounded)
        if not call.estimated and "error.type" not in common:
            self._tokens.record(call.input_tokens, bounded | {"gen_ai.token.type": "input"})
            self._tokens.record(call.output_tokens, bounded | {"gen_ai.token.type": "output"})

    def heard(self, signals: Iterable[Signal], replies: Mapping[str, str]) -> None:
        """Tell of signals; `replies`: exchange -> the id that the provider gave its answer."""
        for signal in signals:
            attributes: Attributes = {
                "gen_ai.evaluation.name": signal.kind,
                "gen_ai.evaluation.score.value": signal.value,
                "gen_ai.conversation.id": signal.episode,
                "openflywheel.signal.source": signal.source,
            }
            if signal.outcome:
                attributes["gen_ai.evaluation.score.label"] = signal.outcome
            if self._content and signal.comment:
                attributes["gen_ai.evaluation.explanation"] = signal.comment
            if signal.exchange:
                attributes["openflywheel.exchange.id"] = signal.exchange
                attributes["gen_ai.response.id"] = replies.get(signal.exchange) or signal.exchange
            self._logger.emit(
                LogRecord(
                    timestamp=round(signal.at * 1e9),
                    event_name="gen_ai.evaluation.result",
                    attributes=attributes,
                )
            )

    @staticmethod
    def traced(app: App) -> App:
        """The application, each request of which knows its client's trace (W3C Trace Context)."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            carrier = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope.get("headers", ())}
            token = context.attach(propagate.extract(carrier))
            try:
                await app(scope, receive, send)
            finally:
                context.detach(token)

        return wrapped

    async def close(self) -> None:
        """Send what waits; takes $OTEL_EXPORTER_OTLP_TIMEOUT, 10 seconds, when the collector is away."""
        providers = (self._traces, self._metrics, self._logs)
        await asyncio.gather(*(asyncio.to_thread(provider.shutdown) for provider in providers))


def _common(finished: Finished) -> Attributes:
    """What spans and metrics share: the last model that was asked, and how that ended."""
    exchange, call = finished.exchange, finished.call
    found: Attributes = {"gen_ai.operation.name": OPERATIONS.get(call.surface, "chat")}
    if call.attempts:
        last = call.attempts[-1]
        found |= {"gen_ai.provider.name": last.provider, "gen_ai.request.model": last.model}
    else:
        found |= {"gen_ai.provider.name": OURS, "gen_ai.request.model": exchange.variant}
    if call.status >= 400 or exchange.ended:
        found["error.type"] = str(call.status) if call.status >= 400 else exchange.ended
    return found


def _details(finished: Finished) -> Attributes:
    exchange, call = finished.exchange, finished.call
    found: Attributes = {
        "gen_ai.conversation.id": exchange.episode,
        "gen_ai.response.id": call.reply or exchange.id,
        "gen_ai.request.stream": call.stream,
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "openflywheel.exchange.id": exchange.id,
        "openflywheel.task": exchange.task,
        "openflywheel.variant": exchange.variant,
    }
    if finished.first_byte:
        found["gen_ai.response.time_to_first_chunk"] = finished.first_byte
    return found


def _content(finished: Finished) -> Attributes:
    """Messages as the conventions' JSON; where a guard hid something, what is left."""
    exchange, call = finished.exchange, finished.call
    turns = asking.conversation(asking.read(call.request)) if call.request else []
    asked = [_message(said.role, said.text) for said in turns] or [_message("user", exchange.input)]
    given = [_message("assistant", exchange.output) | {"finish_reason": exchange.ended or "stop"}]
    return {"gen_ai.input.messages": _json(asked), "gen_ai.output.messages": _json(given)}


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _json(data: Any) -> str:
    return msgspec.json.encode(data).decode()
