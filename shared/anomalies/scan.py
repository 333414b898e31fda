"""The scan: judges what came since the last one, and tells of anomalies, each once.

The states of all pairs are in memory, and kept as a checkpoint every so often. Detectors are deterministic,
so whoever starts from a checkpoint and goes over the minutes since comes to the same states and the same
alarms, and an alarm that was told is known by its series and minute. A checkpoint is kept only after all that
its states gave rise to is told, and whoever fails at that begins anew from the one before: nothing is missed.

Events that came late are noticed by the number of events of each block; then their pair is judged again from
a checkpoint before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from time import perf_counter

from shared.anomalies.checkpoints import Checkpoints, order
from shared.anomalies.judge import HOUR, METRICS, Judge
from shared.anomalies.models import Alarm, Pair
from shared.anomalies.ports import Minutes
from shared.anomalies.states import BLOCK, DAY, PairState
from shared.anomalies.stories import Stories
from shared.anomalies.turns import Turns
from shared.anomalies.window import Window, minute_of, time_of
from shared.anomalies.withheld import Withheld
from shared.lake.ports import Lease, Leases
from shared.platform.clock import Clock
from shared.platform.logs import get_log
from shared.streams.events import EVENT_TYPES
from shared.telemetry.catalogue import ANOMALY_SCAN_DURATION, ANOMALY_SCAN_FAILURES, ANOMALY_SERIES

LEASE = "anomaly-scan"
# A minute is closed this long after its end; what comes later came late.
GRACE = timedelta(seconds=60)
# Each scan looks back so far for late events, and every so often over the whole day.
_NEAR = 2 * 60
_FAR_EVERY = timedelta(minutes=10)
_CHECKPOINT_EVERY = 15
# What cannot be judged within this time is left to the next scan; what is on time comes first.
_LONGEST = timedelta(seconds=40)
_AT_ONCE = 256
_NEVER = datetime.min.replace(tzinfo=UTC)
_log = get_log("anomalies")


@dataclass(slots=True)
class ScanOutcome:
    """What a scan did: series judged, anomalies told, pairs left to the next scan for want of time."""

    series: int = 0
    told: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan: when it began, the current minute, the first one that is not closed, when it should end."""

    begun: datetime
    current: int
    closed: int
    until: datetime
    lease: Lease
    outcome: ScanOutcome = field(default_factory=ScanOutcome)
    alarms: list[Alarm] = field(default_factory=list)


