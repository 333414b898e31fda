"""Every metric of Floe, declared once: for what counts it, for `/metrics` and for docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable

from shared.telemetry.instruments import Counter, Histogram, Instrument, Metric, Totals
from shared.telemetry.last_minute import LastMinute

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_REQUEST = ("operation", "method", "endpoint")

# Counted by each instance, durable, and summed over all of them.
INSTRUMENTS: dict[str, Instrument] = {}
# Read from storage, where the pipeline keeps them, or from the rows of the instances.
GAUGES: dict[str, Metric] = {}
# Made from others at the moment of reading.
DERIVED: dict[str, Metric] = {}

_first_use: list[Callable[[], None]] = []


def when_first_used(call: Callable[[], None]) -> None:
    """Have `call` called once, when this process first counts something."""
    _first_use.append(call)


def _started() -> None:
    while _first_use:
        _first_use.pop()()


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    instrument = Counter(Metric(name, "counter", meaning, labels), _started)
    INSTRUMENTS[name] = instrument
    return instrument


def _histogram(name: str, meaning: str, *labels: str, bounds: tuple[float, ...] = _SECONDS) -> Histogram:
    instrument = Histogram(Metric(name, "histogram", meaning, labels, bounds), _started)
    INSTRUMENTS[name] = instrument
    return instrument


def _read_from_storage(kind: str, name: str, meaning: str, *labels: str) -> Metric:
    metric = Metric(name, "counter" if kind == "counter" else "gauge", meaning, labels)
    GAUGES[name] = metric
    return metric


def _derived(source: Instrument, name: str, meaning: str, *labels: str) -> Metric:
    metric = Metric(name, source.metric.kind, meaning, labels, source.metric.bounds)
    DERIVED[name] = metric
    return metric


# HTTP. `endpoint` is the route with its parameters' names; `status` is the class, such as `2xx`.
HTTP_REQUESTS = _counter(
    "floe_http_requests_total", "Requests answered, by class of status.", *_REQUEST, "status"
)
HTTP_DURATION = _histogram(
    "floe_http_request_duration_seconds", "From a request's arrival in the worker to its answer.", *_REQUEST
)
RATE_LIMITED = _counter(
    "floe_rate_limit_refusals_total", "Requests refused with 429 because a budget was spent.", "operation"
)
INSTANCES_STARTED = _counter("floe_cold_starts_total", "Processes of the app that began to work.")

# Sending to the broker. A message may hold many events.
PRODUCED = _counter("floe_produced_messages_total", "Messages that the broker acknowledged.", "topic")
PRODUCE_ERRORS = _counter(
    "floe_produce_errors_total", "Messages that it did not acknowledge in time, or refused.", "topic"
)
PRODUCE_DURATION = _histogram(
    "floe_produce_duration_seconds", "From handing a message over to its acknowledgement.", "topic"
)
PRODUCED_LAST_MINUTE = LastMinute()

# Landing. A batch that is delivered again is counted again: these tell what work was done, not what exists.
LANDED_MESSAGES = _counter("floe_landed_messages_total", "Messages landed.", "topic")
LANDED_ROWS = _counter("floe_landed_rows_total", "Rows landed.", "topic")
LANDED_DEAD_LETTERS = _counter("floe_landed_dead_letters_total", "Events landed as dead letters.", "topic")
LAND_DURATION = _histogram(
    "floe_land_duration_seconds", "From a batch's arrival to its being durable.", "topic"
)
DECODE_DURATION = _histogram(
    "floe_decode_duration_seconds", "Decoding and encoding one segment's messages.", "topic"
)

# Flushing.
FLUSHED_ROWS = _counter("floe_flushed_rows_total", "Rows committed by the flush.", "stream")
FLUSH_COMMITS = _counter("floe_flush_commits_total", "Commits of the flush.", "stream")
FLUSH_DURATION = _histogram("floe_flush_duration_seconds", "One flush of a stream that had work.", "stream")
FLUSH_FAILURES = _counter(
    "floe_flush_failures_total",
    "Flushes that ended with an error, apart from those left to another.",
    "stream",
)

# Jobs.
JOBS_ENDED = _counter("floe_jobs_total", "Jobs that ended, by how they ended.", "kind", "status")
JOB_DURATION = _histogram("floe_job_duration_seconds", "One attempt at a job.", "kind")

# The anomaly scan.
ANOMALY_SCAN_DURATION = _histogram("floe_anomaly_scan_duration_seconds", "One scan of all series.")
ANOMALY_SCAN_FAILURES = _counter(
    "floe_anomaly_scan_failures_total", "Scans that ended with an error, apart from those left to another."
)
ANOMALY_SERIES = _counter("floe_anomaly_series_total", "Series that scans went through.")
ANOMALIES_TOLD = _counter("floe_anomalies_total", "Anomalies found.", "event_type", "severity")

# What the pipeline did, read from where it keeps it: exact, and missing where it is not known.
MESSAGES_CONSUMED = _read_from_storage(
    "counter", "floe_messages_consumed_total", "Messages landed from `sensor-data`, each once."
)
MESSAGES_FAILED = _read_from_storage(
    "counter", "floe_messages_failed_total", "Those of them with at least one dead letter."
)
TOPIC_MESSAGES = _read_from_storage(
    "counter", "floe_topic_messages_total", "Messages landed, each once.", "topic"
)
LAST_MESSAGE = _read_from_storage(
    "gauge", "floe_last_message_timestamp_seconds", "When the broker took the newest of them (Unix time)."
)
TABLE_FILES = _read_from_storage("gauge", "floe_table_files", "Live files of the readings table.")
TABLE_BYTES = _read_from_storage("gauge", "floe_table_size_bytes", "Their size.")
BUFFERS = _read_from_storage(
    "gauge", "floe_buffers", "Sensors that have readings landed and not yet flushed."
)
BUFFERED_ROWS = _read_from_storage("gauge", "floe_buffered_rows", "Readings landed and not yet flushed.")
UPLOADS = _read_from_storage("counter", "floe_uploads_total", "Flushed files uploaded, or not.", "outcome")
UPLOAD_BYTES = _read_from_storage("counter", "floe_upload_bytes_total", "Bytes written there.")
CLEANUP_RUNS = _read_from_storage("counter", "floe_cleanup_runs_total", "Runs of the clean-up.")
CLEANUP_FILES = _read_from_storage("counter", "floe_cleanup_files_deleted_total", "Files that it deleted.")
CLEANUP_BYTES = _read_from_storage("counter", "floe_cleanup_freed_bytes_total", "Bytes that it freed.")
INSTANCES = _read_from_storage("gauge", "floe_instances", "Instances that reported within the last minute.")
BUILD = _read_from_storage("gauge", "floe_build_info", "Always 1; the label tells the version.", "version")

# The names of the cloud resources' reference.
PLAIN_REQUESTS = _derived(HTTP_REQUESTS, "http_requests_total", "Requests answered.", "method", "endpoint")
PLAIN_ERRORS = _derived(
    HTTP_REQUESTS, "http_requests_errors_total", "Those answered with 4xx or 5xx.", "method", "endpoint"
)
PLAIN_DURATION = _derived(
    HTTP_DURATION, "http_request_duration_seconds", "From arrival to answer.", "method", "endpoint"
)


def counted() -> Totals:
    """What this process has counted."""
    return {name: series for name, instrument in INSTRUMENTS.items() if (series := instrument.read())}


def all_metrics() -> tuple[Metric, ...]:
    """Every metric that exists, in the order of the documentation."""
    instruments = (instrument.metric for instrument in INSTRUMENTS.values())
    return (*instruments, *GAUGES.values(), *DERIVED.values())
