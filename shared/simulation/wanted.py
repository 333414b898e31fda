"""Of what a caller asks for, with what is left out filled in, a simulation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.platform.errors import BadRequest
from shared.simulation.models import Simulation

MAX_INCIDENTS = 50
# The longest span: every hour of it is a file of each type, later.
_LONGEST = timedelta(days=31)
_SHORTEST = timedelta(seconds=1)
# The span of traffic of now.
_RECENTLY = timedelta(minutes=1)
_INCIDENT_EVERY = timedelta(hours=6)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
# How far the caller's clock may be ahead of this one.
_AHEAD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller says of a simulation; None leaves it to Floe."""

    events: int
    event_type: str
    seed: int | None
    start: datetime | None
    end: datetime | None
    incidents: int | None


def simulation_wanted(asked: Asked, now: datetime, most_events: int) -> Simulation:
    """The simulation. Raises BadRequest, which names the field at fault."""
    if asked.events > most_events:
        raise _wrong("num_events", f"should be less than or equal to {most_events}")
    for field, moment in (("start_time", asked.start), ("end_time", asked.end)):
        if moment is not None and moment < _EARLIEST:
            raise _wrong(field, "should lie after 1970")
    end = asked.end or now
    start = asked.start or end - _RECENTLY
    if end > now + _AHEAD:
        raise _wrong("end_time", "should not lie in the future")
    if end - start < _SHORTEST:
        raise _wrong("start_time", "should lie at least a second before end_time, which is now by default")
    if end - start > _LONGEST:
        raise _wrong("start_time", f"should lie at most {_LONGEST.days} days before end_time")
    incidents = asked.incidents
    if incidents is None:
        incidents = min((end - start) // _INCIDENT_EVERY, MAX_INCIDENTS)
    seed = secrets.randbits(31) if asked.seed is None else asked.seed
    return Simulation(asked.events, asked.event_type, seed, start, end, incidents)


def _wrong(field: str, issue: str) -> BadRequest:
    return BadRequest(f"{field}: {issue}", details={"field": field, "issue": issue})
