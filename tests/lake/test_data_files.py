"""Rows cut into data files: one for each key and hour, sorted, with bounds that hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.lake.data_files import NewFile, cut_files
from shared.lake.statistics import LONGEST_TEXT
from shared.query.wanted import microseconds
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.lake.rows import HOUR, NOON, event_rows, reading_rows

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cut(times: list[int], topic: str = "events.transaction") -> list[NewFile]:
    rows = event_rows([(seq, 0) for seq in range(len(times))], times, topic=topic)
    return list(cut_files(EVENTS, pa.Table.from_batches([rows]), "name"))


def rows_of(file: NewFile) -> pa.Table:
    return pq.read_table(BytesIO(file.content))


@pytest.mark.parametrize(
    ("time", "folder", "date", "hour"),
    [
        (NOON, "2025/09/30/12", "2025-09-30", "12"),
        (0, "1970/01/01/00", "1970-01-01", "0"),
        (-1, "1969/12/31/23", "1969-12-31", "23"),
        (FIRST, "0001/01/01/00", "0001-01-01", "0"),
        (LAST, "9999/12/31/23", "9999-12-31", "23"),
    ],
)
def test_where_a_file_stands(time: int, folder: str, date: str, hour: str) -> None:
    [file] = cut([time])
    assert file.entry.path == f"raw/transaction/{folder}/name.parquet"
    assert file.entry.partition == {"event_type": "transaction", "date": date, "hour": hour}
    assert (file.entry.rows, file.entry.size) == (1, len(file.content))


@given(
    st.lists(
        st.tuples(st.sampled_from(EVENTS.topics), st.integers(NOON - 3 * HOUR, NOON + 3 * HOUR)),
        min_size=1,
        max_size=30,
    )
)
def test_each_row_is_in_the_file_of_its_key_and_hour(rows: list[tuple[str, int]]) -> None:
    table = pa.Table.from_batches(
        [event_rows([(seq, 0)], [time], topic=topic) for seq, (topic, time) in enumerate(rows)]
    )
    files = list(cut_files(EVENTS, table, "name"))
    found: list[dict[str, Any]] = []
    for file in files:
        part = rows_of(file)
        times = part["timestamp"].cast(pa.int64()).to_pylist()
        places = list(zip(times, part["_seq"].to_pylist(), strict=True))
        assert places == sorted(places), "by time, ties in stream order"
        assert set(part["event_type"].to_pylist()) == {file.entry.partition["event_type"]}
        moment = _EPOCH + timedelta(hours=times[0] // HOUR)
        assert {time // HOUR for time in times} == {times[0] // HOUR}
        assert (file.entry.partition["date"], file.entry.partition["hour"]) == (
            f"{moment.date()}",
            f"{moment.hour}",
        )
        assert file.entry.rows == part.num_rows
        found += part.to_pylist()
    paths = [file.entry.path for file in files]
    assert len(set(paths)) == len(paths)
    for row in found:
        assert (row.pop("date"), row.pop("hour")) == (row["timestamp"].date(), row["timestamp"].hour)
    assert sorted(found, key=lambda row: row["_seq"]) == table.to_pylist()


@given(st.lists(st.integers(NOON, NOON + HOUR - 1), min_size=1, max_size=20))
@example([NOON + 999, NOON + 1])
@example([FIRST])
@example([-1])
@example([LAST])
def test_statistics_hold_every_row(times: list[int]) -> None:
    [file] = cut(times)
    statistics = json.loads(file.entry.statistics)
    assert statistics["numRecords"] == len(times)
    lowest, highest = (
        microseconds(datetime.fromisoformat(statistics[bound]["timestamp"]))
        for bound in ("minValues", "maxValues")
    )
    assert lowest <= min(times) < lowest + 1000
    assert highest - 1000 < max(times) <= highest
    assert statistics["nullCount"] == {"timestamp": 0, "ingestion_time": 0}


SENSORS = ["b", "a", "a", "x-2", "b", "c/d", "a"]
TIMES = [NOON + 5, NOON + 4, NOON + 3, NOON + HOUR, NOON + 1, NOON, NOON + HOUR]


def cut_readings(most_files: int, sensors: list[str], times: list[int]) -> list[NewFile]:
    table = pa.Table.from_batches([reading_rows(sensors, times)])
    return list(cut_files(READINGS, table, "name", most_files=most_files))


def contents(file: NewFile) -> list[tuple[str, int]]:
    rows = rows_of(file)
    return list(
        zip(rows["sensor_id"].to_pylist(), rows["timestamp"].cast(pa.int64()).to_pylist(), strict=True)
    )


def test_a_file_holds_one_sensor() -> None:
    found = {file.entry.path: contents(file) for file in cut_readings(5, SENSORS, TIMES)}
    noon, one = "raw/plant/2025/09/30/12/", "raw/plant/2025/09/30/13/"
    assert found == {
        f"{noon}a-name.parquet": [("a", NOON + 3), ("a", NOON + 4)],
        f"{noon}b-name.parquet": [("b", NOON + 1), ("b", NOON + 5)],
        f"{noon}c~2Fd-name.parquet": [("c/d", NOON)],
        f"{one}a-name.parquet": [("a", NOON + HOUR)],
        f"{one}x~2D2-name.parquet": [("x-2", NOON + HOUR)],
    }


def test_sensors_share_a_file_where_there_would_be_too_many() -> None:
    found = {file.entry.path: contents(file) for file in cut_readings(4, SENSORS, TIMES)}
    assert found == {
        "raw/plant/2025/09/30/12/name.parquet": [
            ("a", NOON + 3),
            ("a", NOON + 4),
            ("b", NOON + 1),
            ("b", NOON + 5),
            ("c/d", NOON),
        ],
        "raw/plant/2025/09/30/13/name.parquet": [("a", NOON + HOUR), ("x-2", NOON + HOUR)],
    }


def test_a_sensor_of_a_shared_file_is_found_by_its_row_groups() -> None:
    names = [f"s{number:04}" for number in range(1000) for _ in range(60)]
    [file] = cut_readings(200, names[::-1], [NOON + i % 60 for i in range(len(names))])
    footer = pq.ParquetFile(BytesIO(file.content)).metadata
    column = rows_of(file).schema.names.index("sensor_id")
    spans = [footer.row_group(i).column(column).statistics for i in range(footer.num_row_groups)]
    assert len([span for span in spans if span.min <= "s0500" <= span.max]) == 1
    assert len(spans) == 15


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
@example(["a" * LONGEST_TEXT, "a" * (LONGEST_TEXT + 1), "a" * 2000])
@example(["\U0010ffff" * 2000, "x"])
@example(["a" * (LONGEST_TEXT - 1) + "\ud7ff" + "x", "b"])
@example(["é" * 2000])
def test_bounds_of_the_sensor_are_bounded_and_hold_every_row(sensors: list[str]) -> None:
    [file] = cut_readings(0, sensors, [NOON] * len(sensors))
    statistics = json.loads(file.entry.statistics)
    low, high = (statistics[bound].get("sensor_id") for bound in ("minValues", "maxValues"))
    assert len(low) <= LONGEST_TEXT
    assert low.encode() <= min(sensor.encode() for sensor in sensors)
    if high is None:
        assert max(sensors).startswith("\U0010ffff" * LONGEST_TEXT)
    else:
        assert len(high) <= LONGEST_TEXT
        assert high.encode() >= max(sensor.encode() for sensor in sensors)
    if max(map(len, sensors)) <= LONGEST_TEXT:
        assert (low, high) == (min(sensors), max(sensors))


def test_the_files_name_every_column_themselves() -> None:
    """Readers of plain Parquet need no partition values."""
    [file] = cut([NOON])
    assert rows_of(file).schema.names == [*(column.name for column in EVENTS.columns), "date", "hour"]
