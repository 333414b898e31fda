"""Fills the table of the roll-ups as if many events had been flushed, by the code that flushes use."""

from __future__ import annotations

import uuid
from datetime import datetime

import numpy as np
import pyarrow as pa

from shared.adapters.blob_leases import BlobLeases
from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.platform.clock import utc_now
from shared.rollups.partials import MINUTE, partial_schema
from shared.rollups.regions import RegionStore
from shared.rollups.table import MERGED_AT, RollupTable
from shared.streams.events import EVENT_TYPES
from shared.streams.models import SYSTEM_CONTAINER

EVENTS_AN_HOUR = 100_000
_SOURCE = "bench/0/g"
_MINUTES_A_DAY = 1440


class RollupFiller:
    """Roll-ups of the minutes before a moment."""

    def __init__(self, account: StorageAccount, newest: datetime, regions: int) -> None:
        """Every minute has events of all types from so many regions."""
        blobs = ObstoreBlobs(account)
        leases = BlobLeases(account, SYSTEM_CONTAINER, 15)
        store = RegionStore(blobs, regions)
        lake = DeltaLake(account, blobs, identity={})
        self._table = RollupTable(blobs, lake, leases, store, lambda: uuid.uuid4().hex, utc_now)
        self._newest = int(newest.timestamp() // 60)
        self._regions = regions
        self._random = np.random.default_rng(1)
        self._commits = 0

    def fill(self, events: int) -> int:
        """Rolls up so many events: dates that are over by one commit each, today by many. Returns the number
        of rows."""
        minutes = -(-events * 60 // EVENTS_AN_HOUR)
        rows, start = 0, self._newest - minutes
        today = self._newest // _MINUTES_A_DAY * _MINUTES_A_DAY
        while start < self._newest:
            end = (start // _MINUTES_A_DAY + 1) * _MINUTES_A_DAY
            if start >= today:
                end = min(start + -(-_MINUTES_A_DAY // (MERGED_AT - 1)), self._newest)
            rows += self._commit(start, end)
            start = end
        return rows

    def _commit(self, start: int, end: int) -> int:
        partials = self._partials(np.arange(start, end, dtype=np.int64) * MINUTE)
        before, self._commits = self._commits, self._commits + 1
        reached = {_SOURCE: before - 1}
        self._table.commit(partials, reached, {_SOURCE: before}, lambda: None)
        return int(partials.num_rows)

    def _partials(self, minutes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
        groups = len(EVENT_TYPES) * self._regions
        count = len(minutes) * groups
        types = np.tile(np.repeat(np.arange(len(EVENT_TYPES)), self._regions), len(minutes))
        regions = np.tile(np.tile(np.arange(self._regions), len(EVENT_TYPES)), len(minutes))
        counts = 1 + self._random.poisson(EVENTS_AN_HOUR / 60 / groups, count)
        means = self._random.lognormal(3, 1, count)
        columns = [
            pa.array(np.repeat(minutes, groups)),
            pa.DictionaryArray.from_arrays(types.astype(np.int32), pa.array(EVENT_TYPES)),
            pa.DictionaryArray.from_arrays(
                regions.astype(np.int32), pa.array([f"region-{number}" for number in range(self._regions)])
            ),
            *(pa.array(counts) for _ in range(2)),
            *(pa.array(figures) for figures in (counts * means, means / 2, means * 2, counts * means**2)),
        ]
        names = partial_schema().names
        return pa.Table.from_arrays(columns, names).cast(partial_schema())
