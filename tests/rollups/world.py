"""Storage in memory with roll-ups over it, and DuckDB, which counts again what was acknowledged."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from shared.lake.cleanup import Cleaner
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Blobs, Follower, Lake, Leases
from shared.lake.schema import row_schema
from shared.lake.segments import SegmentStore, Source, describe
from shared.platform.clock import Clock, utc_now
from shared.rollups.days import CommittedDays
from shared.rollups.reader import Rollups
from shared.rollups.regions import RegionStore
from shared.rollups.table import RollupTable
from shared.streams.events import EVENTS, topic_of
from tests.fakes import MemoryLake
from tests.fakes.seam import Seam, SeamBlobs, SeamLake, SeamLeases
from tests.lake.rows import NOON
from tests.lake.world import CLEANUP, World

START = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
_SUMS = ("sum", "sum_squares")
_FLUSH = FlushLimits(rows=40, bytes=2**30)
_COUNT_AGAIN = """
SELECT moment - ((moment % {width}) + {width}) % {width} AS "window", event_type, {region} AS region,
  count(*) AS "count", count(value) AS "values", fsum(value) AS "sum", min(value) AS "min",
  max(value) AS "max", fsum(value * value) AS "sum_squares"
FROM events GROUP BY ALL
"""


def rollup_table(
    blobs: Blobs, lake: Lake, leases: Leases, regions: int = 100, clock: Clock = utc_now
) -> RollupTable:
    """The roll-ups' table, as a process of its own."""
    store = RegionStore(blobs, regions)
    return RollupTable(blobs, lake, leases, store, lambda: uuid.uuid4().hex, clock)


def reader(blobs: Blobs, lake: Lake, regions: int = 100) -> Rollups:
    """Queries over the roll-ups, as a process of its own."""
    days = CommittedDays(blobs, 2**20)
    return Rollups(SegmentStore(blobs), lake, days, RegionStore(blobs, regions))


def events(
    first: int,
    seconds: Sequence[float],
    *,
    event_type: str = "transaction",
    partition: int = 0,
    regions: Sequence[str | None] = ("north", "south", None),
    values: Sequence[float | None] = (1.5, 20.25, None, -3.0),
) -> pa.RecordBatch:
    """Events one a message, from sequence number `first` on, so many seconds after noon; the rest of each
    follows from its number, so that a redelivery brings the same."""
    numbers = range(first, first + len(seconds))
    columns: dict[str, Sequence[object]] = {
        "event_id": [f"{event_type}-{partition}-{n}" for n in numbers],
        "event_type": [event_type] * len(numbers),
        "timestamp": [NOON + round(s * 1e6) for s in seconds],
        "user_id": [None] * len(numbers),
        "region": [regions[n % len(regions)] for n in numbers],
        "value": [values[n % len(values)] for n in numbers],
        "data": ["{}"] * len(numbers),
        "metadata": [None] * len(numbers),
        "ingestion_time": [NOON + n for n in numbers],
        "_partition": [partition] * len(numbers),
        "_seq": [*numbers],
        "_idx": [0] * len(numbers),
    }
    schema = row_schema(EVENTS)
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


class RollupWorld(World):
    """A lake whose events are rolled up, and everything that was acknowledged in it."""

    def __init__(self, regions: int = 100) -> None:
        super().__init__()
        self.regions = regions
        self.acknowledged: dict[tuple[str, int, int], dict[str, Any]] = {}
        self.rollups = reader(self.blobs, self.lake, regions)

    def land(self, rows: pa.RecordBatch) -> None:
        """Lands rows as one segment, once more or for the first time."""
        first, last = rows["_seq"][0].as_py(), rows["_seq"][-1].as_py()
        source = Source(topic_of(rows["event_type"][0].as_py()), rows["_partition"][0].as_py(), "g1")
        segment = describe(source, rows, EVENTS, first, last)
        asyncio.run(self.segments.write(EVENTS, segment, rows))
        for row in rows.to_pylist():
            self.acknowledged[row["event_type"], row["_partition"], row["_seq"]] = row

    def follower(self, seam: Seam | None = None) -> RollupTable:
        """What rolls up, as a process of its own, behind a seam if one is given."""
        seam = seam or Seam(_nothing)
        lake = SeamLake(MemoryLake(self.lake.logs, self.clock), seam)
        blobs, leases = SeamBlobs(self.blobs, seam), SeamLeases(self.leases, seam)
        return rollup_table(blobs, lake, leases, self.regions, self.clock)

    def flusher(self, limits: FlushLimits = _FLUSH, seam: Seam | None = None) -> Flusher:
        """A flusher that has the roll-ups follow."""
        seam = seam or Seam(_nothing)
        lake = SeamLake(MemoryLake(self.lake.logs, self.clock), seam)
        blobs, leases = SeamBlobs(self.blobs, seam), SeamLeases(self.leases, seam)
        followers: dict[str, Follower] = {EVENTS.name: self.follower(seam)}
        return Flusher(SegmentStore(blobs), blobs, lake, leases, limits, self.clock, followers)

    def end_leases(self) -> None:
        """Those of a holder that was struck, as time does."""
        for name in [*self.leases.held]:
            self.leases.lapse(name)

    def following_cleaner(self) -> Cleaner:
        """A cleaner that knows of the roll-ups."""
        lake = MemoryLake(self.lake.logs, self.clock)
        followers: dict[str, Follower] = {EVENTS.name: self.follower()}
        return Cleaner(
            SegmentStore(self.blobs), self.blobs, lake, self.leases, CLEANUP, self.clock, followers
        )

    def counted_again(self, seconds: int = 60, *, by_region: bool = True) -> list[dict[str, Any]]:
        """What DuckDB makes of everything acknowledged, by window, type and region."""
        return count_again(self.acknowledged.values(), seconds, by_region=by_region)


def count_again(
    rows: Iterable[dict[str, Any]], seconds: int = 60, *, by_region: bool = True
) -> list[dict[str, Any]]:
    """What DuckDB makes of events, by window, type and region."""
    events = pa.Table.from_pylist([*rows], row_schema(EVENTS))
    events = events.append_column("moment", events["timestamp"].cast(pa.int64()))
    region = "region" if by_region else "NULL"
    query = _COUNT_AGAIN.format(region=region, width=seconds * 1_000_000)
    connection = _duckdb()
    connection.register("events", events.drop_columns(["timestamp", "ingestion_time"]))
    found = connection.sql(query).to_arrow_table().to_pylist()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return _ordered([row | {"window": epoch + timedelta(microseconds=row["window"])} for row in found])


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def check(found: pa.Table, wanted: list[dict[str, Any]]) -> None:
    """`found` by minute equals the recount: sums but for the rounding of doubles, all else exactly."""
    got = _ordered([{"window": row.pop("minute"), **row} for row in found.to_pylist()])
    assert [_exact(row) for row in got] == [_exact(row) for row in wanted]
    for name in _SUMS:
        assert [row[name] for row in got] == [_about(row[name]) for row in wanted]


def _about(number: float | None) -> Any:
    return number if number is None else pytest.approx(number, rel=1e-9, abs=1e-9)


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in row if name not in _SUMS}


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["window"], row["event_type"], row["region"] or ""))


def _nothing() -> None:
    pass
