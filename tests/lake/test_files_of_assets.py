"""Final files that all sensors of an asset share: one an hour, in which one sensor's rows are skipped to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pyarrow.parquet as pq

from shared.lake.data_files import SHARED_ROW_GROUP_ROWS
from shared.lake.flush import FlushLimits
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.lake.rows import HOUR, SECOND, land
from tests.lake.test_upload import FOLDER, ROWS, flushed_world, land_readings
from tests.lake.world import UPLOAD, World, once

TOGETHER = replace(UPLOAD, together=True)


def finals(world: World) -> list[str]:
    return [path for path in world.paths(READINGS) if not path.startswith("raw/")]


def test_an_assets_hour_is_one_file_sorted_by_sensor_and_time() -> None:
    world = flushed_world()
    world.uploader(TOGETHER).upload(READINGS, closed_only=False)
    assert finals(world) == [f"plant/2025/09/30/{hour}/readings.parquet" for hour in (12, 13, 14)]
    assert once(world.committed(READINGS)) == ROWS
    rows = pq.read_table(BytesIO(world.blobs.get(READINGS.container, finals(world)[0])))
    places = list(zip(rows["sensor_id"].to_pylist(), rows["timestamp"].to_pylist(), strict=True))
    assert places == sorted(places)
    assert {sensor for sensor, _ in places} == {"a", "b"}
    [entry] = [
        row for row in world.lake.table(READINGS).snapshot().files().to_pylist() if row["hour"] == "12"
    ]
    assert (entry["lowest"], entry["highest"]) == ("a", "b")
    assert world.blobs.tiers[READINGS.container, finals(world)[0]] == "Cold"


def test_late_readings_make_a_further_file() -> None:
    world = flushed_world()
    world.uploader(TOGETHER).upload(READINGS, closed_only=True)
    before = dict(world.blobs.content)
    land_readings(world, 26, [("a", 5), ("c", 6)])
    world.flusher().flush(READINGS)
    world.uploader(TOGETHER).upload(READINGS, closed_only=True)
    assert f"{FOLDER}readings-2.parquet" in finals(world)
    assert all(world.blobs.content[name] == data for name, data in before.items())
    assert once(world.committed(READINGS)) == ROWS | {("plant", 0, seq, 0) for seq in (26, 27)}


def test_the_setting_may_change_while_there_is_a_sensor_of_that_name() -> None:
    world = World()
    for first, limits in enumerate((UPLOAD, TOGETHER, UPLOAD)):
        land_readings(world, first * 2, [("readings", first), ("x", first)])
        world.flusher().flush(READINGS)
        world.uploader(limits).upload(READINGS, closed_only=False)
    names = [path.removeprefix(FOLDER) for path in finals(world)]
    assert names == [
        "readings-2.parquet",
        "readings-3.parquet",
        "readings.parquet",
        "x-2.parquet",
        "x.parquet",
    ]
    assert once(world.committed(READINGS)) == {("plant", 0, seq, 0) for seq in range(6)}


def test_row_groups_are_neither_tiny_nor_large() -> None:
    world = World()
    world.clock.now += timedelta(hours=2)
    sensors = [f"s{number:03d}" for number in range(50)]
    count = 2 * SHARED_ROW_GROUP_ROWS + 1000
    given = [(sensors[number % 50], number * HOUR // count) for number in range(count)]
    land_readings(world, 0, given)
    world.flusher(FlushLimits(rows=100_000, bytes=2**30, files=10)).flush(READINGS)
    world.uploader(TOGETHER).upload(READINGS, closed_only=False)
    [path] = finals(world)
    metadata = pq.ParquetFile(BytesIO(world.blobs.get(READINGS.container, path))).metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sum(sizes) == count
    assert len(sizes) <= 6
    column = metadata.schema.names.index("sensor_id")
    bounds = [metadata.row_group(n).column(column).statistics for n in range(metadata.num_row_groups)]
    holding = [one for one in bounds if one.min <= "s025" <= one.max]
    assert 1 <= len(holding) < len(bounds)


def test_files_still_roll_over() -> None:
    world = World()
    for first in range(0, 4000, 1000):
        land_readings(world, first, [(f"s{i % 40:02d}", i * 7919 % 3600 * SECOND) for i in range(1000)])
        world.flusher().flush(READINGS)
    limits = replace(TOGETHER, merge_bytes=20_000, file_bytes=10_000)
    report = world.uploader(limits).upload(READINGS, closed_only=False)
    assert report.files_written == len(finals(world))
    assert once(world.committed(READINGS)) == {("plant", 0, seq, 0) for seq in range(4000)}


def test_events_have_files_as_before() -> None:
    world = World()
    land(world.segments, range(10))
    world.flusher().flush(EVENTS)
    world.uploader(TOGETHER).upload(EVENTS, closed_only=False)
    assert world.paths() == ["transaction/2025/09/30/12/events.parquet"]
    assert once(world.committed()) == {("transaction", 0, seq, 0) for seq in range(10)}
