"""What the benchmark of sensors sends, and the stand-in for Event Hubs Capture."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import fastavro
import pytest

from bench.capture import Codec, cut, encoded
from bench.fleet import Fleet, moment_of

DAY = datetime(2026, 1, 31, tzinfo=UTC)
MINUTE = 60_000


def test_every_sensor_sends_as_often_in_order_of_time() -> None:
    messages = list(Fleet(150, 1500, 6, DAY).messages())
    readings = [json.loads(message.value) for message in messages]
    assert len({(one["asset_id"], one["sensor_id"]) for one in readings}) == 150
    assert set(Counter((one["asset_id"], one["sensor_id"]) for one in readings).values()) == {10}
    times = [datetime.fromisoformat(one["timestamp"]) for one in readings]
    assert times == sorted(times)
    assert times[0] == DAY
    assert DAY + timedelta(hours=5) < times[-1] < DAY + timedelta(hours=6)
    assert all(message.key == one["asset_id"] for message, one in zip(messages, readings, strict=True))


def test_every_run_sends_the_same() -> None:
    fleet = Fleet(20, 60, 1, DAY)
    assert list(fleet.messages()) == list(fleet.messages())
    assert fleet.some(3) == fleet.some(3)


def test_an_asset_stays_in_a_partition() -> None:
    partitions = {(one.key, one.partition) for one in Fleet(600, 600, 1, DAY).messages()}
    assert len(partitions) == 6
    assert {partition for _, partition in partitions} == {0, 1, 2, 3}


def test_the_moment_of_a_reading_is_its_timestamp() -> None:
    for message in Fleet(7, 70, 24, DAY).messages():
        told = datetime.fromisoformat(json.loads(message.value)["timestamp"])
        assert moment_of(message.value) == round(told.timestamp() * 1000)


@pytest.mark.parametrize(
    ("moments", "windows"),
    [
        ([], []),
        ([0, 5 * MINUTE - 1], [[0, 5 * MINUTE - 1]]),
        ([0, 5 * MINUTE], [[0], [5 * MINUTE]]),
        ([MINUTE, 61 * MINUTE, 62 * MINUTE], [[MINUTE], [61 * MINUTE, 62 * MINUTE]]),
    ],
)
def test_a_window_is_five_minutes_on_the_clock(moments: list[int], windows: list[list[int]]) -> None:
    found = cut((number, moment, b"{}") for number, moment in enumerate(moments))
    assert [[moment for _, moment, _ in window] for window in found] == windows


def test_a_window_is_full_at_300_megabytes() -> None:
    body = bytes(100 * 2**20)
    assert [len(window) for window in cut((number, 0, body) for number in range(4))] == [3, 1]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_files_have_the_documented_schema(codec: Codec) -> None:
    moment = round(datetime(2026, 1, 31, 13, 5, 7, tzinfo=UTC).timestamp() * 1000)
    reader = fastavro.reader(io.BytesIO(encoded([(41, moment, b'{"a":1}'), (42, moment, b"x")], codec)))
    assert reader.codec == codec
    records = list(reader)
    assert records[0] == {
        "SequenceNumber": 41,
        "Offset": "41",
        "EnqueuedTimeUtc": "1/31/2026 1:05:07 PM",
        "SystemProperties": {},
        "Properties": {},
        "Body": b'{"a":1}',
    }
    assert [one["Body"] for one in records if isinstance(one, dict)] == [b'{"a":1}', b"x"]
