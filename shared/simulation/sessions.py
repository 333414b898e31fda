"""Who does what when: users' sessions, in which pages are viewed, then something is done, then maybe paid.

Nothing is kept from event to event, so that traffic can be made from any place on. Each region has a number
of lanes, and on each lane session follows session, all equally long, each lane a little ahead of the next. An
event belongs to the lane whose session is about as far as the event's type wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.simulation.models import Simulation
from shared.simulation.regions import REGIONS

if TYPE_CHECKING:
    import numpy as np

    type Numbers = np.ndarray[Any, Any]

# Sessions are longer where little happens, so that something happens in each.
_SHORTEST, _LONGEST = 600_000_000, 2_700_000_000
_EVENTS_A_SESSION = 8
_FEWEST_LANES = 6
_SESSIONS_A_USER = 3
_FEWEST_USERS, _MOST_USERS = 50, 100_000
# How much more of the sessions come from the first users than from the last.
_LOYALTY = 1.6


class Sessions:
    """The sessions of one simulation; `events` tells how many events of users each region has, in all."""

    def __init__(self, simulation: Simulation, events: Numbers) -> None:
        import numpy as np

        self._start = simulation.start_micros
        wanted = simulation.micros * _EVENTS_A_SESSION * _FEWEST_LANES / np.maximum(events, 1)
        self._length = np.minimum(np.clip(wanted, _SHORTEST, _LONGEST), simulation.micros / 3)
        rounds = simulation.micros / self._length
        self._lanes = np.maximum(_FEWEST_LANES, events / (_EVENTS_A_SESSION * rounds)).astype(np.int64)
        users = self._lanes * (rounds + 1) / _SESSIONS_A_USER
        self._users = np.clip(users, _FEWEST_USERS, _MOST_USERS)
        self._salt = np.uint64(simulation.seed)

    def at(self, micros: Numbers, regions: Numbers, wanted: Numbers) -> Sitting:
        """The sessions of events at these times and regions, `wanted` (0 to 1) far on."""
        import numpy as np

        lanes = self._lanes[regions]
        # A session has as many stages as there are lanes, so that at any time each stage has its lane.
        steps = ((micros - self._start) / self._length[regions] * lanes).astype(np.int64)
        stage = (wanted * lanes).astype(np.int64)
        lane = (stage - steps) % lanes
        number = (steps + lane - stage) // lanes
        keys = _mixed(((number * 1_000_003 + lane) * len(REGIONS) + regions).astype(np.uint64) + self._salt)
        users = (self._users[regions] * unit(keys) ** _LOYALTY).astype(np.int64)
        return Sitting(keys, users * len(REGIONS) + regions)


class Sitting:
    """Of each of some events its session and its user, as numbers."""

    def __init__(self, sessions: Numbers, users: Numbers) -> None:
        self.sessions = sessions
        self.users = users

    def session_ids(self) -> list[str]:
        """The sessions' names."""
        return [f"ses_{number:016x}" for number in self.sessions.tolist()]

    def user_ids(self) -> list[str]:
        """The users' names."""
        return [f"user_{number}" for number in self.users.tolist()]

    def trait(self, of: int) -> Numbers:
        """A number between 0 and 1 that stays with a user; `of` names which of many."""
        import numpy as np

        return unit(_mixed(self.users.astype(np.uint64) + np.uint64(of << 40)))


def how_far(event_type: str, chance: Numbers) -> Numbers:
    """How far on a session is at an event of this type; `chance` is even between 0 and 1."""
    first, last, slope = _STAGES[event_type]
    return first + (last - first) * chance**slope


# From when to when in a session, and how much rather at its beginning.
_STAGES: Mapping[str, tuple[float, float, float]] = {
    "page_view": (0.0, 0.85, 1.6),
    "user_action": (0.15, 0.9, 1.0),
    "transaction": (0.85, 0.999, 1.0),
}


def unit(numbers: Numbers) -> Numbers:
    """64 random bits as numbers between 0 (inclusive) and 1 (exclusive)."""
    import numpy as np

    return (numbers >> np.uint64(11)).astype(np.float64) / 2**53


def _mixed(numbers: Numbers) -> Numbers:
    """Each number scattered over 64 bits (the finalizer of SplitMix64)."""
    import numpy as np

    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))  # type: ignore[no-any-return]
