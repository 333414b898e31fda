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

from shared.lake.data_files import NewFile, cut_files, path_segment
from shared.query.events import microseconds
from shared.streams.events import EVENTS
from tests.lake.rows import HOUR, NOON, event_rows

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


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        ("transaction", "transaction"),
        ("a b/c%", "a%20b%2Fc%25"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("a..b", "a..b"),
        ("é", "%C3%A9"),
    ],
)
def test_keys_as_path_segments(key: str, segment: str) -> None:
    assert path_segment(key) == segment


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_keys_share_a_path_segment(one: str, other: str) -> None:
    segments = {path_segment(one), path_segment(other)}
    assert len(segments) == len({one, other})
    assert not any("/" in segment or segment in (".", "..") for segment in segments)


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


def test_the_files_name_every_column_themselves() -> None:
    """Readers of plain Parquet need no partition values."""
    [file] = cut([NOON])
    assert rows_of(file).schema.names == [*(column.name for column in EVENTS.columns), "date", "hour"]