class AnomalyScan:
    """One for each process, for one thread at a time."""

    def __init__(
        self,
        minutes: Minutes,
        judge: Judge,
        checkpoints: Checkpoints,
        stories: Stories,
        turns: Turns,
        leases: Leases,
        clock: Clock,
        patience: timedelta = timedelta(seconds=90),
    ) -> None:
        """`patience`: how long at most what later events could undo is withheld, see `withheld`."""
        self._minutes = minutes
        self._judge = judge
        self._checkpoints = checkpoints
        self._stories = stories
        self._turns = turns
        self._leases = leases
        self._clock = clock
        self._states: dict[Pair, PairState] | None = None
        self._withheld = Withheld(patience)
        self._kept = -1
        self._looked_far = _NEVER
        # Pairs for which there was no time, now and in the scan before; these come first.
        self._left: set[Pair] = set()
        self._first: set[Pair] = set()

    def run(self) -> ScanOutcome:
        """Scans once. Blocks; raises LeaseHeld where another instance scans, and StorageUnavailable."""
        with self._leases.hold(LEASE, wait_seconds=0) as lease:
            begun = perf_counter()
            try:
                outcome = self._run(lease)
            except BaseException:
                self._states = None  # nobody knows what holds of what was being done
                ANOMALY_SCAN_FAILURES.add(1)
                raise
            ANOMALY_SCAN_DURATION.observe(perf_counter() - begun)
            ANOMALY_SERIES.add(outcome.series)
            return outcome

    def states(self) -> Mapping[Pair, PairState]:
        """What is in memory now; empty before the first scan, and after one that failed."""
        return dict(self._states or {})

    def _run(self, lease: Lease) -> ScanOutcome:
        now = self._clock()
        self._first, self._left = self._left, set()
        scan = _Scan(now, minute_of(now), minute_of(now - GRACE), now + _LONGEST, lease)
        states = self._states
        if states is None or not self._turns.is_ours():
            states = self._load()
        near = self._window(scan, _NEAR, None, states)
        late = near.changed(states)
        on_time = {
            pair: state
            for pair, state in states.items()
            if pair not in late and state.judged_to >= near.start and pair not in self._withheld.pairs
        }
        self._advance(scan, near, on_time)
        others = (near.places.keys() | states.keys()) - on_time.keys()
        types = {pair.event_type for pair in others}
        if now - self._looked_far >= _FAR_EVERY:
            types, self._looked_far = set(EVENT_TYPES), now
        for event_type in sorted(types):
            self._catch_up(scan, event_type)
        self._tell(scan)
        self._tidy_up(scan)
        return scan.outcome

    def _load(self) -> dict[Pair, PairState]:
        self._turns.take()
        self._stories.load()
        self._kept, self._states = self._checkpoints.newest()
        self._looked_far = _NEVER
        self._withheld.clear()
        _log.info("anomaly states loaded", pairs=len(self._states), minute=self._kept)
        return self._states

    def _window(self, scan: _Scan, back: int, event_types: list[str] | None, known: Iterable[Pair]) -> Window:
        start, end = (scan.current - back) // BLOCK * BLOCK, scan.current + 1
        rows = self._minutes.minutes(time_of(start), time_of(end), event_types)
        return Window(rows, start, end, known)

    def _catch_up(self, scan: _Scan, event_type: str) -> None:
        """Judges what is new, what stayed behind, and again what late events came to; and sees whether what
        is withheld is as it was."""
        states = self._held()
        known = {pair: state for pair, state in states.items() if pair.event_type == event_type}
        far = self._window(scan, DAY, [event_type], known)
        late = far.changed(known)
        checkpoints = self._checkpoints.names() if late else []
        behind: dict[Pair, PairState] = {}
        changed: dict[Pair, PairState] = {}
        for pair in far.places:
            state = known.get(pair)
            if state is not None and state.judged_to >= far.start and pair not in late:
                if state.judged_to < scan.closed or pair in self._withheld.pairs:
                    behind[pair] = state
                continue
            before = self._state_before(pair, late[pair], far, checkpoints) if pair in late else None
            first = far.first(pair)
            if before is not None:
                changed[pair] = before
            elif first is not None:
                changed[pair] = PairState(judged_to=first, seen=first)
        self._advance(scan, far, behind)
        self._advance(scan, far, changed, changed=True)

    def _state_before(self, pair: Pair, minute: int, far: Window, checkpoints: list[str]) -> PairState | None:
        """The newest state in `checkpoints` that knew no minute from `minute` on, and of those before it what
        there is now."""
        for checkpoint in checkpoints:
            state = self._checkpoints.state(checkpoint, pair)
            if state and far.start <= state.judged_to <= minute and not far.changed({pair: state}):
                return state
        return None

    def _advance(
        self, scan: _Scan, window: Window, bases: Mapping[Pair, PairState], *, changed: bool = False
    ) -> None:
        """Judges each pair from its state in `bases` on, puts the new states in place, and adds what there is
        to tell. `changed`: new or late events came to the pairs."""
        told = self._stories.open_ones()
        unusual = window.unusual(scan.closed, HOUR)
        ordered = sorted(bases, key=lambda pair: (pair not in self._first, order(pair)))
        for number, pairs in enumerate(batched(ordered, _AT_ONCE, strict=False)):
            if self._clock() >= scan.until:
                self._left.update(ordered[number * _AT_ONCE :])
                return
            for pair in pairs:
                state, alarms = self._judge.advance(pair, bases[pair], window, scan.closed, told)
                if pair in unusual:
                    alarms = [*alarms, *self._judge.ahead(pair, state, window, scan.closed)]
                self._held()[pair] = state
                if changed:
                    scan.alarms.extend(self._withheld.changed(pair, alarms, scan.begun))
                else:
                    scan.alarms.extend([*alarms, *self._withheld.still(pair)])
            scan.outcome.series += len(METRICS) * len(pairs)

    def _tell(self, scan: _Scan) -> None:
        """All regions together first: then what is told of one of them is no news."""
        scan.alarms.sort(key=lambda alarm: (alarm.series.region is not None, alarm.minute, -alarm.score))
        for alarm in scan.alarms:
            scan.lease.check()
            scan.outcome.told += self._stories.tell(alarm)

    def _tidy_up(self, scan: _Scan) -> None:
        """Forgets series that were silent for a day, and keeps a checkpoint when it is time."""
        states = self._held()
        for pair in [pair for pair, state in states.items() if state.seen < scan.current - DAY]:
            del states[pair]
        self._stories.forget()
        scan.outcome.left = len(self._left)
        if self._left:
            self._looked_far = _NEVER
        if states and scan.closed - self._kept >= _CHECKPOINT_EVERY:
            told = {pair: state for pair, state in states.items() if pair not in self._withheld.pairs}
            self._checkpoints.keep(told, scan.closed)
            self._kept = scan.closed

    def _held(self) -> dict[Pair, PairState]:
        assert self._states is not None
        return self._states
