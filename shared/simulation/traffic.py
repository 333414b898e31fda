"""The events of a simulation, chunk by chunk: any chunk can be made first, or again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.simulation.bodies import Bodies, Scene
from shared.simulation.event_texts import Incidence, Made, Metadata
from shared.simulation.incidents import FRAUD_BURST, Incident, planned
from shared.simulation.models import CHUNK, Simulation
from shared.simulation.regions import REGIONS
from shared.simulation.rhythm import rhythm_of
from shared.simulation.sessions import Sessions

if TYPE_CHECKING:
    import numpy as np

    type Numbers = np.ndarray[Any, Any]

_NO_INCIDENT = -1
_USER_TYPES = frozenset({"page_view", "user_action", "transaction"})


@dataclass(frozen=True, slots=True)
class _Places:
    """Of each event of a chunk its time, slot, type and region; the last two are positions."""

    micros: Numbers
    slots: Numbers
    types: Numbers
    regions: Numbers


class Traffic:
    """All events of a simulation, in the order of time. What is kept does not grow with their number."""

    def __init__(self, simulation: Simulation) -> None:
        import numpy as np

        self._simulation = simulation
        self._incidents = planned(simulation)
        self._rhythm = rhythm_of(simulation, self._incidents)
        weights = self._rhythm.weights.reshape(len(self._rhythm.weights), -1)
        by_slot = weights.sum(axis=1)
        chance = np.random.default_rng((simulation.seed, 3))
        self._counts = chance.multinomial(simulation.events, by_slot / by_slot.sum())
        self._ends = np.cumsum(self._counts)
        self._shares = np.cumsum(weights, axis=1)[:, :-1] / by_slot[:, None]
        self._sessions = Sessions(simulation, self._users_events())
        self._metadata = _metadata(simulation, self._incidents)

    def chunk(self, number: int) -> Sequence[Made]:
        """The events of one chunk, of `simulation.chunks`; the last one may be short."""
        import numpy as np

        chance = np.random.default_rng((self._simulation.seed, 4, number))
        first = number * CHUNK
        size = min(CHUNK, self._simulation.events - first)
        places = self._places(first, size, chance)
        incidents = self._at_work(places)
        frauds = self._frauds(places, incidents, chance)
        types, regions = self._simulation.types, places.regions
        scene = Scene(
            micros=places.micros,
            regions=regions,
            busy=self._rhythm.busy[places.slots, regions],
            latency=self._rhythm.latency[places.slots, regions],
            errors=self._rhythm.errors[places.slots, regions],
            frauds=frauds,
        )
        bodies = Bodies(self._sessions, chance)
        data: list[Any] = [None] * size
        labels = [self._metadata[at] for at in incidents.tolist()]
        for at, name in enumerate(types):
            rows = np.flatnonzero(places.types == at)
            for row, body in zip(rows.tolist(), bodies.of(name, scene.only(rows)), strict=True):
                data[row] = body
        stem = f"sim_{self._simulation.name}_"
        ids = [f"{stem}{at}" for at in range(first, first + size)]
        times = np.datetime_as_string(places.micros.astype("datetime64[us]"), unit="us", timezone="UTC")
        names = [types[at] for at in places.types.tolist()]
        return list(map(Made, ids, names, times.tolist(), data, labels))

    def _places(self, first: int, size: int, chance: np.random.Generator) -> _Places:
        import numpy as np

        at = np.arange(first, first + size)
        slots = np.searchsorted(self._ends, at, side="right")
        counts = self._counts[slots]
        # Even within a slot, so that events are in the order of time whatever chunk they are in.
        within = (at - (self._ends[slots] - counts) + chance.random(size)) / counts
        length = self._simulation.micros / len(self._counts)
        offset = np.minimum(((slots + within) * length).astype(np.int64), self._simulation.micros - 1)
        cells = (chance.random(size)[:, None] >= self._shares[slots]).sum(axis=1)
        types, regions = np.divmod(cells, len(REGIONS))
        return _Places(self._simulation.start_micros + offset, slots, types, regions)

    def _at_work(self, places: _Places) -> Numbers:
        """The position of the incident that each event is part of."""
        import numpy as np

        found = np.full(len(places.slots), _NO_INCIDENT)
        for at, incident in enumerate(self._incidents):
            if incident.end <= places.slots[0] or places.slots[-1] < incident.first:
                continue
            touched = [name in incident.effect.types for name in self._simulation.types]
            inside = (places.slots >= incident.first) & (places.slots < incident.end)
            found[inside & (places.regions == incident.region) & np.array(touched)[places.types]] = at
        return found

    def _frauds(self, places: _Places, incidents: Numbers, chance: np.random.Generator) -> Numbers:
        """Which events are frauds; takes the label from a fraud burst's other events."""
        import numpy as np

        bursts = [at for at, one in enumerate(self._incidents) if one.kind == FRAUD_BURST]
        frauds = np.isin(incidents, bursts)
        if frauds.any():
            usual = 1 / self._incidents[bursts[0]].effect.traffic["transaction"]
            honest = frauds & (chance.random(len(frauds)) < usual)
            incidents[honest] = _NO_INCIDENT
            frauds &= ~honest
        return frauds

    def _users_events(self) -> Numbers:
        """About how many events of users each region has."""
        weights = self._rhythm.weights
        users = [at for at, name in enumerate(self._simulation.types) if name in _USER_TYPES]
        return self._simulation.events * weights[:, users].sum(axis=(0, 1)) / weights.sum()  # type: ignore[no-any-return]


def _metadata(simulation: Simulation, incidents: Sequence[Incident]) -> list[Metadata]:
    """The metadata of events that are part of an incident, by its position, and at the end of all others."""
    labels = [Incidence(incident.kind, incident.id) for incident in incidents]
    return [*(Metadata(simulation.name, label) for label in labels), Metadata(simulation.name)]
