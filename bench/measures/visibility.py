"""How long an acknowledged event takes until a query shows it."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

import msgspec

from bench.http_client import Api
from bench.options import Options
from bench.percentiles import percentile
from bench.progress import say
from bench.report import Result, at_most
from bench.stack import Stack, scratch

_PATIENCE = 30.0
_POLL = 0.005
_PAUSE = 0.05


def measure(options: Options) -> Result:
    """Sends one event after the other, each with a little pause, and looks until it is there."""
    result = Result()
    with scratch() as folder, Stack(folder, "*/10 * * * * *") as stack:
        stack.start_host()
        api = Api(stack.url)
        for _ in range(3):
            _seconds_until_visible(api)
        say(f"visibility: {options.probes} events")
        began = time.monotonic()
        times: list[float] = []
        while len(times) < options.probes and time.monotonic() - began < options.timeout:
            times.append(1000 * _seconds_until_visible(api))
            time.sleep(_PAUSE)
    result.add("acknowledged to visible: p50", percentile(times, 0.5), "ms")
    result.add("acknowledged to visible: p99", percentile(times, 0.99), "ms", at_most(2000))
    result.add("acknowledged to visible: longest", max(times), "ms")
    result.details["times"] = [round(one, 1) for one in times]
    return result


def _seconds_until_visible(api: Api) -> float:
    now, wanted = datetime.now(UTC), f"probe-{secrets.token_hex(8)}"
    event = {
        "event_id": wanted,
        "event_type": "page_view",
        "timestamp": _text(now),
        "data": {"page": "/home", "user_id": "user_1"},
    }
    api.post("/api/events", msgspec.json.encode(event))
    acknowledged = time.monotonic()
    window = {
        "event_type": "page_view",
        "start_time": _text(now - timedelta(milliseconds=10)),
        "end_time": _text(now + timedelta(milliseconds=10)),
    }
    while True:
        page = api.get("/api/events", **window)
        seen = time.monotonic()
        if any(found["event_id"] == wanted for found in page["events"]):
            return seen - acknowledged
        if seen - acknowledged > _PATIENCE:
            raise RuntimeError(f"an acknowledged event was not seen within {_PATIENCE:g} s")
        time.sleep(_POLL)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
