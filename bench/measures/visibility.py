"""How long an acknowledged event takes until a query shows it, and until the summary counts it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
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

# Whether an event is there: sent at a time, by its id, when so many had been counted before it.
type Look = Callable[[Api, datetime, str, int], bool]


def measure(options: Options) -> Result:
    """Sends one event after the other, each with a little pause, and looks until it is there."""
    result = Result()
    with scratch() as folder, Stack(folder, "*/10 * * * * *") as stack:
        stack.start_host()
        api = Api(stack.url)
        for name, look in (("visible", _found), ("counted in the summary", _counted)):
            for _ in range(3):
                _seconds_until(api, look)
            say(f"visibility: {options.probes} events, {name}")
            _add(result, name, _times(api, look, options))
    return result


def _times(api: Api, look: Look, options: Options) -> list[float]:
    began = time.monotonic()
    times: list[float] = []
    while len(times) < options.probes and time.monotonic() - began < options.timeout:
        times.append(1000 * _seconds_until(api, look))
        time.sleep(_PAUSE)
    return times


def _add(result: Result, name: str, times: list[float]) -> None:
    result.add(f"acknowledged to {name}: p50", percentile(times, 0.5), "ms")
    result.add(f"acknowledged to {name}: p99", percentile(times, 0.99), "ms", at_most(2000))
    result.add(f"acknowledged to {name}: longest", max(times), "ms")
    result.details[name] = [round(one, 1) for one in times]


def _seconds_until(api: Api, look: Look) -> float:
    now, wanted = datetime.now(UTC), f"probe-{secrets.token_hex(8)}"
    event = {
        "event_id": wanted,
        "event_type": "page_view",
        "timestamp": _text(now),
        "data": {"page": "/home", "user_id": "user_1"},
    }
    before = _count(api)
    api.post("/api/events", msgspec.json.encode(event))
    acknowledged = time.monotonic()
    while not look(api, now, wanted, before):
        if time.monotonic() - acknowledged > _PATIENCE:
            raise RuntimeError(f"an acknowledged event was not seen within {_PATIENCE:g} s")
        time.sleep(_POLL)
    return time.monotonic() - acknowledged


def _found(api: Api, moment: datetime, wanted: str, before: int) -> bool:
    window = {
        "event_type": "page_view",
        "start_time": _text(moment - timedelta(milliseconds=10)),
        "end_time": _text(moment + timedelta(milliseconds=10)),
    }
    page = api.get("/api/events", **window)
    return any(found["event_id"] == wanted for found in page["events"])


def _counted(api: Api, moment: datetime, wanted: str, before: int) -> bool:
    return _count(api) > before


def _count(api: Api) -> int:
    summary = api.get("/api/dashboard/summary")["summary"]
    return int(summary["event_counts_24h"]["page_view"])


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
