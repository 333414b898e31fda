"""What one run of the demo sends, and in which windows of time it looks for it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from devstack.demo.series import Reading
from shared.streams.events import topic_of

EVENT_TYPE = "system_metric"
TOPIC = topic_of(EVENT_TYPE)
_WINDOW_EVENTS = 800


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event as it will be sent; those of one `key` keep their order."""

    event_id: str
    key: str
    time: datetime
    data: dict[str, Any]

    def message(self) -> bytes:
        """The Kafka message's value."""
        fields = {"event_id": self.event_id, "timestamp": rfc3339(self.time), "data": self.data}
        return json.dumps(fields).encode()


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, from `start` to `end` (exclusive), and the data of the run's events in it by id."""

    start: datetime
    end: datetime
    events: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run; its id is part of every event, so that no other run's events are counted."""

    run: str
    events: Sequence[PlannedEvent]

    @property
    def prefix(self) -> str:
        """What the ids of this run's events start with, and no others."""
        return f"demo-{self.run}-"

    @property
    def start(self) -> datetime:
        """The time of the oldest event."""
        return self.events[0].time

    @property
    def end(self) -> datetime:
        """Just after the time of the newest event."""
        return self.events[-1].time + timedelta(seconds=1)

    def windows(self) -> Iterator[Window]:
        """The run in windows of a few hundred events, oldest first; no time is in two of them."""
        begin = 0
        while begin < len(self.events):
            stop = min(begin + _WINDOW_EVENTS, len(self.events))
            while stop < len(self.events) and self.events[stop].time == self.events[stop - 1].time:
                stop += 1
            members = self.events[begin:stop]
            end = self.events[stop].time if stop < len(self.events) else self.end
            yield Window(members[0].time, end, {event.event_id: event.data for event in members})
            begin = stop


def make_plan(run: str, readings: Sequence[Reading]) -> Plan:
    """The run that sends `readings`, at least one, which are in the order of time."""
    events = [
        PlannedEvent(
            f"demo-{run}-{number:07}",
            reading.series,
            reading.time,
            {"run": run, "series": reading.series, "value": reading.value},
        )
        for number, reading in enumerate(readings)
    ]
    return Plan(run, events)


def rfc3339(moment: datetime) -> str:
    """`moment` in UTC, with `Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
