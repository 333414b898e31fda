"""What `/metrics` says of the pipeline: uploads, clean-ups, and the readings in table and buffers."""

from __future__ import annotations

from typing import Any

from shared.health.figures import Figures
from shared.jobs.context import JobContext
from shared.jobs.service import Jobs
from shared.lake.ports import DataFile, RemovedFile
from shared.platform.errors import StorageUnavailable
from shared.streams.events import EVENTS
from shared.telemetry.pipeline import PipelineTotals
from tests.jobs.world import JobWorld
from tests.lake.rows import land
from tests.lake.test_totals import gauge
from tests.lake.world import World


def clean(context: JobContext) -> None:
    context.save(state={}, outcome={"files_deleted": 3, "bytes_freed": 10})


def upload(context: JobContext) -> None:
    context.save(state={}, outcome={"files_failed": 2})


def figures(world: World, jobs: Jobs) -> PipelineTotals:
    return Figures(lambda: gauge(world), lambda: world.segments, lambda: world.lake, lambda: jobs).read()


def test_nothing_was_done_yet() -> None:
    found = figures(World(), JobWorld().jobs())
    assert (found.successful_uploads, found.failed_uploads, found.uploaded_bytes) == (0, 0, 0)
    assert (found.cleanup_runs, found.deleted_files, found.freed_bytes) == (0, 0, 0)
    assert (found.messages_consumed, found.total_files, found.buffer_count) == (0, 0, 0)


def test_uploads_are_those_that_the_log_tells_of() -> None:
    world, jobs = World(), JobWorld(cleanup=clean, upload=upload)
    land(world.segments, range(5))
    world.flusher().flush_all()
    table = world.lake.table(EVENTS)
    snapshot = table.snapshot()
    files: list[dict[str, Any]] = snapshot.files().to_pylist()
    gone = [
        RemovedFile(file["path"], file["size"], {name: str(file[name]) for name in EVENTS.partition_columns})
        for file in files
    ]
    merged = DataFile("merged.parquet", 77, sum(file["rows"] for file in files), gone[0].partition, "{}")
    notes = {"kind": "upload", "files_merged": len(gone), "bytes": 77}
    table.commit(snapshot, [merged], {}, removed=gone, rearranged=True, notes=notes)
    for kind in ("upload", "cleanup", "cleanup"):
        jobs.jobs().start(kind)
        jobs.deliver()
    found = figures(world, jobs.jobs())
    assert (found.successful_uploads, found.uploaded_bytes) == (len(gone), 77)
    assert found.failed_uploads == 2
    assert (found.cleanup_runs, found.deleted_files, found.freed_bytes) == (2, 6, 20)


def test_what_does_not_answer_is_unknown() -> None:
    world, jobs = World(), JobWorld()
    jobs.tables.broken = StorageUnavailable("down")
    found = figures(world, jobs.jobs())
    assert found.messages_consumed == 0
    assert (found.successful_uploads, found.cleanup_runs) == (None, None)
