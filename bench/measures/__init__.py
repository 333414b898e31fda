"""The benchmarks, by the names they are asked for with."""

from __future__ import annotations

from collections.abc import Callable

from bench.measures import (
    analytics,
    cold_start,
    http_load,
    kills,
    log_scale,
    memory,
    platform,
    queries,
    scan,
    sensors,
    topic_to_table,
    trigger,
    visibility,
)
from bench.options import Options
from bench.report import Result

MEASURES: dict[str, Callable[[Options], Result]] = {
    "topic-to-table": topic_to_table.measure,
    "trigger": trigger.measure,
    "platform": platform.measure,
    "http": http_load.measure,
    "sensors": sensors.measure,
    "visibility": visibility.measure,
    "queries": queries.measure,
    "analytics": analytics.measure,
    "scan": scan.measure,
    "import": cold_start.measure,
    "memory": memory.measure,
    "kills": kills.measure,
    "log-scale": log_scale.measure,
}
