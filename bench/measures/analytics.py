"""What analytics over the last 24 hours take, whatever the table holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.fill import Filler
from bench.fill_rollups import EVENTS_AN_HOUR, RollupFiller
from bench.http_client import Api
from bench.options import Options
from bench.percentiles import percentile
from bench.processes import CpuMeter
from bench.progress import say
from bench.report import Result, at_most
from bench.stack import Stack, scratch

_DAY = timedelta(days=1)
_REGIONS, _MOST_REGIONS = 20, 100
_SEGMENTS, _SEGMENT_ROWS = 40, 5000
_NEVER = "0 0 0 1 1 *"


def measure(options: Options) -> Result:
    """Roll-ups of as many events as wanted, of 20 regions a type; then a day with as many regions as there
    may be; then a backlog of landed events on top."""
    result = Result()
    for wanted in options.rows:
        with scratch() as folder, Stack(folder, _NEVER, sent_to=False) as stack:
            _measure(result, f"{wanted:,} events", stack, options, wanted, _REGIONS)
    with scratch() as folder, Stack(folder, _NEVER, sent_to=False) as stack:
        day = 24 * EVENTS_AN_HOUR
        _measure(result, f"{_MOST_REGIONS} regions a type", stack, options, day, _MOST_REGIONS, landed=True)
    result.notes.append(
        f"{EVENTS_AN_HOUR:,} events an hour, every minute with all regions of all five types; dates that are "
        "over have one file each, today one for each hour."
    )
    return result


def _measure(
    result: Result,
    label: str,
    stack: Stack,
    options: Options,
    events: int,
    regions: int,
    landed: bool = False,
) -> None:
    say(f"analytics: {label}")
    now = datetime.now(UTC)
    rows = RollupFiller(stack.account, now, regions).fill(events)
    result.add(f"{label}: rows of roll-ups", rows, "")
    stack.start_host()
    _ask_all(result, label, stack, options)
    stack.stop_host()
    if landed:
        Filler(stack.account, now.replace(minute=0, second=0, microsecond=0)).land(_SEGMENTS, _SEGMENT_ROWS)
        stack.start_host()
        _ask_all(result, f"{label}, {_SEGMENTS * _SEGMENT_ROWS:,} events landed", stack, options)
        stack.stop_host()


def _ask_all(result: Result, label: str, stack: Stack, options: Options) -> None:
    api = Api(stack.url)
    day = {"start_time": f"{datetime.now(UTC) - _DAY:%Y-%m-%dT%H:%M:%S}Z", "limit": 1000}
    wanted: list[tuple[str, str, Mapping[str, Any]]] = [
        ("summary", "/api/dashboard/summary", {}),
        ("288 windows of a type", "/api/aggregations", day | {"limit": 288, "event_type": "error"}),
        ("1,000 windows of all types", "/api/aggregations", day),
        ("hours by region", "/api/aggregations", day | {"window": 3600, "group_by": "region"}),
        ("real time", "/api/metrics/realtime", {"event_type": "error"}),
        ("totals", "/api/stats", {}),
    ]
    for name, path, query in wanted:
        first = 1000 * _seconds(api, path, query)
        for _ in range(3):
            _seconds(api, path, query)
        meter = CpuMeter(stack.pids)
        times = [1000 * _seconds(api, path, query) for _ in range(options.queries)]
        cpu = meter.read()
        result.add(f"{label}: {name}: p50", percentile(times, 0.5), "ms", at_most(50))
        result.add(f"{label}: {name}: p99", percentile(times, 0.99), "ms")
        result.add(f"{label}: {name}: host", 1000 * cpu["host"] / options.queries, "CPU ms/query")
        result.add(f"{label}: {name}: the first one", first, "ms")
        result.details[f"{label}: {name}"] = [round(one, 1) for one in times]


def _seconds(api: Api, path: str, query: Mapping[str, Any]) -> float:
    began = time.monotonic()
    answer = api.get(path, **query)
    seconds = time.monotonic() - began
    if answer.get("count") == 0:
        raise RuntimeError(f"nothing found by {path}")
    return seconds
