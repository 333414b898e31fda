"""The upload, on fakes: one final file of a sensor's hour, one commit, nothing lost whatever fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.lake.flush import FlushLimits
from shared.lake.segments import Source, describe
from shared.lake.upload import UploadReport
from shared.platform.errors import LeaseHeld, StorageUnavailable
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes.seam import Seam
from tests.lake.rows import HOUR, NOON, SECOND, TOPIC, event_rows, land, reading_rows
from tests.lake.world import UPLOAD, World, once, sweep

FOLDER = "plant/2025/09/30/12/"
_TOPIC = READINGS.topics[0]


class Stopped(Exception):
    """The caller wants no more."""


def fail() -> None:
    raise StorageUnavailable("struck")


def land_readings(world: World, first: int, readings: Sequence[tuple[str, int]]) -> None:
    """A segment of readings of these sensors at these times after noon (µs)."""
    rows = reading_rows([s for s, _ in readings], [NOON + t for _, t in readings], first=first)
    segment = describe(Source(_TOPIC, 0, "g1"), rows, READINGS, first, first + len(readings) - 1)
    asyncio.run(world.segments.write(READINGS, segment, rows))


def flushed_world(files: int = 200) -> World:
    """Three flushes of two sensors and one of the next hour; it is a quarter past two."""
    world = World()
    world.clock.now += timedelta(hours=2, minutes=15)
    flusher = world.flusher(FlushLimits(rows=1000, bytes=2**30, files=files))
    for number in range(3):
        times = [(sensor, (number * 7 + i * 3) % 20 * SECOND) for i in range(4) for sensor in ("b", "a")]
        land_readings(world, number * 8, times)
        flusher.flush(READINGS)
    land_readings(world, 24, [("a", HOUR + 1), ("a", 2 * HOUR + 1)])
    flusher.flush(READINGS)
    return world


ROWS = {("plant", 0, seq, 0) for seq in range(26)}


def table_of(world: World, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(world.blobs.get(READINGS.container, path))).to_pylist()
    return rows


@pytest.mark.parametrize("files", [200, 1], ids=["files of sensors", "shared files"])
def test_an_upload_makes_one_sorted_file_of_a_sensors_hour(files: int) -> None:
    world = flushed_world(files)
    pending = world.uploader().pending(READINGS, closed_only=True)
    told: list[tuple[int, int]] = []
    report = world.uploader().upload(READINGS, closed_only=True, on_progress=lambda *at: told.append(at))
    finals = [path for path in world.paths(READINGS) if not path.startswith("raw/")]
    assert finals == [f"{FOLDER}a.parquet", f"{FOLDER}b.parquet", "plant/2025/09/30/13/a.parquet"]
    assert once(world.committed(READINGS)) == ROWS
    for path, sensor in ((finals[0], "a"), (finals[1], "b")):
        rows = table_of(world, path)
        assert {row["sensor_id"] for row in rows} == {sensor}
        assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
        assert len(rows) == 12
        assert world.blobs.tiers[READINGS.container, path] == "Cold"
    sizes = sum(len(world.blobs.content[READINGS.container, path]) for path in finals)
    assert report == UploadReport(files_merged=pending, files_written=3, rows=25, bytes=sizes)
    assert told == [(pending, pending)]
    [noted] = [c.notes for c in world.lake.logs[READINGS.container].commits if c.notes["kind"] == "upload"]
    assert (noted["rows"], noted["files_merged"], noted["bytes"]) == (25, pending, sizes)


def test_the_open_hour_is_left_until_it_is_closed_or_asked_for() -> None:
    world = flushed_world()
    world.uploader().upload(READINGS, closed_only=True)
    assert world.uploader().pending(READINGS, closed_only=True) == 0
    assert world.uploader().pending(READINGS, closed_only=False) == 1
    assert world.uploader().upload(READINGS, closed_only=True) == UploadReport()
    world.clock.now += timedelta(minutes=54, seconds=59, microseconds=999_999)
    assert world.uploader().pending(READINGS, closed_only=True) == 0
    world.clock.now += timedelta(microseconds=1)
    assert world.uploader().pending(READINGS, closed_only=True) == 1
    assert world.uploader().upload(READINGS, closed_only=False).files_merged == 1
    assert not [path for path in world.paths(READINGS) if path.startswith("raw/")]


def test_late_readings_make_a_further_file_and_rewrite_none() -> None:
    world = flushed_world()
    world.uploader().upload(READINGS, closed_only=True)
    before = dict(world.blobs.content)
    for number in (2, 3):
        land_readings(world, 24 + number, [("a", 5)])
        world.flusher().flush(READINGS)
        world.uploader().upload(READINGS, closed_only=True)
        assert f"{FOLDER}a-{number}.parquet" in world.paths(READINGS)
    assert all(world.blobs.content[name] == data for name, data in before.items())
    assert once(world.committed(READINGS)) == ROWS | {("plant", 0, seq, 0) for seq in (26, 27)}


def test_a_sensor_that_is_called_like_a_further_file() -> None:
    world = World()
    for first in range(2):
        land_readings(world, first * 2, [("x", first), ("x-2", first)])
        world.flusher().flush(READINGS)
        world.uploader().upload(READINGS, closed_only=False)
    names = [path.removeprefix(FOLDER) for path in world.paths(READINGS)]
    assert names == ["x-2.parquet", "x.parquet", "x~2D2-2.parquet", "x~2D2.parquet"]
    assert once(world.committed(READINGS)) == {("plant", 0, seq, 0) for seq in range(4)}


def test_what_a_died_upload_left_is_not_overwritten() -> None:
    world = flushed_world()
    left = b"of an upload that died"
    world.blobs.put_blocking(READINGS.container, f"{FOLDER}a.parquet", left)
    world.uploader().upload(READINGS, closed_only=True)
    assert world.blobs.get(READINGS.container, f"{FOLDER}a.parquet") == left
    assert f"{FOLDER}a-2.parquet" in world.paths(READINGS)
    assert f"{FOLDER}a.parquet" not in world.paths(READINGS)
    assert once(world.committed(READINGS)) == ROWS


def test_events_of_an_hour_are_one_file() -> None:
    world = World()
    for first in range(0, 30, 10):
        land(world.segments, range(first, first + 10))
        world.flusher().flush(EVENTS)
    report = world.uploader().upload(EVENTS, closed_only=False)
    assert world.paths() == ["transaction/2025/09/30/12/events.parquet"]
    assert (report.files_merged, report.files_written, report.rows) == (3, 1, 30)
    assert once(world.committed()) == {("transaction", 0, seq, 0) for seq in range(30)}


def test_a_final_file_rolls_over_with_its_rows_in_order_across_files() -> None:
    world = World()
    for first in range(0, 3000, 1000):
        times = [NOON + (first + i) * 7919 % 3600 * SECOND for i in range(1000)]
        rows = event_rows([(seq, 0) for seq in range(first, first + 1000)], times)
        segment = describe(Source(TOPIC, 0, "g1"), rows, EVENTS, first, first + 999)
        asyncio.run(world.segments.write(EVENTS, segment, rows))
        world.flusher().flush(EVENTS)
    limits = replace(UPLOAD, merge_bytes=2**19, file_bytes=3000)
    report = world.uploader(limits).upload(EVENTS, closed_only=False)
    assert report.files_written > 1
    folder = "transaction/2025/09/30/12/events"
    paths = [f"{folder}.parquet", *(f"{folder}-{n}.parquet" for n in range(2, report.files_written + 1))]
    assert sorted(paths) == world.paths()
    tables = [pq.read_table(BytesIO(world.blobs.get(EVENTS.container, path))) for path in paths]
    times = pa.concat_tables(tables)["timestamp"].to_pylist()
    assert times == sorted(times)
    assert once(world.committed()) == {("transaction", 0, seq, 0) for seq in range(3000)}


@pytest.mark.parametrize(("rows", "files"), [(1, 1000), (25, 1000), (1_000_000, 1), (1_000_000, 3)])
def test_commits_are_bounded(rows: int, files: int) -> None:
    world = flushed_world()
    report = world.uploader(replace(UPLOAD, rows=rows, files=files)).upload(READINGS, closed_only=True)
    assert once(world.committed(READINGS)) == ROWS
    uploads = [c for c in world.lake.logs[READINGS.container].commits if c.notes["kind"] == "upload"]
    assert sum(commit.notes["files_merged"] for commit in uploads) == report.files_merged == 7
    assert len(uploads) == {1: 7, 25: 1}.get(rows, 2)


def test_a_damaged_file_stays_and_the_others_go_on() -> None:
    world = flushed_world()
    [damaged] = [path for path in world.paths(READINGS) if path.startswith("raw/plant/2025/09/30/13/")]
    whole = world.blobs.get(READINGS.container, damaged)
    for content in (whole[:-9], b"", None):
        if content is None:
            del world.blobs.content[READINGS.container, damaged]
        else:
            world.blobs.put_blocking(READINGS.container, damaged, content)
        report = world.uploader().upload(READINGS, closed_only=True)
        assert report.failed == 1
        assert damaged in world.paths(READINGS)
        assert f"{FOLDER}a.parquet" in world.paths(READINGS)
    world.blobs.put_blocking(READINGS.container, damaged, whole)
    assert world.uploader().upload(READINGS, closed_only=True).failed == 0
    assert once(world.committed(READINGS)) == ROWS


@pytest.mark.parametrize("files", [200, 1], ids=["files of sensors", "shared files"])
def test_any_failure_leaves_a_state_that_the_next_upload_finishes(files: int) -> None:
    limits = replace(UPLOAD, rows=24)

    def run(at: int | None, after: bool) -> list[str]:
        world = flushed_world(files)
        seam = Seam(fail, at, after)
        if at is None:
            world.uploader(limits, seam).upload(READINGS, closed_only=True)
        else:
            with pytest.raises(StorageUnavailable, match="struck"):
                world.uploader(limits, seam).upload(READINGS, closed_only=True)
        assert once(world.visible(READINGS)) == ROWS, seam.calls[-1]
        world.leases.held.clear()  # of one that died
        land_readings(world, 26, [("a", 7)])
        world.flusher().flush(READINGS)
        world.uploader(limits).upload(READINGS, closed_only=True)
        assert once(world.committed(READINGS)) == ROWS | {("plant", 0, 26, 0)}, seam.calls[-1]
        raw = [path for path in world.paths(READINGS) if path.startswith("raw/")]
        assert len(raw) == 1, seam.calls[-1]
        return seam.calls

    sweep(run)


def commit_at(world: World) -> int:
    """Which call of an upload is its first commit."""
    plan = Seam(fail)
    world.uploader(seam=plan).upload(READINGS, closed_only=True)
    return next(i for i, call in enumerate(plan.calls) if call.startswith("commit"))


def test_flushes_go_on_while_files_are_merged() -> None:
    world = flushed_world()

    def flush() -> None:
        land_readings(world, 26, [("a", 7)])
        assert world.flusher().flush(READINGS).rows == 1

    plan = Seam(fail)
    flushed_world().uploader(seam=plan).upload(READINGS, closed_only=True)
    for at, call in enumerate(plan.calls):
        if call.startswith(("get", "create")):
            world = flushed_world()
            world.uploader(seam=Seam(flush, at)).upload(READINGS, closed_only=True)
            assert once(world.committed(READINGS)) == ROWS | {("plant", 0, 26, 0)}


def test_an_upload_that_was_overtaken_commits_nothing() -> None:
    """Both its leases lapsed, after the last check, and another uploaded the same files."""
    at = commit_at(flushed_world())
    world = flushed_world()

    def overtake() -> None:
        world.leases.lapse("upload-readings")
        world.leases.lapse("flush-readings")
        world.uploader().upload(READINGS, closed_only=True)

    with pytest.raises(LeaseHeld, match="another writer committed"):
        world.uploader(seam=Seam(overtake, at)).upload(READINGS, closed_only=True)
    assert once(world.committed(READINGS)) == ROWS


@pytest.mark.parametrize("lease", ["upload-readings", "flush-readings"])
def test_a_lost_lease_holds_the_commit_back(lease: str) -> None:
    plan = Seam(fail)
    flushed_world().uploader(seam=plan).upload(READINGS, closed_only=True)
    at = max(i for i, call in enumerate(plan.calls) if call == f"check {lease}")
    world = flushed_world()
    with pytest.raises(LeaseHeld, match="was lost"):
        world.uploader(seam=Seam(lambda: world.leases.lapse(lease), at)).upload(READINGS, closed_only=True)
    assert all(path.startswith("raw/") for path in world.paths(READINGS))
    world.uploader().upload(READINGS, closed_only=True)
    assert once(world.committed(READINGS)) == ROWS


def test_one_upload_at_a_time() -> None:
    world = flushed_world()
    with world.leases.hold("upload-readings", wait_seconds=0), pytest.raises(LeaseHeld):
        world.uploader().upload(READINGS, closed_only=True)


def test_nothing_to_do_takes_no_lease() -> None:
    seam = Seam(fail)
    assert World().uploader(seam=seam).upload(READINGS, closed_only=False) == UploadReport()
    assert [call.split()[0] for call in seam.calls] == ["snapshot"]


def test_the_check_is_heard() -> None:
    world = flushed_world()
    asked = Counter[str]()

    def check() -> None:
        asked["times"] += 1
        if asked["times"] > 3:
            raise Stopped

    with pytest.raises(Stopped):
        world.uploader().upload(READINGS, closed_only=True, check=check)
    world.uploader().upload(READINGS, closed_only=True)
    assert once(world.committed(READINGS)) == ROWS
