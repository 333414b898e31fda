"""Many series in memory, for the anomaly scan: what it costs apart from storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from shared.anomalies.checkpoints import Checkpoints
from shared.anomalies.detector import SurpriseDetectors
from shared.anomalies.judge import Judge
from shared.anomalies.scan import AnomalyScan
from shared.anomalies.stories import Stories
from shared.anomalies.turns import Turns
from shared.lake.ports import BlobGone, BlobInfo
from shared.lake.schema import row_schema
from shared.platform.tables import NO_FILTER, Row, RowExists, RowGone
from shared.rollups.partials import between, merged
from shared.streams.events import EVENT_TYPES
from shared.streams.rollups import ROLLUPS

_SCORE = 10.0
_MEAN_EVENTS = 20


class Clock:
    """Stands until it is moved."""

    now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class NoisyMinutes:
    """Implements shared.anomalies.ports.Minutes: each type has `regions`, each of which something every
    minute."""

    def __init__(self, regions: int) -> None:
        self._names = [f"region-{number:04}" for number in range(regions)]
        self._chance = np.random.default_rng(1)
        self._table: pa.Table = row_schema(ROLLUPS).empty_table()

    def add(self, minute: datetime) -> None:
        """What came within `minute`."""
        size = len(EVENT_TYPES) * len(self._names)
        counts = 1 + self._chance.poisson(_MEAN_EVENTS, size)
        sums = counts * self._chance.normal(100.0, 5.0, size)
        columns = {
            "minute": pa.repeat(pa.scalar(minute, pa.timestamp("us", "UTC")), size),
            "event_type": np.repeat(EVENT_TYPES, len(self._names)),
            "region": self._names * len(EVENT_TYPES),
            "count": counts,
            "values": counts,
            "sum": sums,
            "min": sums,
            "max": sums,
            "sum_squares": sums,
        }
        part = pa.table(columns).cast(row_schema(ROLLUPS))
        self._table = pa.concat_tables([self._table, part]).combine_chunks()

    def minutes(self, start: datetime, end: datetime, event_types: Sequence[str] | None = None) -> pa.Table:
        """See the port; what the reader of roll-ups does once it has their files."""
        wanted = between(self._table, start, end)
        if event_types is not None:
            wanted = wanted.filter(pa.compute.is_in(wanted["event_type"], pa.array(event_types)))
        return merged([wanted])


class Blobs:
    """As much of shared.lake.ports.Blobs as checkpoints need."""

    def __init__(self, clock: Clock) -> None:
        self.content: dict[str, bytes] = {}
        self._clock = clock

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        self.content[name] = data

    def get(self, container: str, name: str) -> bytes:
        if name not in self.content:
            raise BlobGone(name)
        return self.content[name]

    def list(self, container: str, prefix: str) -> list[BlobInfo]:
        return [BlobInfo(name, len(data), self._clock()) for name, data in sorted(self.content.items())]

    def delete(self, container: str, names: Sequence[str]) -> None:
        for name in names:
            self.content.pop(name, None)


class Rows:
    """As much of shared.platform.tables.Tables as a scan needs."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Row] = {}

    def get(self, table: str, partition: str, key: str) -> Row:
        if (table, partition, key) not in self._rows:
            raise RowGone(table)
        return self._rows[table, partition, key]

    def insert(self, table: str, row: Row) -> Row:
        if (table, row.partition, row.key) in self._rows:
            raise RowExists(table)
        return self.replace(table, row)

    def replace(self, table: str, row: Row) -> Row:
        self._rows[table, row.partition, row.key] = row
        return row

    def query(
        self,
        table: str,
        partition: str,
        *,
        after: str = "",
        before: str = "",
        where: Mapping[str, Any] = NO_FILTER,
        limit: int = 1000,
    ) -> list[Row]:
        found = [row for (name, *_), row in sorted(self._rows.items()) if name == table]
        kept = [row for row in found if row.partition == partition and row.key > after]
        return [row for row in kept if not before or row.key < before][:limit]


class _Lease:
    def check(self) -> None:
        """Nobody else is there."""


class _Leases:
    @contextmanager
    def hold(self, name: str, *, wait_seconds: float) -> Iterator[_Lease]:
        yield _Lease()


class World:
    """Instances of the scan over one storage, and time."""

    def __init__(self, regions: int) -> None:
        self.clock = Clock()
        self.minutes = NoisyMinutes(regions)
        self.blobs: Any = Blobs(self.clock)
        self._rows: Any = Rows()

    def instance(self) -> AnomalyScan:
        """A new process's scan."""
        stories = Stories(self._rows, self.clock, timedelta(days=90))
        return AnomalyScan(
            self.minutes,
            Judge(SurpriseDetectors(_SCORE), _SCORE),
            Checkpoints(self.blobs, self.clock),
            stories,
            Turns(self._rows),
            _Leases(),
            self.clock,
        )

    def pass_minutes(self, count: int) -> None:
        """Lets time pass, and events come."""
        for _ in range(count):
            self.minutes.add(self.clock.now)
            self.clock.now += timedelta(minutes=1)
