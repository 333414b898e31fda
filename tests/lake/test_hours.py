"""Raw files by hour, in portions that fit in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shared.lake.hours import closed_before, raw_files, raw_hours
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS

# A file: bytes, rows, the bounds of its sensor, and of its times.
type File = tuple[int, int, tuple[str, str], tuple[int, int]]


def table_of(stream: StreamDefinition, files: list[File]) -> pa.Table:
    count = len(files)
    columns: dict[str, list[object]] = {
        "path": [f"raw/k/{number:04}.parquet" for number in range(count)],
        "size": [size for size, *_ in files],
        "rows": [rows for _, rows, *_ in files],
        "earliest": [times[0] for *_, times in files],
        "latest": [times[1] for *_, times in files],
        stream.key_column: ["k"] * count,
        "date": ["2025-09-30"] * count,
        "hour": ["12"] * count,
    }
    if stream.file_column is not None:
        columns["lowest"] = [sensors[0] for _, _, sensors, _ in files]
        columns["highest"] = [sensors[1] for _, _, sensors, _ in files]
    return pa.table(columns)


def portions(stream: StreamDefinition, files: list[File], rows: int = 10**9, size: int = 10**9) -> list[int]:
    """How many files each portion has."""
    return [len(hour.files) for hour in raw_hours(stream, table_of(stream, files), rows, size)]


def test_files_that_follow_each_other_are_one_portion_however_many_they_are() -> None:
    files: list[File] = [(13_000, 10, ("", ""), (n * 10, n * 10 + 9)) for n in range(1000)]
    assert portions(EVENTS, files, size=8_000) == [1000]


def test_of_files_that_overlap_so_many_go_together_as_fit() -> None:
    files: list[File] = [(13_000, 10, ("", ""), (n, 100)) for n in range(10)]
    assert portions(EVENTS, files, size=32_000) == [4, 4, 2]
    assert portions(EVENTS, files, size=1) == [1] * 10


def test_sensors_that_follow_each_other_do_not_overlap() -> None:
    files: list[File] = [(13_000, 10, (f"s{n:03}", f"s{n:03}"), (0, 100)) for n in range(100)]
    assert portions(READINGS, files, size=8_000) == [100]
    shared: list[File] = [(13_000, 10, ("s000", "s099"), (0, 100)) for _ in range(4)]
    assert portions(READINGS, shared, size=16_000) == [2, 2]


def test_of_a_large_file_one_row_group_counts() -> None:
    files: list[File] = [(1_012_000, 40_960, ("", ""), (0, 100)) for _ in range(10)]
    assert portions(EVENTS, files, size=10 * 8 * 100_000) == [10]
    assert portions(EVENTS, files, size=5 * 8 * 100_000) == [5, 5]


def test_portions_are_bounded_by_rows() -> None:
    files: list[File] = [(13_000, 10, ("", ""), (n * 10, n * 10 + 9)) for n in range(10)]
    assert portions(EVENTS, files, rows=35) == [3, 3, 3, 1]
    assert portions(EVENTS, files, rows=1) == [1] * 10


SPANS = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair)))


@given(
    st.lists(
        st.tuples(st.integers(12_000, 13_000), st.just(10), st.just(("", "")), SPANS), min_size=1, max_size=30
    ),
    st.integers(1, 200),
    st.integers(1, 3000),
)
def test_every_file_is_in_one_portion_and_none_takes_too_much(
    files: list[File], rows: int, size: int
) -> None:
    found = list(raw_hours(EVENTS, table_of(EVENTS, files), rows, size))
    paths = [file.path for hour in found for file in hour.files]
    assert sorted(paths) == sorted(f"raw/k/{number:04}.parquet" for number in range(len(files)))
    for hour in found:
        assert hour.rows <= rows or len(hour.files) == 1
        for at in range(51):
            here = [
                max(8 * (file.size - 12_000) // 10, 100) * 10
                for file in hour.files
                if file.earliest <= at <= file.latest
            ]
            assert sum(here) <= size or len(here) == 1


def test_hours_close_when_their_end_and_the_grace_have_passed() -> None:
    end = datetime(2025, 9, 30, 13, tzinfo=UTC)
    grace = timedelta(minutes=10)
    table = table_of(EVENTS, [(13_000, 10, ("", ""), (0, 1))])
    for now, count in ((end + grace - timedelta(microseconds=1), 0), (end + grace, 1), (end + 99 * grace, 1)):
        assert raw_files(EVENTS, table, closed_before(now, grace)).num_rows == count


def test_no_hour_of_a_day_is_missing_or_twice_where_clocks_are_put_forth_and_back() -> None:
    """In 2025 on March 30 and October 26, in much of Europe; hours are in UTC."""
    for day in (datetime(2025, 3, 30, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC)):
        closed = []
        for hour in range(24):
            now = day + timedelta(hours=hour + 1)
            table = table_of(EVENTS, [(1, 1, ("", ""), (0, 1))] * 24).set_column(
                6, "date", [[f"{day.date()}"] * 24]
            )
            table = table.set_column(7, "hour", [[str(number) for number in range(24)]])
            closed.append(raw_files(EVENTS, table, closed_before(now, timedelta())).num_rows)
        assert closed == list(range(1, 25))
