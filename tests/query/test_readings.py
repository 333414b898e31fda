"""What queries find of sensor readings, whatever their names are and wherever they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import product
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.platform.errors import BadRequest
from shared.query.readings import readings_json, readings_wanted
from shared.query.table_formats import as_arrow, as_csv, as_parquet
from tests.query.lake import ReadingLake

NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)
ASSETS = ("pump", "../a'b\"c/😀 %2F", "x" * 1024)
SENSORS = ("temperature", "-- ' or 1=1", "é" * 1024)
# Asset, sensor and time: three hours and a half, each pair of names every nine minutes.
READINGS = [
    (asset, sensor, NOON + timedelta(minutes=number))
    for number, (_, asset, sensor) in enumerate(product(range(24), ASSETS, SENSORS))
]

type Place = Callable[[ReadingLake], None]


def message(number: int) -> bytes:
    asset, sensor, time = READINGS[number]
    reading = {"asset": asset, "sensor": sensor, "timestamp": time.isoformat(), "value": number}
    return json.dumps(reading).encode()


def landed(lake: ReadingLake) -> None:
    for start in range(0, len(READINGS), 36):
        lake.land([message(number) for number in range(start, start + 36)])


def half_flushed(lake: ReadingLake) -> None:
    lake.land([message(number) for number in range(100)])
    lake.flush()
    lake.land([message(number) for number in range(100, len(READINGS))])


def flushed(lake: ReadingLake) -> None:
    landed(lake)
    lake.flush()


def in_shared_files(lake: ReadingLake) -> None:
    lake.land([message(number) for number in range(150)])
    lake.flush(files=0)
    lake.land([message(number) for number in range(150, len(READINGS))])
    lake.flush()


WHEREVER: tuple[Place, ...] = (landed, half_flushed, flushed, in_shared_files)


@pytest.mark.parametrize("put", WHEREVER)
def test_filters_windows_and_order(reading_lake: ReadingLake, put: Place) -> None:
    put(reading_lake)
    hour = timedelta(hours=1)
    cases = [
        *product(ASSETS[:2], (None, SENSORS[1]), (None,), (None,), (True, False), (7,), (0, 20)),
        *product((None,), SENSORS[1:], (NOON + hour,), (NOON + 2 * hour,), (True, False), (5, 1000), (0,)),
        (ASSETS[2], SENSORS[2], None, None, True, 3, 1),
        (ASSETS[2], SENSORS[2], NOON + hour, None, False, 3, 1),
        (ASSETS[0], "Temperature", None, None, True, 3, 0),
        (None, None, NOON, NOON + timedelta(minutes=1), False, 3, 0),
        (None, None, None, NOON, True, 3, 0),
    ]
    for asset, sensor, start, end, newest, limit, offset in cases:
        rows = reading_lake.history.page(
            readings_wanted(asset, sensor, start, end, newest=newest, limit=limit, offset=offset)
        )
        matching = [
            number
            for number, (one, other, time) in enumerate(READINGS)
            if (asset is None or one == asset)
            and (sensor is None or other == sensor)
            and (start is None or time >= start)
            and (end is None or time < end)
        ]
        expected = sorted(matching, reverse=newest)[offset : offset + limit]
        assert rows["value"].to_pylist() == expected, (asset, sensor, start, end, newest, limit, offset)


@pytest.mark.parametrize("newest", [True, False])
def test_pages_do_not_shift_through_flushes(reading_lake: ReadingLake, newest: bool) -> None:
    same_time = b'{"asset":"a","sensor":"s","value":%d,"ts":1759233600}'
    for start in range(0, 20, 5):
        reading_lake.land([same_time % number for number in range(start, start + 5)])
    found: list[float] = []
    while page := reading_lake.history.page(readings_wanted(newest=newest, limit=7, offset=len(found)))[
        "value"
    ].to_pylist():
        found += page
        reading_lake.flush()
    assert found == sorted(range(20), reverse=newest)


@pytest.mark.parametrize("put", [landed, flushed])
def test_rows_that_hold_too_much_are_refused_before_they_are_held(
    reading_lake: ReadingLake, put: Place
) -> None:
    put(reading_lake)
    everything = readings_wanted(limit=1000, most_bytes=10**6)
    assert reading_lake.history.page(everything).num_rows == len(READINGS)
    with pytest.raises(BadRequest, match="more than 100000 bytes") as caught:
        reading_lake.history.page(readings_wanted(limit=1000, most_bytes=10**5))
    assert caught.value.details["field"] == "limit"
    assert reading_lake.history.page(readings_wanted(limit=10, most_bytes=10**5)).num_rows == 10


ODD = [
    b'{"asset":"a","sensor":"s","value":0.1,"ts":"0001-01-01T00:00:00Z"}',
    b'{"asset":"a\\n\\r,;\\"\'\\t","sensor":" ","value":"","unit":"","ts":"9999-12-31T23:59:59.999999Z"}',
    b'{"asset":"NULL","sensor":"NaN","value":"NA","quality":192,"ts":1.5,"x":{"a":"\\u00e9\\n"},"b":[]}',
    b'{"asset":17,"sensor":"1e5","value":true,"unit":"\\u00b0C","ts":1759233600123456}',
    b'{"asset":"=1+1","sensor":"@x","value":123456789012345678,"ts":0}',
    b'{"asset":"a","sensor":"s","value":5e-324}',
    b'{"asset":"a","sensor":"s","value":-1.7976931348623157e308}',
    b'{"asset":"a","sensor":"s","value":null,"quality":"bad"}',
]


@pytest.fixture
def odd_rows(reading_lake: ReadingLake) -> pa.Table:
    """Readings that formats may trip over, half of them flushed."""
    reading_lake.land(ODD[:4])
    reading_lake.flush()
    reading_lake.land(ODD[4:])
    return reading_lake.history.page(readings_wanted())


def test_parquet_and_arrow_hold_the_rows(odd_rows: pa.Table) -> None:
    assert odd_rows.num_rows == len(ODD)
    assert pq.read_table(BytesIO(as_parquet(odd_rows))).equals(odd_rows)
    with pa.ipc.open_stream(as_arrow(odd_rows)) as reader:
        assert reader.read_all().equals(odd_rows)


def test_csv_is_read_back_exactly(odd_rows: pa.Table, tmp_path: Path) -> None:
    file = tmp_path / "readings.csv"
    file.write_bytes(as_csv(odd_rows))
    kinds = {"string": "VARCHAR", "double": "DOUBLE", "int32": "INTEGER", "int64": "BIGINT"}
    columns = {f.name: kinds.get(str(f.type), "TIMESTAMPTZ") for f in odd_rows.schema}
    duckdb.sql("SET TimeZone = 'UTC'")
    found = duckdb.read_csv(
        str(file), header=True, columns=columns, allow_quoted_nulls=False, quotechar='"', escapechar='"'
    )
    assert found.to_arrow_table().cast(odd_rows.schema).to_pylist() == odd_rows.to_pylist()


def test_json_shows_each_column_as_it_is(odd_rows: pa.Table) -> None:
    found = {(r["asset_id"], r["value"]): r for r in map(json.loads, map(bytes, readings_json(odd_rows)))}
    assert found["NULL", None] == {
        "asset_id": "NULL",
        "sensor_id": "NaN",
        "timestamp": "1970-01-01T00:00:01.500000Z",
        "value": None,
        "value_text": "NA",
        "unit": None,
        "quality": "192",
        "attributes": {"x": {"a": "é\n"}, "b": []},
        "ingestion_time": "2025-09-30T12:00:00.002000Z",
    }
    assert found["17", 1.0]["timestamp"] == "2025-09-30T12:00:00.123456Z"
    assert found["a", 5e-324]["value_text"] is None
    assert found["a", 0.1]["timestamp"] == "0001-01-01T00:00:00Z"
    assert ("a", -1.7976931348623157e308) in found
