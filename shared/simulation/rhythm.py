"""How many events of each type and region come when, and how loaded each region is.

Time is cut into slots (see `incidents.slots_of`). In each slot the types of users' events follow the hour and
the day of the week in their region; latency and errors follow the load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.simulation.incidents import Incident, slots_of
from shared.simulation.models import Simulation
from shared.simulation.regions import REGIONS

if TYPE_CHECKING:
    import numpy as np

    type Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Habit:
    """One type of users' events: its share of all, how far it swings around the mean within a day, at which
    local hour it is highest, and what a day of the weekend has beside a working day."""

    share: float
    swing: float
    peak: float
    weekend: float


HABITS = {
    "page_view": Habit(share=0.46, swing=0.6, peak=20.0, weekend=1.15),
    "user_action": Habit(share=0.27, swing=0.65, peak=15.0, weekend=0.8),
    "transaction": Habit(share=0.1, swing=0.7, peak=19.0, weekend=1.3),
}
# Errors come by the load, metrics all the time; these are their shares at the usual load.
_ERRORS, _METRICS = 0.03, 0.14

_HOUR_MICROS = 3_600_000_000
_THURSDAY = 3  # the first of January 1970, where Monday is 0
_JITTER = 0.05
# Latency in milliseconds with no load at all, and the rate of errors then.
_IDLE_LATENCY, _IDLE_ERRORS = 60.0, 0.002
# The load at which a region is half busy, where 1 is the mean of a week.
_HALF_BUSY = 1.2
_USUAL_ERRORS = _IDLE_ERRORS * (1 + 1 / _HALF_BUSY) ** 2


@dataclass(frozen=True, slots=True)
class Rhythm:
    """By slot: `weights` (slot, type, region) say how events share out; `busy` (0 to 1), `latency` (ms) and
    `errors` (0 to 1) are by slot and region. `types` names the types."""

    types: Sequence[str]
    weights: Numbers
    busy: Numbers
    latency: Numbers
    errors: Numbers


def rhythm_of(simulation: Simulation, incidents: Sequence[Incident]) -> Rhythm:
    """The rhythm of a simulation."""
    import numpy as np

    slots = slots_of(simulation)
    middles = simulation.start_micros + (np.arange(slots) + 0.5) * (simulation.micros / slots)
    chance = np.random.default_rng((simulation.seed, 2))
    jitter = np.exp(chance.normal(0, _JITTER, (slots, len(REGIONS))))
    tried = {name: _curve(habit, middles) * jitter for name, habit in HABITS.items()}
    factors = _factors(incidents, slots)
    for name in tried:
        # An outage keeps people away from the service, not from trying.
        tried[name] *= np.maximum(factors[name], 1.0)
    total = sum(habit.share for habit in HABITS.values())
    load = np.sum([HABITS[name].share / total * curve for name, curve in tried.items()], axis=0)
    busy = load / (load + _HALF_BUSY)
    latency = _IDLE_LATENCY / (1 - busy) * factors["latency"]
    errors = np.minimum(_IDLE_ERRORS / (1 - busy) ** 2 * factors["errors"], 0.95)
    by_type = {
        **{name: HABITS[name].share * tried[name] * np.minimum(factors[name], 1.0) for name in HABITS},
        "error": _ERRORS * load * errors / _USUAL_ERRORS,
        "system_metric": np.full_like(load, _METRICS),
    }
    shares = np.array([region.share for region in REGIONS])
    weights = np.stack([by_type[name] * shares for name in simulation.types], axis=1)
    return Rhythm(simulation.types, weights, busy, latency, errors)


def _curve(habit: Habit, micros: Numbers) -> Numbers:
    """The traffic of a type by time and region, about 1 in the mean of a week."""
    import numpy as np

    ahead = np.array([region.ahead for region in REGIONS])
    hours = micros[:, None] / _HOUR_MICROS + ahead
    around = 2 * np.pi * (hours - habit.peak) / 24
    # The second harmonic makes the evening steep and the night long.
    daily = 1 + habit.swing * np.cos(around) + habit.swing / 6 * np.cos(2 * around)
    weekend = (hours // 24 + _THURSDAY) % 7 >= 5
    week = np.where(weekend, habit.weekend, 1.0) * 7 / (5 + 2 * habit.weekend)
    return daily * week  # type: ignore[no-any-return]


def _factors(incidents: Sequence[Incident], slots: int) -> dict[str, Numbers]:
    """What the incidents multiply, by what it is, slot and region."""
    import numpy as np

    factors = {name: np.ones((slots, len(REGIONS))) for name in (*HABITS, "latency", "errors")}
    for incident in incidents:
        effect = incident.effect
        for name, factor in {**effect.traffic, "latency": effect.latency, "errors": effect.errors}.items():
            factors[name][incident.first : incident.end, incident.region] = factor
    return factors
