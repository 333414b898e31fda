"""Uploads and clean-ups as jobs on fakes: on from wherever a run ended, and told as they were."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.jobs.context import JobContext
from shared.jobs.models import Job, Status
from shared.jobs.tier_work import CleanupWork, UploadWork
from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import JOBS_QUEUE
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes import MemoryLake
from tests.fakes.seam import Seam, SeamTables
from tests.jobs.world import JobWorld
from tests.lake.rows import land
from tests.lake.test_upload import ROWS, flushed_world
from tests.lake.world import World, once

STREAMS = (EVENTS, READINGS)


class Killed(BaseException):
    """The process is gone."""


def filled() -> tuple[World, JobWorld]:
    """Readings and events, flushed."""
    world = flushed_world()
    land(world.segments, [0, 1])
    world.flusher().flush_all()
    world.clock.now += timedelta(hours=3)
    jobs = JobWorld()
    jobs.clock = world.clock
    return world, jobs


def uploads(world: World, seam: Seam | None = None) -> UploadWork:
    return UploadWork(world.uploader(seam=seam), MemoryLake(world.lake.logs), STREAMS)


def run(jobs: JobWorld, kind: str, handler: Any, seam: Seam | None = None, **parameters: Any) -> Job:
    """One run of a new job."""
    jobs.handlers[kind] = handler
    job = jobs.jobs().start(kind, parameters).job
    for job_id in jobs.queues.take(JOBS_QUEUE):
        jobs.runner("one", SeamTables(jobs.tables, seam) if seam else None).run(job_id)
    return jobs.jobs().get(job.id)


def raw(world: World) -> list[str]:
    return [path for stream in STREAMS for path in world.paths(stream) if path.startswith("raw/")]


def test_an_upload_takes_all_streams() -> None:
    world, jobs = filled()
    before = raw(world)
    work = uploads(world)
    assert work.pending(closed_only=False) == len(before)
    job = run(jobs, "upload", work.handle)
    assert (job.status, job.done, job.total) == (Status.SUCCEEDED, len(before), len(before))
    assert (job.outcome["files_merged"], job.outcome["files_failed"]) == (len(before), 0)
    assert job.outcome["rows"] == len(ROWS) + 2
    assert raw(world) == []
    assert work.pending(closed_only=False) == 0
    assert run(jobs, "upload", work.handle).outcome["files_merged"] == 0


def test_open_hours_are_for_those_who_ask() -> None:
    world, jobs = filled()
    world.clock.now -= timedelta(days=400)
    assert uploads(world).pending(closed_only=True) == 0
    assert run(jobs, "upload", uploads(world).handle, closed_only=True).outcome["files_merged"] == 0
    assert run(jobs, "upload", uploads(world).handle, closed_only=False).outcome["files_merged"] > 0


@pytest.mark.parametrize("error", [Killed, StorageUnavailable], ids=["kill", "failure"])
def test_an_upload_that_dies_anywhere_counts_each_file_once(error: type[BaseException]) -> None:
    def strike() -> None:
        raise error("struck")

    def survive(at: int | None) -> list[str]:
        world, jobs = filled()
        files = len(raw(world))
        seam = Seam(strike, at)
        with suppress(Killed, StorageUnavailable):
            run(jobs, "upload", uploads(world, seam).handle, seam)
        world.leases.held.clear()
        jobs.handlers["upload"] = uploads(world).handle
        job = jobs.finished(jobs.jobs().start("upload").job)
        assert job.status is Status.SUCCEEDED
        assert raw(world) == []
        assert once(world.committed(READINGS)) == ROWS
        assert jobs.jobs().totals("upload")["files_merged"] == files
        return seam.calls

    for at, call in enumerate(survive(None)):
        if call.startswith(("commit", "take", "replace", "insert", "create")):
            survive(at)


def test_an_upload_that_takes_long_goes_on_in_further_invocations() -> None:
    world, jobs = filled()
    files, work, invocations = len(raw(world)), uploads(world), []

    def slow(context: JobContext) -> None:
        invocations.append(context.job.id)
        real = context.check

        def check() -> None:
            world.clock.now += timedelta(seconds=50 / len(invocations))
            real()

        context.check = check  # type: ignore[method-assign]
        work.handle(context)

    job = jobs.finished(run(jobs, "upload", slow))
    assert len(invocations) > 1
    assert (job.status, job.outcome["files_merged"]) == (Status.SUCCEEDED, files)


def test_a_clean_up_goes_through_all_streams() -> None:
    world, jobs = filled()
    run(jobs, "upload", uploads(world).handle)
    world.clock.now += timedelta(hours=2)
    work = CleanupWork(world.cleaner(), STREAMS)
    assert work.due()
    job = run(jobs, "cleanup", work.handle)
    assert (job.status, job.done, job.total) == (Status.SUCCEEDED, 2, 2)
    assert job.outcome["files_deleted"] > 0
    for stream in STREAMS:
        assert world.stored(stream) == world.paths(stream)
    world.clock.now += timedelta(hours=2)
    run(jobs, "cleanup", work.handle)
    assert not work.due()


def test_a_clean_up_that_is_interrupted_goes_on_with_the_stream_that_it_was_at() -> None:
    world, jobs = filled()
    run(jobs, "upload", uploads(world).handle)
    world.clock.now += timedelta(hours=2)
    work = CleanupWork(world.cleaner(), STREAMS)
    begun: list[int] = []

    def once_interrupted(context: JobContext) -> None:
        begun.append(int(context.job.state.get("streams", 0)))
        if len(begun) == 1:
            work._streams = (EVENTS,)  # type: ignore[assignment]
            work.handle(context)
            work._streams = STREAMS
            raise StorageUnavailable("later")
        work.handle(context)

    job = jobs.finished(run(jobs, "cleanup", once_interrupted))
    assert begun == [0, 1]
    assert job.status is Status.SUCCEEDED
    deleted = jobs.jobs().totals("cleanup")["files_deleted"]
    assert deleted == job.outcome["files_deleted"] > 0
