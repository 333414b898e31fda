"""Flushes stand among the jobs when they committed something, and are flushes even where they cannot."""

from __future__ import annotations

from typing import get_args

from functions.http import dead_letters
from functions.http import jobs as http_jobs
from shared.jobs.kinds import KINDS
from shared.jobs.recorded_flush import RecordedFlush
from shared.platform.errors import StorageUnavailable
from shared.streams import STREAMS
from tests.jobs.world import JobWorld
from tests.lake.rows import land
from tests.lake.world import World


def test_a_flush_is_noted_when_it_committed_something() -> None:
    world, jobs = World(), JobWorld(flush=lambda context: None)
    flush = RecordedFlush(world.flusher(), jobs.jobs, jobs.clock)
    assert flush.flush_all().job_id is None
    land(world.segments, [0, 1, 2])
    done = flush.flush_all()
    assert done.job_id is not None
    job = jobs.jobs().get(done.job_id)
    assert (job.kind, job.status.value) == ("flush", "succeeded")
    assert job.outcome == {"rows": 3, "files": len(done.report.files), "commits": 1}
    assert flush.flush_all().job_id is None
    assert [one.id for one in jobs.jobs().list(None, None, 10)] == [done.job_id]


def test_tables_that_do_not_answer_stop_no_flush() -> None:
    world, jobs = World(), JobWorld(flush=lambda context: None)
    jobs.tables.broken = StorageUnavailable("silent")
    land(world.segments, [0, 1, 2])
    done = RecordedFlush(world.flusher(), jobs.jobs, jobs.clock).flush_all()
    assert (done.report.rows, done.job_id) == (3, None)


def test_what_the_api_names_is_what_there_is() -> None:
    assert set(get_args(http_jobs.Kind)) == set(KINDS)
    assert set(get_args(dead_letters.StreamName)) == {stream.name for stream in STREAMS if stream.topics}
