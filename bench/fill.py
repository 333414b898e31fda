"""Fills the events table fast: rows made in columns, cut and committed by the lake's own code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.data_files import cut_files
from shared.lake.schema import row_schema
from shared.lake.segments import Source, describe, encode
from shared.streams.events import EVENT_TYPES, EVENTS, topic_of
from shared.streams.models import LANDING_CONTAINER

# 20,000 events of each type an hour, or 28 a second of all.
ROWS_AN_HOUR = 20_000
_HOURS_A_COMMIT = 10
_MICROSECONDS_AN_HOUR = 3_600_000_000


class Filler:
    """Adds hours to the table, backwards from a moment."""

    def __init__(self, account: StorageAccount, newest: datetime) -> None:
        """`newest` is the end of the newest hour."""
        self._blobs = ObstoreBlobs(account)
        self._table = DeltaLake(account, self._blobs, identity={}).table(EVENTS)
        self._newest = newest
        self.hours = 0

    @property
    def oldest(self) -> datetime:
        """Where the rows begin."""
        return self._newest - timedelta(hours=self.hours)

    def fill(self, rows: int) -> int:
        """Goes on until the table holds at least `rows` rows; returns how many it holds."""
        each = ROWS_AN_HOUR * len(EVENT_TYPES)
        while self.hours * each < rows:
            hours = min(_HOURS_A_COMMIT, -(-rows // each) - self.hours)
            self._commit(range(self.hours, self.hours + hours))
            self.hours += hours
        return self.hours * each

    def _commit(self, hours: range) -> None:
        entries = []
        for hour in hours:
            start = self._newest - timedelta(hours=hour + 1)
            table = pa.Table.from_batches(list(_hour(start, hour)))
            for file in cut_files(EVENTS, table, f"filled-{hour:06d}"):
                self._blobs.put_blocking(EVENTS.container, file.entry.path, file.content)
                entries.append(file.entry)
        self._table.commit(self._table.snapshot(), entries, {"bench/0/filled": hours[-1]})

    def land(self, segments: int, rows: int) -> None:
        """Leaves `segments` landing segments of `rows` rows of the first type in the newest half hour."""
        event_type = EVENT_TYPES[0]
        start = self._newest - timedelta(minutes=30)
        for number in range(segments):
            batch = _rows(event_type, start, 1800 * 1_000_000, rows, 10_000_000 + number * rows)
            first = number * rows
            source = Source(topic_of(event_type), number % 4, "bench")
            segment = describe(source, batch, EVENTS, first, first + rows - 1)
            self._blobs.put_blocking(LANDING_CONTAINER, segment.name(EVENTS), encode(batch))


def _hour(start: datetime, hour: int) -> Iterator[pa.RecordBatch]:
    for event_type in EVENT_TYPES:
        yield _rows(event_type, start, _MICROSECONDS_AN_HOUR, ROWS_AN_HOUR, hour * ROWS_AN_HOUR)


def _rows(event_type: str, start: datetime, span: int, count: int, first: int) -> pa.RecordBatch:
    """`count` rows spread evenly over `span` microseconds from `start`, numbered from `first`."""
    numbers = np.arange(first, first + count)
    micros = int((start - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    times = pa.array(micros + np.arange(count) * span // count).cast(pa.timestamp("us", "UTC"))
    texts = pa.array(numbers).cast(pa.string())
    users = pc.binary_join_element_wise("user_", pa.array(numbers % 997).cast(pa.string()), "")
    values = pa.array(numbers % 100)
    data = pc.binary_join_element_wise(
        '{"user_id":"',
        users,
        '","action":"click","value":',
        values.cast(pa.string()),
        ',"region":"us-east"}',
        "",
    )
    columns = [
        pc.binary_join_element_wise(event_type, texts, "-"),
        pa.repeat(event_type, count),
        times,
        users,
        pa.repeat("us-east", count),
        values.cast(pa.float64()),
        data,
        pa.nulls(count, pa.string()),
        times,
        pa.array(numbers % 4, pa.int32()),
        pa.array(numbers),
        pa.array(np.zeros(count, np.int32)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=row_schema(EVENTS))
