"""Simulations of the tests, and their events as readers see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.simulation.models import Simulation
from shared.simulation.traffic import Traffic

# A Monday.
START = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Simulation(80_000, "random", 7, START, START + timedelta(days=7), 0)
DAY = replace(WEEK, events=100_000, end=START + timedelta(days=1), incidents=8)


def texts(simulation: Simulation, chunks: Iterable[int] | None = None) -> list[bytes]:
    """The JSON of its chunks, of all or of these."""
    traffic = Traffic(simulation)
    numbers = range(simulation.chunks) if chunks is None else chunks
    return [msgspec.json.encode(traffic.chunk(number)) for number in numbers]


def events(simulation: Simulation) -> list[dict[str, Any]]:
    """All of its events; `time` is when, as a datetime."""
    found = [event for text in texts(simulation) for event in msgspec.json.decode(text)]
    for event in found:
        event["time"] = datetime.fromisoformat(event["timestamp"])
    return found


def data_of(found: list[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    """The `data` of the events of a type, with their `time`."""
    return [event["data"] | {"time": event["time"]} for event in found if event["event_type"] == event_type]
