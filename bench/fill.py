"""Fills the events table fast: rows made in columns, written and committed by the lake's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.data_files import DataFileWriter, KeyHour, cut_files
from shared.lake.paths import final_path
from shared.lake.ports import DataFile
from shared.lake.schema import row_schema
from shared.lake.segments import Source, describe, encode
from shared.streams.events import EVENT_TYPES, EVENTS, topic_of
from shared.streams.models import LANDING_CONTAINER

# 20,000 events of each type an hour, or 28 a second of all.
ROWS_AN_HOUR = 20_000
_HOUR = timedelta(hours=1)
_HOURS_A_COMMIT = 10
# So many hours' contents are made; then they come again, at other times.
_CONTENTS = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REGIONS = ("us-east", "us-west", "eu-west", "eu-north", "ap-south", "sa-east")
_ACTIONS = ("click", "hover", "share", "close", "scroll")
_USERS = 50_000


class Filler:
    """Adds hours to the table, backwards from a moment."""

    def __init__(self, account: StorageAccount, newest: datetime) -> None:
        """`newest` is the end of the newest closed hour."""
        self._blobs = ObstoreBlobs(account)
        self._table = DeltaLake(account, self._blobs, identity={}).table(EVENTS)
        self._newest = newest
        self._random = np.random.default_rng(1)
        self._contents: list[_Content] = []
        self._files, self._commits = count(), count()
        self.hours = 0

    @property
    def oldest(self) -> datetime:
        """Where the rows begin."""
        return self._newest - self.hours * _HOUR

    def fill(self, rows: int) -> int:
        """Goes on until the closed hours hold at least `rows` rows, as uploads leave them: one final file for
        each type. Returns how many rows they hold."""
        each = ROWS_AN_HOUR * len(EVENT_TYPES)
        while self.hours * each < rows:
            hours = min(_HOURS_A_COMMIT, -(-rows // each) - self.hours)
            places = product(range(self.hours, self.hours + hours), EVENT_TYPES)
            self._commit([self._final_file(event_type, hour) for hour, event_type in places])
            self.hours += hours
        return self.hours * each

    def fill_open_hour(self) -> int:
        """Adds the hour after `newest` as a flush each minute leaves it: sixty raw files for each type.
        Returns how many rows it holds."""
        entries, minute = [], timedelta(minutes=1)
        for number, event_type in product(range(60), EVENT_TYPES):
            content = _Content.make(self._random, ROWS_AN_HOUR // 60)
            rows = content.rows(event_type, self._newest + number * minute, minute)
            [file] = cut_files(EVENTS, pa.Table.from_batches([rows]), f"minute-{number:02d}")
            self._blobs.put_blocking(EVENTS.container, file.entry.path, file.content)
            entries.append(file.entry)
        self._commit(entries)
        return sum(entry.rows for entry in entries)

    def land(self, segments: int, rows: int) -> None:
        """Leaves `segments` landing segments of `rows` rows of the first type, in the second half of the open
        hour."""
        event_type, start = EVENT_TYPES[0], self._newest + _HOUR / 2
        for number in range(segments):
            first = number * rows
            batch = _Content.make(self._random, rows).rows(event_type, start, _HOUR / 2, first)
            source = Source(topic_of(event_type), number % 4, "bench")
            segment = describe(source, batch, EVENTS, first, first + rows - 1)
            self._blobs.put_blocking(LANDING_CONTAINER, segment.name(EVENTS), encode(batch))

    def _final_file(self, event_type: str, hour: int) -> DataFile:
        """Writes the file of the hour `hour` hours before the newest one."""
        number = next(self._files)
        if number < _CONTENTS:
            self._contents.append(_Content.make(self._random, ROWS_AN_HOUR))
        place = KeyHour(event_type, self._newest - (hour + 1) * _HOUR)
        rows = self._contents[number % _CONTENTS].rows(event_type, place.hour, _HOUR, number * ROWS_AN_HOUR)
        writer = DataFileWriter(EVENTS, place)
        writer.write(pa.Table.from_batches([rows]))
        entry = writer.entry(final_path(place.folder, EVENTS.name, 1))
        self._blobs.put_blocking(EVENTS.container, entry.path, writer.content())
        return entry

    def _commit(self, entries: Sequence[DataFile]) -> None:
        self._table.commit(self._table.snapshot(), entries, {"bench/0/filled": next(self._commits)})


@dataclass(frozen=True)
class _Content:
    """What rows hold apart from type, time and number: columns by name. `moments`, of which there is one for
    each row, ascend from 0 to 1."""

    columns: dict[str, pa.Array]
    moments: np.ndarray[Any, Any]

    @classmethod
    def make(cls, random: np.random.Generator, rows: int) -> Self:
        """Ids, users, values, regions and actions by chance: no easier to pack than real ones."""
        users = pc.binary_join_element_wise("user_", _texts(random.integers(0, _USERS, rows)), "")
        regions = pa.array(_REGIONS).take(pa.array(random.integers(0, len(_REGIONS), rows)))
        actions = pa.array(_ACTIONS).take(pa.array(random.integers(0, len(_ACTIONS), rows)))
        values = np.round(random.lognormal(3, 1, rows), 2)
        pieces = ('{"user_id":"', users, '","action":"', actions, '","value":', _texts(values))
        columns = {
            "event_id": _ids(random, rows),
            "user_id": users,
            "region": regions,
            "value": pa.array(values),
            "data": pc.binary_join_element_wise(*pieces, ',"region":"', regions, '"}', ""),
            "metadata": pa.nulls(rows, pa.string()),
            "_partition": pa.array(random.integers(0, 4, rows), pa.int32()),
            "_idx": pa.array(np.zeros(rows, np.int32)),
        }
        return cls(columns, np.sort(random.random(rows)))

    def rows(self, event_type: str, start: datetime, span: timedelta, first: int = 0) -> pa.RecordBatch:
        """The rows, of `event_type`, spread over `span` from `start` and numbered from `first`."""
        count, second = len(self.moments), timedelta(seconds=1)
        times = (start - _EPOCH) // second * 1_000_000 + (self.moments * (span // second * 1_000_000)).astype(
            int
        )
        schema = row_schema(EVENTS)
        own = {
            "event_type": pa.repeat(event_type, count),
            "timestamp": pa.array(times).cast(pa.timestamp("us", "UTC")),
            "ingestion_time": pa.array(times + 250_000).cast(pa.timestamp("us", "UTC")),
            "_seq": pa.array(np.arange(first, first + count)),
        }
        columns = self.columns | own
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _texts(numbers: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _ids(random: np.random.Generator, rows: int) -> pa.Array:
    """`evt_` and 24 hexadecimal digits each, as Floe makes them."""
    digits, starts = random.bytes(12 * rows).hex().encode(), np.arange(0, 24 * rows + 1, 24, dtype=np.int32)
    hexadecimal = pa.StringArray.from_buffers(rows, pa.py_buffer(starts), pa.py_buffer(digits))
    return pc.binary_join_element_wise("evt_", hexadecimal, "")
