"""docs/metrics.md, made from the registry of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.telemetry import catalogue
from shared.telemetry.instruments import MOST_SERIES, Metric

_HEAD = f"""# Metrics

<!-- Written by `make docs` from `shared/telemetry/catalogue.py`; do not edit. -->

`GET /metrics` answers in JSON, with the fields of the references for cold storage and for events, or in
Prometheus' formats where `Accept` prefers `text/plain` or `application/openmetrics-text`, as every
Prometheus server's does. It needs the scope `metrics:read`, except where `FLOE_AUTH=local`.

```yaml
scrape_configs:
  - job_name: floe
    scheme: https
    authorization: {{ credentials_file: /etc/prometheus/floe.key }}
    static_configs: [{{ targets: ["<app>.azurewebsites.net"] }}]
```

Whichever instance answers, it answers for all of them, so scrape the app once, by its address, and let no
instance's name be a label.

- **What instances count** (the first table) is kept in the table `metrics`: a row for each instance, which
  it writes every 15 seconds while something changes, at each reading of `/metrics` and when it ends in
  order. Restarts and scaling lose nothing of that. An instance that is killed takes with it what it counted
  since it last wrote, at most 15 seconds' worth; no metric ever goes back, though, for only what is written
  is shown. What other instances counted in the last 15 seconds may be missing yet. Rows of instances that
  are gone are added to one base row by an hourly timer, each exactly once. While the table does not answer,
  `/metrics` is 503. Counting costs a request about 2 µs of CPU
  ([ADR 14](adr/0014-what-instances-count-is-reported-in-rows.md)).
- **What the pipeline did** (the second table) is read from where the pipeline itself keeps account of it.
  It is exact under kills. What is not known is left out, and null in JSON; it is never shown as zero.
- A metric has at most {MOST_SERIES} series; what goes beyond is counted under labels that are all `other`.
- `producer_metrics` in JSON is of the last minute: messages (the records) and events a second over 60
  seconds, and the mean time to the broker's acknowledgement of a message in milliseconds, null where nothing
  was sent. A message may hold many events.
- Counters of landing and flushing count work: a batch that is delivered again is counted again. What exists
  once, and is counted once, stands in the second table.
- Durations are in seconds, sizes in bytes.

Traces, logs and the same metrics go to Application Insights or to an OpenTelemetry collector where that is
set; see [operations](operations.md#traces-and-logs-elsewhere).
"""


def metrics_page() -> Iterator[str]:
    """The lines of the page."""
    yield _HEAD
    yield "## What instances count"
    yield ""
    yield from _table(instrument.metric for instrument in catalogue.INSTRUMENTS.values())
    yield ""
    yield "## What the pipeline did"
    yield ""
    yield from _table(catalogue.GAUGES.values())
    yield ""
    yield "## Names of the cloud resources' reference"
    yield ""
    yield "The same requests and durations, under the names and labels that its clients' dashboards ask for."
    yield ""
    yield from _table(catalogue.DERIVED.values())


def _table(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "| metric | kind | labels | what it is |"
    yield "| --- | --- | --- | --- |"
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |"
