"""Traces, logs and metrics through OpenTelemetry: to Application Insights, to an OTLP collector, or both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Token
from dataclasses import dataclass
from typing import Any

import msgspec
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.instruments import Instrument
from shared.telemetry.ports import Line
from shared.telemetry.tracing import Attributes, Kind

_NAME = "floe"
_METRICS_EVERY_MS = 60_000
_W3C = TraceContextTextMapPropagator()
_KINDS = {
    "server": trace.SpanKind.SERVER,
    "consumer": trace.SpanKind.CONSUMER,
    "internal": trace.SpanKind.INTERNAL,
}
_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
}


@dataclass(frozen=True, slots=True)
class Exporters:
    """Where one kind of telemetry backend takes each signal."""

    spans: SpanExporter
    lines: LogRecordExporter
    metrics: MetricExporter


def application_insights(connection_string: str) -> Exporters:
    """Application Insights.

    It is reached with the managed identity where `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` says so. What
    cannot be sent is not kept on the instance's disk, which goes with the instance.
    """
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    options = {"connection_string": connection_string, "disable_offline_storage": True}
    return Exporters(
        AzureMonitorTraceExporter(**options),
        AzureMonitorLogExporter(**options),
        AzureMonitorMetricExporter(**options),
    )


def otlp(endpoint: str) -> Exporters:
    """A collector that takes OTLP over HTTP; the library reads headers from `OTEL_EXPORTER_OTLP_HEADERS`."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = endpoint.rstrip("/")
    return Exporters(
        OTLPSpanExporter(endpoint=f"{base}/v1/traces"),
        OTLPLogExporter(endpoint=f"{base}/v1/logs"),
        OTLPMetricExporter(endpoint=f"{base}/v1/metrics"),
    )


class OpenTelemetry:
    """Implements shared.telemetry.ports.Telemetry."""

    def __init__(
        self,
        exporters: Sequence[Exporters],
        *,
        version: str,
        instance: str,
        environment: str,
        hosted: bool = False,
    ) -> None:
        """Sends to all `exporters`, as the service `floe` with these attributes.

        `hosted`: the Functions host reports requests and batches by itself, so spans lie inside them.
        """
        resource = Resource.create(
            {
                "service.name": _NAME,
                "service.version": version,
                "service.instance.id": instance,
                "deployment.environment.name": environment,
            }
        )
        self._spans = TracerProvider(resource=resource)
        self._lines = LoggerProvider(resource=resource)
        for one in exporters:
            self._spans.add_span_processor(BatchSpanProcessor(one.spans))
            self._lines.add_log_record_processor(BatchLogRecordProcessor(one.lines))
        readers = [
            PeriodicExportingMetricReader(one.metrics, export_interval_millis=_METRICS_EVERY_MS)
            for one in exporters
        ]
        self._metrics = MeterProvider(readers, resource=resource)
        self._logger = self._lines.get_logger(_NAME, version)
        self.tracer = OpenTelemetryTracer(self._spans.get_tracer(_NAME, version), hosted)

    def send(self, line: Line) -> None:
        """See the port. The line's own fields become attributes, so that they can be searched for."""
        self._logger.emit(
            timestamp=line.when,
            severity_number=_SEVERITIES.get(line.level, SeverityNumber.INFO),
            severity_text=logging.getLevelName(line.level),
            body=line.text,
            attributes=_attributes(line.text),
        )

    def follow(self, instruments: Callable[[], list[Instrument]]) -> None:
        """See the port. A histogram is sent as two counters, `_sum` and `_count`."""
        meter = self._metrics.get_meter(_NAME)
        for one in instruments():
            metric = one.metric
            if metric.kind == "counter":
                meter.create_observable_counter(
                    metric.name, [_observing(one, lambda numbers: numbers[0])], description=metric.meaning
                )
                continue
            for suffix, value in (
                ("sum", lambda numbers: numbers[0]),
                ("count", lambda numbers: sum(numbers[1:])),
            ):
                meter.create_observable_counter(
                    f"{metric.name}_{suffix}", [_observing(one, value)], description=metric.meaning
                )


def _observing(
    instrument: Instrument, value: Callable[[list[float]], float]
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        names = instrument.metric.labels
        return [
            Observation(value(numbers), dict(zip(names, labels, strict=True)))
            for labels, numbers in instrument.read().items()
        ]

    return observe


def _attributes(text: str) -> Mapping[str, Any]:
    """The fields of a line: plain ones as they are, others as JSON."""
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
    return {
        name: value if isinstance(value, str | int | float | bool) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
        if value is not None
    }


class OpenTelemetryTracer:
    """Implements shared.telemetry.tracing.Tracer."""

    def __init__(self, tracer: trace.Tracer, hosted: bool) -> None:
        self._tracer = tracer
        self._hosted = hosted

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, parent: str | None, links: Sequence[str]
    ) -> OpenTelemetrySpan:
        """See the port. Where the worker has put the host's span into the context, that is the parent."""
        context = contexts.get_current()
        inside = trace.get_current_span(context).get_span_context().is_valid
        if not inside and parent:
            context = _W3C.extract({"traceparent": parent}, context)
        span = self._tracer.start_span(
            name,
            context,
            trace.SpanKind.INTERNAL if self._hosted or inside else _KINDS[kind],
            dict(attributes),
            [trace.Link(_span_context(link)) for link in links],
        )
        return OpenTelemetrySpan(span, contexts.attach(trace.set_span_in_context(span, context)))

    def traceparent(self) -> str | None:
        """See the port."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")


class OpenTelemetrySpan:
    """Implements shared.telemetry.tracing.Span."""

    def __init__(self, span: trace.Span, token: Token[Context]) -> None:
        self._span = span
        self._token = token

    def end(self, attributes: Attributes | None = None, *, failed: bool = False) -> None:
        """See the port."""
        self._span.set_attributes(dict(attributes or {}))
        if failed:
            self._span.set_status(trace.StatusCode.ERROR)
        contexts.detach(self._token)
        self._span.end()


def _span_context(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_W3C.extract({"traceparent": traceparent}, Context())).get_span_context()
