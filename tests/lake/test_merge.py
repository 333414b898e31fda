"""Rows of raw files in the order of final ones, whatever the files hold and however little fits in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.lake.data_files import RAW_ROW_GROUP_ROWS, KeyHour, cut_files
from shared.lake.merge import Merger
from shared.lake.raw_files import RawFile, RawReader
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes import MemoryBlobs
from tests.lake.rows import HOUR, NOON, event_rows, reading_rows

HERE = datetime(2025, 9, 30, 12, tzinfo=UTC)


def nothing() -> None:
    pass


class Files:
    """Raw files in memory, and how they are merged."""

    def __init__(self, stream: StreamDefinition) -> None:
        self.stream = stream
        self.blobs = MemoryBlobs()
        self.files: list[RawFile] = []

    def flush(self, rows: pa.RecordBatch, most_files: int = 200) -> None:
        """Writes the files that a flush makes of `rows`."""
        name = f"flush-{len(self.files):04}"
        for file in cut_files(self.stream, pa.Table.from_batches([rows]), name, most_files=most_files):
            self.blobs.put_blocking(self.stream.container, file.entry.path, file.content)
            times = rows[self.stream.time_column].cast(pa.int64()).to_pylist()
            self.files.append(
                RawFile(file.entry.path, file.entry.size, file.entry.rows, min(times), max(times))
            )

    def merged(self, limit: int) -> list[tuple[str | None, pa.Table]]:
        """What comes out."""
        key = "plant" if self.stream is READINGS else "transaction"
        merger = Merger(self.stream, RawReader(self.stream, self.blobs), nothing, limit)
        return list(merger.ordered(KeyHour(key, HERE), self.files))


def rows_in(parts: Sequence[tuple[str | None, pa.Table]]) -> list[tuple[Any, int, int]]:
    return [
        (value, time, seq)
        for value, table in parts
        for time, seq in zip(
            table.column(table.schema.get_field_index("timestamp")).cast(pa.int64()).to_pylist(),
            table["_seq"].to_pylist(),
            strict=True,
        )
    ]


FLUSHES = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.sampled_from(["a", "b", "b/1", "é", "z" * 40]), st.integers(0, HOUR - 1)),
            min_size=1,
            max_size=30,
        ),
        st.sampled_from([0, 200]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=20)
@given(FLUSHES, st.sampled_from([1, 300, 2000, 2**30]))
@example([([("a", 5)] * 30, 0), ([("a", 5), ("b", 5)] * 20, 0)], 1)
@example([([("a", HOUR - 1), ("b", 0)], 200)], 1)
def test_readings_come_sensor_by_sensor_in_order_of_time(
    flushes: list[tuple[list[tuple[str, int]], int]], limit: int
) -> None:
    files, expected, first = Files(READINGS), [], 0
    for readings, most_files in flushes:
        sensors, times = [s for s, _ in readings], [NOON + t for _, t in readings]
        files.flush(reading_rows(sensors, times, first=first), most_files)
        expected += [(s, t, first + i) for i, (s, t) in enumerate(zip(sensors, times, strict=True))]
        first += len(readings)
    found = rows_in(files.merged(limit))
    assert sorted(found) == sorted(expected)
    assert [(value, time) for value, time, _ in found] == sorted((value, time) for value, time, _ in expected)


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(0, HOUR - 1), min_size=1, max_size=50), min_size=1, max_size=6))
@example([[7] * 50, [7] * 50, [8]])
def test_events_come_in_order_of_time(flushes: list[list[int]]) -> None:
    for limit in (1, 2000, 2**30):
        files, expected, first = Files(EVENTS), [], 0
        for offsets in flushes:
            places = [(seq, 0) for seq in range(first, first + len(offsets))]
            times = [NOON + offset for offset in offsets]
            files.flush(event_rows(places, times))
            expected += [(None, time, seq) for time, (seq, _) in zip(times, places, strict=True)]
            first += len(offsets)
        found = rows_in(files.merged(limit))
        assert sorted(found, key=lambda row: row[1:]) == sorted(expected, key=lambda row: row[1:])
        assert [time for _, time, _ in found] == sorted(time for _, time, _ in expected)


def test_a_piece_has_a_bounded_size() -> None:
    """Flushes that all cover the whole hour, and one time at which most rows stand: a piece, and of each file
    a row group."""
    files, count, flushes = Files(EVENTS), 3 * RAW_ROW_GROUP_ROWS, 3
    for number in range(flushes):
        times = [NOON + (i * 7919 * 1000) % HOUR if i % 2 else NOON + HOUR // 3 for i in range(count)]
        files.flush(event_rows([(number * count + i, 0) for i in range(count)], times))
    group = pa.Table.from_batches([event_rows([(i, 0) for i in range(RAW_ROW_GROUP_ROWS)])]).nbytes
    parts = files.merged(group)
    assert sum(table.num_rows for _, table in parts) == flushes * count
    assert max(table.nbytes for _, table in parts) <= 1.2 * (flushes + 1) * group
    assert len(parts) <= 2 * flushes * 3


def test_a_large_file_is_read_by_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row group by row group, and not what is not asked for."""
    monkeypatch.setattr("shared.lake.raw_files._WHOLE", 1000)
    files = Files(READINGS)
    sensors = [f"s{i // 240:04}" for i in range(240_000)]
    files.flush(reading_rows(sensors, [NOON + i * 7919**3 % HOUR for i in range(240_000)]), most_files=0)
    fetched: list[int] = []
    get_range = files.blobs.get_range

    def counted(container: str, name: str, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return get_range(container, name, start, end)

    monkeypatch.setattr(files.blobs, "get_range", counted)
    [file] = files.files
    reader = RawReader(READINGS, files.blobs)
    groups = reader.row_groups(file)
    assert next(groups).num_rows == RAW_ROW_GROUP_ROWS
    assert sum(fetched) < file.size / 2
    assert RAW_ROW_GROUP_ROWS + sum(group.num_rows for group in groups) == 240_000
    assert sum(fetched) < 1.5 * file.size
    fetched.clear()
    assert len(reader.values(file)) == 1000
    assert sum(fetched) < file.size / 2


def test_a_run_is_in_memory_only_while_the_merge_passes_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one minute each: the next is opened when the one before is at its end."""
    files = Files(EVENTS)
    for number in range(10):
        times = [NOON + number * HOUR // 60 + i for i in range(100)]
        files.flush(event_rows([(number * 100 + i, 0) for i in range(100)], times))
    opened: list[str] = []
    read = RawReader.row_groups

    def noted(self: RawReader, file: RawFile) -> Iterator[pa.Table]:
        opened.append(file.path)
        return read(self, file)

    monkeypatch.setattr(RawReader, "row_groups", noted)
    merger = Merger(EVENTS, RawReader(EVENTS, files.blobs), nothing, 1)
    ordered = merger.ordered(KeyHour("transaction", HERE), files.files)
    for number in range(10):
        next(ordered)
        assert opened == [file.path for file in files.files[: number + 1]]


def test_what_check_raises_ends_the_work() -> None:
    files = Files(EVENTS)
    for number in range(20):
        files.flush(event_rows([(number, 0)]))

    def stop() -> None:
        raise KeyboardInterrupt

    merger = Merger(EVENTS, RawReader(EVENTS, files.blobs), stop)
    with pytest.raises(KeyboardInterrupt):
        list(merger.ordered(KeyHour("transaction", HERE), files.files))
