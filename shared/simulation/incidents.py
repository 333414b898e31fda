"""What goes wrong now and then in made-up traffic, and what it does to it.

Incidents are laid into the last four fifths of a simulation's span, so that a detector has some past to learn
from, each into a part of its own: two never overlap. They begin and end with slots (see `rhythm.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.simulation.models import Simulation, time_at
from shared.simulation.regions import REGIONS

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

_QUIET_SHARE = 0.2
_MINUTE_MICROS = 60_000_000
_SHORTEST_MINUTES, _LONGEST_MINUTES = 5, 20

FRAUD_BURST = "fraud_burst"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an incident multiplies in its region: events by type, the latency, the rate of errors.

    `types` are those whose events bear its label.
    """

    types: Sequence[str]
    traffic: Mapping[str, float] = field(default_factory=dict)
    latency: float = 1.0
    errors: float = 1.0


_USERS = ("page_view", "user_action", "transaction")
_ALL = (*_USERS, "error", "system_metric")
EFFECTS: Mapping[str, Effect] = {
    # What more load does to latency and errors follows from the load itself.
    "traffic_spike": Effect(_ALL, {"page_view": 8.0, "user_action": 8.0, "transaction": 4.0}),
    # Next to nobody gets through, and those who try see errors.
    "outage": Effect(_ALL, dict.fromkeys(_USERS, 0.03), latency=6.0, errors=15.0),
    "latency_rise": Effect(("page_view", "error", "system_metric"), latency=6.0, errors=3.0),
    # Of the transactions three in four are the fraud, and they alone bear the label.
    FRAUD_BURST: Effect(("transaction",), {"transaction": 4.0}),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; `first` and `end` are slots, the one inclusive, the other exclusive."""

    id: str
    kind: str
    region: int
    first: int
    end: int

    @property
    def effect(self) -> Effect:
        """What it does."""
        return EFFECTS[self.kind]


@dataclass(frozen=True, slots=True)
class IncidentTold:
    """An incident as users see it; `start` is inclusive, `end` exclusive, in UTC."""

    id: str
    kind: str
    region: str
    event_types: Sequence[str]
    start: datetime
    end: datetime


def planned(simulation: Simulation) -> list[Incident]:
    """The incidents of a simulation, in the order of time."""
    import numpy as np

    chance = np.random.default_rng((simulation.seed, 1))
    kinds = [kind for kind, effect in EFFECTS.items() if set(effect.types) & set(simulation.types)]
    slots = slots_of(simulation)
    edges = np.linspace(slots * _QUIET_SHARE, slots, simulation.incidents + 1).astype(int).tolist()
    order = _shuffled(kinds, simulation.incidents, chance)
    longest = _MINUTE_MICROS * slots / simulation.micros
    incidents = []
    for number, kind in enumerate(order):
        first, end = edges[number : number + 2]
        length = chance.uniform(_SHORTEST_MINUTES, _LONGEST_MINUTES) * longest
        length = max(1, min(round(length), (end - first) // 2))
        begin = first + int(chance.integers(0, end - first - length + 1))
        region = int(chance.integers(len(REGIONS)))
        name = f"inc_{simulation.name}_{number + 1}"
        incidents.append(Incident(name, kind, region, begin, begin + length))
    return incidents


def told(simulation: Simulation) -> list[IncidentTold]:
    """The same, for users."""
    length = simulation.micros / slots_of(simulation)

    def time(slot: int) -> datetime:
        return time_at(simulation.start_micros + round(slot * length))

    return [
        IncidentTold(
            incident.id,
            incident.kind,
            REGIONS[incident.region].name,
            [one for one in incident.effect.types if one in simulation.types],
            time(incident.first),
            time(incident.end),
        )
        for incident in planned(simulation)
    ]


def slots_of(simulation: Simulation) -> int:
    """How many slots of equal length the span has: minutes, or a hundred and twenty where that is more."""
    return max(120, -(-simulation.micros // _MINUTE_MICROS))


def _shuffled(kinds: Sequence[str], count: int, chance: np.random.Generator) -> list[str]:
    """`count` kinds: every one comes before any comes again."""
    order: list[str] = []
    while len(order) < count:
        order += [kinds[at] for at in chance.permutation(len(kinds))]
    return order[:count]
