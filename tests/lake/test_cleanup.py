"""The clean-up, on fakes: what nobody needs goes, what the table names stays, whatever fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared.lake.cleanup import CleanupReport
from shared.lake.ports import REMOVALS, CommitConflict, RemovedFile
from shared.platform.errors import LeaseHeld, StorageUnavailable
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes.seam import Seam
from tests.lake.rows import HOUR, land
from tests.lake.test_upload import ROWS, fail, flushed_world, land_readings
from tests.lake.world import CLEANUP, World, once, sweep

HERE = READINGS.container
ORPHANS = ("raw/plant/2025/09/30/12/a-left.parquet", "plant/2025/09/30/12/a-9.parquet")
DAY = timedelta(days=1)


def uploaded_world() -> World:
    """Merged hours, an open one, and what a flush and an upload left that died."""
    world = flushed_world()
    world.uploader().upload(READINGS, closed_only=True)
    for name in ORPHANS:
        world.blobs.put_blocking(HERE, name, b"left")
    return world


def clean(world: World) -> CleanupReport:
    return world.cleaner().clean(READINGS)


def test_merged_files_stay_for_readers_and_then_go() -> None:
    world = uploaded_world()
    raw = [name for name in world.stored(READINGS) if name not in (*world.paths(READINGS), *ORPHANS)]
    sizes = sum(len(world.blobs.content[HERE, name]) for name in raw)
    assert len(raw) == 7
    world.clock.now += timedelta(hours=1) - timedelta(microseconds=1)
    assert clean(world) == CleanupReport()
    world.clock.now += timedelta(microseconds=1)
    assert clean(world) == CleanupReport(files_deleted=7, bytes_freed=sizes)
    assert not set(raw) & set(world.stored(READINGS))
    assert clean(world) == CleanupReport()
    assert once(world.committed(READINGS)) == ROWS


def test_what_no_version_names_goes_after_a_day() -> None:
    world = uploaded_world()
    clean(world)
    world.clock.now += DAY
    clean(world)
    assert set(ORPHANS) <= set(world.stored(READINGS))
    world.clock.now += DAY
    assert clean(world).files_deleted == len(ORPHANS)
    assert world.stored(READINGS) == world.paths(READINGS)
    assert once(world.committed(READINGS)) == ROWS


def test_storage_is_searched_once_a_day() -> None:
    world = uploaded_world()
    world.clock.now += 2 * DAY
    clean(world)
    seam = Seam(fail)
    world.clock.now += DAY - timedelta(seconds=1)
    world.cleaner(seam=seam).clean(READINGS)
    assert f"list {HERE}/" not in seam.calls
    world.clock.now += timedelta(seconds=1)
    world.cleaner(seam=seam).clean(READINGS)
    assert f"list {HERE}/" in seam.calls


def test_a_clean_up_is_due_while_there_may_be_something_to_do() -> None:
    world = uploaded_world()
    clean(world)
    assert world.cleaner().due(READINGS)  # what was merged just now stays for an hour
    world.clock.now += timedelta(hours=1)
    clean(world)
    assert not world.cleaner().due(READINGS)
    world.clock.now += DAY
    assert world.cleaner().due(READINGS)
    clean(world)
    world.clock.now += timedelta(hours=1)
    clean(world)  # the search's own commit, which moved the fence
    assert not world.cleaner().due(READINGS)
    assert not world.cleaner().due(EVENTS)


def test_what_was_deleted_is_counted_even_when_the_work_breaks_off() -> None:
    world = uploaded_world()
    world.clock.now += timedelta(hours=1)
    report = CleanupReport()
    names = Seam(fail)
    probe = uploaded_world()
    probe.clock.now += timedelta(hours=1)
    probe.cleaner(seam=names).clean(READINGS)
    deleted = next(at for at, call in enumerate(names.calls) if call == f"delete 7 in {HERE}")
    with pytest.raises(StorageUnavailable):
        world.cleaner(seam=Seam(fail, deleted + 1)).clean(READINGS, report=report)
    assert report.files_deleted == 7


def test_a_clock_that_jumped_ahead_and_back_does_not_stop_the_search() -> None:
    world = uploaded_world()
    world.clock.now += 400 * DAY
    clean(world)
    world.clock.now -= 399 * DAY
    world.blobs.put_blocking(HERE, ORPHANS[0], b"left")
    world.clock.now += 2 * DAY
    assert clean(world).files_deleted == 1
    assert once(world.committed(READINGS)) == ROWS


def test_an_upload_that_died_long_ago_commits_nothing_after_its_files_are_gone() -> None:
    """It lost its leases, and wakes up with files prepared that were deleted meanwhile."""
    world = uploaded_world()
    table = world.lake.table(READINGS)
    old = table.snapshot()
    file = old.files().to_pylist()[0]
    world.clock.now += 2 * DAY
    clean(world)
    removed = RemovedFile(file["path"], file["size"], {k: file[k] for k in READINGS.partition_columns})
    with pytest.raises(CommitConflict):
        table.commit(old, (), {}, removed=[removed], rearranged=True)


def test_files_removed_a_moment_ago_are_no_orphans() -> None:
    """However old they are themselves."""
    world = flushed_world()
    world.clock.now += 3 * DAY
    world.uploader().upload(READINGS, closed_only=True)
    before = world.stored(READINGS)
    assert clean(world) == CleanupReport()
    assert world.stored(READINGS) == before


def test_segments_that_are_committed_go() -> None:
    world = World()
    land(world.segments, range(10))
    [left] = world.segments.list(EVENTS)
    content = world.blobs.get("landing", left.name(EVENTS))
    world.flusher().flush(EVENTS)
    world.blobs.put_blocking("landing", left.name(EVENTS), content)
    land(world.segments, range(5, 20))
    report = world.cleaner().clean(EVENTS)
    assert report == CleanupReport(files_deleted=1, bytes_freed=len(content))
    assert once(world.visible()) == {("transaction", 0, seq, 0) for seq in range(20)}


def test_whole_dates_past_their_retention_go() -> None:
    world = flushed_world()
    land_readings(world, 26, [("a", -13 * HOUR), ("b", -13 * HOUR), ("a", -40 * HOUR)])
    world.flusher().flush(READINGS)
    world.uploader().upload(READINGS, closed_only=True)
    limits = replace(CLEANUP, retention={"readings": DAY, "events": timedelta(0)})
    assert world.cleaner(limits).clean(READINGS) == CleanupReport(partitions_dropped=1)
    world.clock.now += timedelta(hours=10)  # the next day
    report = world.cleaner(limits).clean(READINGS)
    assert (report.partitions_dropped, report.files_deleted) == (1, 7 + 3 + 1)
    world.clock.now += timedelta(hours=1)
    assert world.cleaner(limits).clean(READINGS) == CleanupReport(
        files_deleted=2, bytes_freed=sum(note["bytes"] for note in notes_of(world, "retention")[1:])
    )
    assert once(world.committed(READINGS)) == ROWS
    assert world.stored(READINGS) == world.paths(READINGS)
    assert [note["files"] for note in notes_of(world, "retention")] == [1, 2]


def notes_of(world: World, kind: str) -> list[dict[str, int]]:
    return [dict(c.notes) for c in world.lake.logs[HERE].commits if c.notes.get("kind") == kind]


def test_a_final_name_that_is_free_again() -> None:
    """A date was dropped, and late readings of it come: what a reader may still use is not written over."""
    world = flushed_world()
    world.uploader().upload(READINGS, closed_only=True)
    first = {name: world.blobs.get(HERE, name) for name in world.paths(READINGS)}
    world.clock.now += 2 * DAY
    limits = replace(CLEANUP, retention={"readings": DAY})
    world.cleaner(limits).clean(READINGS)
    assert world.paths(READINGS) == []
    land_readings(world, 26, [("a", 1)])
    world.flusher().flush(READINGS)
    world.uploader().upload(READINGS, closed_only=True)
    assert world.paths(READINGS) == ["plant/2025/09/30/12/a-2.parquet"]
    assert all(world.blobs.get(HERE, name) == content for name, content in first.items())
    world.clock.now += timedelta(hours=1)
    clean(world)
    assert world.stored(READINGS) == world.paths(READINGS)
    assert once(world.committed(READINGS)) == {("plant", 0, 26, 0)}


def test_any_failure_leaves_a_state_that_the_next_clean_up_finishes() -> None:
    limits = replace(CLEANUP, retention={"readings": 3 * DAY})

    def run(at: int | None, after: bool) -> list[str]:
        world = uploaded_world()
        land_readings(world, 26, [("a", -96 * HOUR)])
        world.flusher().flush(READINGS)
        world.clock.now += 2 * DAY
        seam = Seam(fail, at, after)
        if at is None:
            world.cleaner(limits, seam).clean(READINGS)
        else:
            with pytest.raises(StorageUnavailable, match="struck"):
                world.cleaner(limits, seam).clean(READINGS)
        assert set(world.paths(READINGS)) <= set(world.stored(READINGS)), seam.calls[-1]
        assert once(world.committed(READINGS)) >= ROWS, seam.calls[-1]
        world.leases.held.clear()  # of one that died
        world.clock.now += timedelta(hours=25)
        for _ in range(2):  # one drops the date, the next its files
            world.cleaner(limits).clean(READINGS)
            world.clock.now += timedelta(hours=1)
        assert once(world.committed(READINGS)) == ROWS, seam.calls[-1]
        assert world.stored(READINGS) == world.paths(READINGS), seam.calls[-1]
        return seam.calls

    sweep(run)


def test_a_clean_up_that_lost_its_lease_deletes_no_more() -> None:
    plan = Seam(fail)
    world = uploaded_world()
    world.clock.now += 2 * DAY
    world.cleaner(seam=plan).clean(READINGS)
    deletions = [i for i, call in enumerate(plan.calls) if call.startswith("delete") and HERE in call]
    assert len(deletions) == 2
    for at in deletions:
        world = uploaded_world()
        world.clock.now += 2 * DAY
        lapse = Seam(partial(world.leases.lapse, "upload-readings"), at - 2)
        before = world.stored(READINGS)
        with pytest.raises(LeaseHeld):
            world.cleaner(seam=lapse).clean(READINGS)
        assert len(world.stored(READINGS)) == len(before) - (0 if at == deletions[0] else 7)


def test_no_clean_up_beside_an_upload() -> None:
    world = uploaded_world()
    with world.leases.hold("upload-readings", wait_seconds=0), pytest.raises(LeaseHeld):
        clean(world)


def test_the_table_is_told_how_long_removed_files_stay() -> None:
    world = uploaded_world()
    clean(world)
    assert world.lake.logs[HERE].removed_files == timedelta(hours=1)


def test_there_is_nothing_to_clean_where_there_is_no_table() -> None:
    seam = Seam(fail)
    assert World().cleaner(seam=seam).clean(EVENTS) == CleanupReport()
    assert len(seam.calls) == 1


def test_orphans_alone_move_the_fence() -> None:
    world = flushed_world()
    commits = world.lake.logs[HERE].commits
    count = len(commits)
    world.clock.now += 2 * DAY
    clean(world)
    assert len(commits) == count
    world.blobs.put_blocking(HERE, ORPHANS[1], b"left")
    world.clock.now += 2 * DAY
    clean(world)
    assert [set(commit.progress) for commit in commits[count:]] == [{REMOVALS}]
