"""The newest hundred events of one type in a half hour, in tables of different sizes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bench.fill import ROWS_AN_HOUR, Filler
from bench.http_client import Api
from bench.options import Options
from bench.percentiles import percentile
from bench.processes import CpuMeter
from bench.progress import say
from bench.report import Result, at_most
from bench.stack import Stack, scratch
from shared.streams.events import EVENT_TYPES

_WINDOW = timedelta(minutes=30)
_SEGMENTS, _SEGMENT_ROWS = 40, 5000
_NEVER = "0 0 0 1 1 *"


def measure(options: Options) -> Result:
    """Grows one table through the wanted sizes, and asks at each; at the last one for the newest half hour,
    too, and with a backlog in it."""
    result = Result()
    opened = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end = opened + timedelta(hours=1)
    sizes: dict[int, float] = {}
    with scratch() as folder, Stack(folder, _NEVER, sent_to=False) as stack:
        filler = Filler(stack.account, opened)
        still_open = filler.fill_open_hour()
        for wanted in options.rows:
            say(f"queries: filling the table to {wanted:,} rows")
            rows = filler.fill(wanted) + still_open
            stack.start_host()
            say(f"queries: {options.queries} queries")
            sizes[rows] = _add(result, f"{rows:,} rows", stack, filler.oldest, opened, options)
            stack.stop_host()
        stack.start_host()
        _add(result, f"{rows:,} rows, the newest half hour", stack, end - _WINDOW, end, options)
        stack.stop_host()
        filler.land(_SEGMENTS, _SEGMENT_ROWS)
        stack.start_host()
        # Only the newest half hour overlaps the backlog.
        label = f"{rows:,} rows and {_SEGMENTS * _SEGMENT_ROWS:,} landed ones in the window"
        _add(result, label, stack, end - _WINDOW, end, options)
    for smaller, larger in pairwise(sizes):
        result.add(
            f"{larger:,} rows to {smaller:,} rows, p50", sizes[larger] / sizes[smaller], "x", at_most(1.3)
        )
    result.notes.append(
        f"{ROWS_AN_HOUR:,} rows of each type an hour, in one final file; a larger table reaches further "
        "back. The open hour, the newest one, has sixty raw files for each type."
    )
    return result


def _add(
    result: Result, label: str, stack: Stack, oldest: datetime, newest: datetime, options: Options
) -> float:
    api = Api(stack.url)
    for _ in range(5):
        _ask(api, oldest, newest)
    meter = CpuMeter(stack.pids)
    times = [1000 * _ask(api, oldest, newest) for _ in range(options.queries)]
    cpu = meter.read()
    p50 = percentile(times, 0.5)
    result.add(f"{label}: p50", p50, "ms", at_most(25) if "landed" not in label else None)
    result.add(f"{label}: p99", percentile(times, 0.99), "ms")
    result.add(f"{label}: host", 1000 * cpu["host"] / options.queries, "CPU ms/query")
    result.details[label] = [round(one, 1) for one in times]
    return p50


def _ask(api: Api, oldest: datetime, newest: datetime) -> float:
    """Asks for a window somewhere between `oldest` and `newest`; the seconds until the answer is there."""
    spread = (newest - oldest - _WINDOW).total_seconds()
    start = oldest + timedelta(seconds=random.uniform(0, spread))
    query = {
        "event_type": random.choice(EVENT_TYPES) if spread else EVENT_TYPES[0],
        "start_time": f"{start:%Y-%m-%dT%H:%M:%S}Z",
        "end_time": f"{start + _WINDOW:%Y-%m-%dT%H:%M:%S}Z",
        "limit": 100,
    }
    began = time.monotonic()
    page = api.get("/api/events", **query)
    seconds = time.monotonic() - began
    if page["count"] != 100:
        raise RuntimeError(f"{page['count']} events for {query}")
    return seconds
