"""Which assets and sensors there are: the same answer wherever their readings stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

import pyarrow as pa
import pytest

from shared.lake.segments import SegmentStore
from shared.query.history import History
from shared.query.inventory import Inventory
from shared.query.wanted import moment_at
from tests.fakes.seam import Seam, SeamBlobs
from tests.place import Place
from tests.query.lake import ReadingLake
from tests.query.test_readings import ASSETS, READINGS, WHEREVER, flushed, landed, message
from tests.query.test_readings import Place as Put

type Line = tuple[str, int, float, float]


def lines(rows: pa.Table, name: str) -> list[Line]:
    """Name, number of readings, first and last time in seconds since noon."""
    return [
        (row[name], row["readings"], row["earliest"] / 1e6, row["latest"] / 1e6) for row in rows.to_pylist()
    ]


def expected(pairs: Iterable[tuple[str, float]]) -> list[Line]:
    """What is to be found for names and times, by name."""
    times: dict[str, list[float]] = defaultdict(list)
    for name, time in pairs:
        times[name].append(time)
    return [(name, len(found), min(found), max(found)) for name, found in sorted(times.items())]


@pytest.fixture
def inventory(reading_lake: ReadingLake) -> Inventory:
    """Of the lake."""
    return Inventory(reading_lake.history, reading_lake.segments)


@pytest.mark.parametrize("put", WHEREVER)
def test_all_that_sent_are_listed(reading_lake: ReadingLake, inventory: Inventory, put: Put) -> None:
    put(reading_lake)
    assets = inventory.assets(None, 1000)
    assert lines(assets, "asset_id") == expected((asset, time.timestamp()) for asset, _, time in READINGS)
    for asset in ASSETS:
        own = [(sensor, time.timestamp()) for one, sensor, time in READINGS if one == asset]
        assert lines(inventory.sensors(asset, None, 1000), "sensor_id") == expected(own)
    assert inventory.sensors("nobody", None, 1000).num_rows == 0


def test_nothing_was_ever_landed(inventory: Inventory) -> None:
    assert inventory.assets(None, 10).num_rows == 0
    assert inventory.sensors("pump", None, 10).num_rows == 0


def test_an_asset_of_many_hours_with_shared_files(reading_lake: ReadingLake, inventory: Inventory) -> None:
    """More of them than are told apart one by one."""
    times = [moment_at(0) + timedelta(hours=number) for number in range(130)]
    bodies = [
        b'{"asset":"a","sensor":"%s","value":1,"ts":%d}' % (sensor, time.timestamp())
        for time in times
        for sensor in (b"one", b"two")
    ]
    reading_lake.land(bodies)
    reading_lake.flush(files=1)
    ends = (130, times[0].timestamp(), times[-1].timestamp())
    assert lines(inventory.sensors("a", None, 10), "sensor_id") == [("one", *ends), ("two", *ends)]
    assert inventory.assets(None, 10).select(["files", "readings"]).to_pylist() == [
        {"files": 130, "readings": 260}
    ]


@pytest.mark.parametrize("put", [landed, flushed])
def test_pages(reading_lake: ReadingLake, inventory: Inventory, put: Put) -> None:
    put(reading_lake)
    found: list[str] = []
    after: str | None = None
    while page := inventory.assets(after, 2)["asset_id"].to_pylist():
        assert len(page) <= 2
        found += page
        after = found[-1]
    assert found == sorted(ASSETS)


def test_times_are_rounded_outwards_wherever_they_stand(
    reading_lake: ReadingLake, inventory: Inventory
) -> None:
    ends = [b'"0001-01-01T00:00:00.000001Z"', b'"9999-12-31T23:59:59.999999Z"', b"-0.0001", b"1.2345"]
    reading_lake.land([b'{"asset":"a","sensor":"s%d","value":1,"ts":%s}' % each for each in enumerate(ends)])
    before = inventory.sensors("a", None, 10)
    reading_lake.flush()
    assert inventory.sensors("a", None, 10).to_pylist() == before.to_pylist()
    assert before.select(["earliest", "latest"]).to_pylist()[2:] == [
        {"earliest": -1000, "latest": 0},
        {"earliest": 1_234_000, "latest": 1_235_000},
    ]


def test_each_segment_is_read_once(place: Place, reading_lake: ReadingLake) -> None:
    seam = Seam(lambda: None)
    segments = SegmentStore(SeamBlobs(place.blobs(), seam))
    inventory = Inventory(History(segments, place.lake(), place.blobs()), segments)
    reading_lake.land([message(0)])
    reading_lake.land([message(1)])
    for _ in range(3):
        inventory.assets(None, 10)
        inventory.sensors("pump", None, 10)
    assert len([call for call in seam.calls if call.startswith("get")]) == 2


def test_what_the_answer_depends_on_is_told(reading_lake: ReadingLake, inventory: Inventory) -> None:
    told: list[tuple[object, ...]] = []
    for step in (lambda: reading_lake.land([message(0)]), reading_lake.flush, lambda: None):
        step()
        inventory.assets(None, 10, lambda *parts: told.append(parts))
    assert told[0] != told[1] == told[2]
