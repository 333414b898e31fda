"""A world for the scan: events that come, a clock, and instances that die and are born."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from shared.anomalies.checkpoints import Checkpoints
from shared.anomalies.detector import SurpriseDetectors
from shared.anomalies.judge import Judge
from shared.anomalies.models import Alarm
from shared.anomalies.ports import Detectors
from shared.anomalies.records import LISTED, anomaly_of
from shared.anomalies.scan import GRACE, AnomalyScan
from shared.anomalies.service import Anomalies
from shared.anomalies.states import BLOCK, DAY, PairState
from shared.anomalies.stories import Stories
from shared.anomalies.turns import Turns
from shared.anomalies.window import Window, minute_of, time_of
from shared.platform.state_tables import ANOMALIES, ANOMALY_CLAIMS
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.clock import ManualClock
from tests.fakes.leases import MemoryLeases
from tests.fakes.seam import Seam, SeamBlobs, SeamLeases, SeamTables
from tests.fakes.tables import MemoryTables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCORE = 10.0
KEPT = timedelta(days=90)

type Key = tuple[datetime, str, str | None]


class MemoryMinutes:
    """Implements shared.anomalies.ports.Minutes over events that a test adds; `reads` are spans asked for."""

    def __init__(self) -> None:
        self.rows: dict[Key, tuple[int, int, float]] = {}
        self.reads: list[tuple[datetime, datetime]] = []

    def add(
        self, when: datetime, count: int, mean: float | None = None, event_type: str = "transaction",
        region: str | None = None,
    ) -> None:  # fmt: skip
        """`count` events within the minute of `when`, all with the value `mean` where that is given."""
        if not count:
            return
        key = (when.replace(second=0, microsecond=0), event_type, region)
        counted, values, total = self.rows.get(key, (0, 0, 0.0))
        more = count if mean is not None else 0
        self.rows[key] = (counted + count, values + more, total + more * (mean or 0.0))

    def count(self, minute: datetime, event_type: str = "transaction", region: str | None = None) -> int:
        """How many events there are within a minute."""
        return self.rows.get((minute, event_type, region), (0, 0, 0.0))[0]

    def minutes(self, start: datetime, end: datetime, event_types: Sequence[str] | None = None) -> pa.Table:
        self.reads.append((start, end))
        rows = [
            (*key, *row)
            for key, row in sorted(self.rows.items(), key=lambda item: item[0][0])
            if start <= key[0] < end and (event_types is None or key[1] in event_types)
        ]
        columns = [*zip(*rows, strict=True)] or [()] * 6
        return pa.table(
            {
                "minute": pa.array(columns[0], pa.timestamp("us", "UTC")),
                "event_type": pa.array(columns[1], pa.string()),
                "region": pa.array(columns[2], pa.string()),
                "count": pa.array(columns[3], pa.int64()),
                "values": pa.array(columns[4], pa.int64()),
                "sum": pa.array(columns[5], pa.float64()),
            }
        )


class Killed(BaseException):
    """Stands for the end of a process."""


def _kill() -> None:
    raise Killed


class World:
    """Storage that stays, and instances of the scan that come and go."""

    def __init__(
        self, detectors: Detectors | None = None, patience: timedelta = timedelta(seconds=90)
    ) -> None:
        """The product's own detectors where none are given."""
        self.patience = patience
        self.detectors = detectors or SurpriseDetectors(SCORE)
        self.clock = ManualClock(NOON)
        self.minutes = MemoryMinutes()
        self.tables = MemoryTables()
        self.blobs = MemoryBlobs(self.clock)
        self.leases = MemoryLeases()

    def instance(self, seam: Seam | None = None) -> AnomalyScan:
        """A new process's scan; with a seam it may be killed at a call of storage."""
        seam = seam or Seam(_kill)
        tables = SeamTables(self.tables, seam)
        return AnomalyScan(
            self.minutes,
            Judge(self.detectors, SCORE),
            Checkpoints(SeamBlobs(self.blobs, seam), self.clock),
            Stories(tables, self.clock, KEPT),
            Turns(tables),
            SeamLeases(self.leases, seam),
            self.clock,
            self.patience,
        )

    def dying(self, at: int, *, after: bool) -> AnomalyScan:
        """An instance that is killed before or after its call number `at` of storage."""
        return self.instance(Seam(_kill, at, after))

    def anomalies(self) -> Anomalies:
        """What is known of those that were found."""
        return Anomalies(self.tables, self.clock)

    def found(self) -> list[str]:
        """The ids of all anomalies, sorted; fails where one is listed twice, or claimed and not listed."""
        listed = [anomaly_of(row).id for row in self.tables.query(ANOMALIES, LISTED)]
        claimed = [str(row.values["anomaly_id"]) for (table, *_), row in self.tables.rows.items()
                   if table == ANOMALY_CLAIMS]  # fmt: skip
        assert sorted(listed) == sorted(claimed)
        assert len({*listed}) == len(listed)
        return sorted(listed)

    def alarms(self) -> list[Alarm]:
        """What one who goes over all closed minutes of the last day at once has to tell."""
        current, closed = minute_of(self.clock()), minute_of(self.clock() - GRACE)
        start = (current - DAY) // BLOCK * BLOCK
        window = Window(self.minutes.minutes(time_of(start), time_of(current)), start, current)
        judge, found = Judge(self.detectors, SCORE), []
        for pair in window.places:
            first = window.first(pair)
            assert first is not None
            _, alarms = judge.advance(pair, PairState(first, first), window, closed, ())
            found += alarms
        return found

    def history(
        self,
        minutes: int,
        count: Callable[[int], int] = lambda place: 10,
        mean: float | None = None,
        *,
        region: str | None = None,
        event_type: str = "transaction",
    ) -> None:
        """Events of the last `minutes` minutes up to the current one, which has none yet."""
        for place in range(minutes):
            when = self.clock() - (minutes - place) * MINUTE
            self.minutes.add(when, count(place), mean, event_type, region)
