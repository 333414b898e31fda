"""Metrics in Prometheus' formats, written by its client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from shared.platform.version import VERSION
from shared.telemetry import catalogue
from shared.telemetry.instruments import Labels, Metric, Numbers, Totals, has_width
from shared.telemetry.pipeline import PipelineTotals
from shared.telemetry.reports import Seen
from shared.telemetry.totals import added

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric as Family

type Format = Literal["text", "openmetrics"]
type Series = Mapping[Labels, Numbers]

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


def expose(seen: Seen, figures: PipelineTotals, form: Format) -> bytes:
    """All that is known, in the text format or as OpenMetrics."""
    from prometheus_client import exposition
    from prometheus_client.openmetrics import exposition as open_exposition
    from prometheus_client.registry import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    _register(registry, list(_families(seen, figures)))
    write: Any = open_exposition.generate_latest if form == "openmetrics" else exposition.generate_latest
    return bytes(write(registry))


def _register(registry: CollectorRegistry, families: Iterable[Family]) -> None:
    class Collected:
        def collect(self) -> Iterable[Family]:
            return families

    registry.register(Collected())


def _families(seen: Seen, figures: PipelineTotals) -> Iterator[Family]:
    for name, instrument in catalogue.INSTRUMENTS.items():
        yield from _family(instrument.metric, seen.totals.get(name, {}))
    for metric, series in derived(seen.totals):
        yield from _family(metric, series)
    for metric, series in gauges(seen, figures):
        yield from _family(metric, series)


def derived(totals: Totals) -> Iterator[tuple[Metric, Series]]:
    """The metrics made from others."""
    requests = totals.get(catalogue.HTTP_REQUESTS.metric.name, {})
    durations = totals.get(catalogue.HTTP_DURATION.metric.name, {})
    failed = {labels: numbers for labels, numbers in requests.items() if labels[3] in {"4xx", "5xx"}}
    yield catalogue.PLAIN_REQUESTS, _by_endpoint(requests)
    yield catalogue.PLAIN_ERRORS, _by_endpoint(failed)
    yield catalogue.PLAIN_DURATION, _by_endpoint(durations)


def _by_endpoint(series: Series) -> Series:
    """Sums by method and endpoint, which are the second and third label."""
    return added({"": {labels[1:3]: numbers}} for labels, numbers in series.items()).get("", {})


def gauges(seen: Seen, figures: PipelineTotals) -> Iterator[tuple[Metric, Series]]:
    """What is read from storage; without a series where it is not known."""
    moment = figures.last_message_time
    uploads = {"success": figures.successful_uploads, "failure": figures.failed_uploads}
    single: dict[Metric, float | None] = {
        catalogue.MESSAGES_CONSUMED: figures.messages_consumed,
        catalogue.MESSAGES_FAILED: figures.messages_failed,
        catalogue.LAST_MESSAGE: None if moment is None else moment.timestamp(),
        catalogue.TABLE_FILES: figures.total_files,
        catalogue.TABLE_BYTES: figures.total_size_bytes,
        catalogue.BUFFERS: figures.buffer_count,
        catalogue.BUFFERED_ROWS: figures.buffered_records,
        catalogue.UPLOAD_BYTES: figures.uploaded_bytes,
        catalogue.CLEANUP_RUNS: figures.cleanup_runs,
        catalogue.CLEANUP_FILES: figures.deleted_files,
        catalogue.CLEANUP_BYTES: figures.freed_bytes,
        catalogue.INSTANCES: seen.instances,
    }
    yield catalogue.BUILD, {(VERSION,): [1.0]}
    yield catalogue.UPLOADS, {(outcome,): [n] for outcome, n in uploads.items() if n is not None}
    topics = figures.messages_by_topic or {}
    yield catalogue.TOPIC_MESSAGES, {(topic,): [n] for topic, n in topics.items()}
    for metric, value in single.items():
        yield metric, {} if value is None else {(): [float(value)]}


def _family(metric: Metric, series: Series) -> Iterator[Family]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    fitting = {labels: numbers for labels, numbers in series.items() if has_width(metric, numbers)}
    if not fitting:
        return
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for labels, numbers in fitting.items():
            histogram.add_metric(labels, _buckets(metric, numbers), numbers[0])
        yield histogram
        return
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, numbers in fitting.items():
        family.add_metric(labels, numbers[0])
    yield family


def _buckets(metric: Metric, numbers: Numbers) -> list[tuple[str, float]]:
    """Upper bounds and how many observations lie at or below each."""
    bounds = [*map(str, metric.bounds), "+Inf"]
    return list(zip(bounds, accumulate(numbers[1:]), strict=True))
