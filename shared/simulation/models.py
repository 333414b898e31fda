"""What a simulation is: all that its events follow from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from shared.platform.clock import to_rfc3339
from shared.platform.times import parse_time
from shared.streams.events import EVENT_TYPES

# All five types, each with its share.
RANDOM = "random"
# Events are made, sent and counted as done by so many at a time.
CHUNK = 5_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Simulation:
    """`events` events between `start` (inclusive) and `end` (exclusive), in UTC, with so many `incidents`.

    `event_type` is one of the five, or `random`. Two that are equal give the same events, byte for byte.
    """

    events: int
    event_type: str
    seed: int
    start: datetime
    end: datetime
    incidents: int

    @property
    def name(self) -> str:
        """Ten hexadecimal digits that tell simulations apart; they stand in ids of events and incidents."""
        return blake2b(msgspec.json.encode(self.parameters()), digest_size=5).hexdigest()

    @property
    def types(self) -> tuple[str, ...]:
        """The event types that occur."""
        return EVENT_TYPES if self.event_type == RANDOM else (self.event_type,)

    @property
    def chunks(self) -> int:
        """How many chunks the events come in."""
        return -(-self.events // CHUNK)

    @property
    def start_micros(self) -> int:
        """`start` in microseconds since 1970."""
        return (self.start - _EPOCH) // _MICROSECOND

    @property
    def micros(self) -> int:
        """How many microseconds it spans."""
        return (self.end - self.start) // _MICROSECOND

    def parameters(self) -> dict[str, Any]:
        """It as a job keeps it."""
        return {
            "num_events": self.events,
            "event_type": self.event_type,
            "seed": self.seed,
            "start_time": to_rfc3339(self.start),
            "end_time": to_rfc3339(self.end),
            "incidents": self.incidents,
        }


def simulation_of(parameters: Mapping[str, Any]) -> Simulation:
    """The simulation whose `parameters` these are."""
    return Simulation(
        events=parameters["num_events"],
        event_type=parameters["event_type"],
        seed=parameters["seed"],
        start=parse_time(parameters["start_time"]),
        end=parse_time(parameters["end_time"]),
        incidents=parameters["incidents"],
    )


def time_at(micros: int) -> datetime:
    """The time so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)
