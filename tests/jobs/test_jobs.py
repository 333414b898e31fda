"""Jobs: one of a kind at a time, run to their end once whatever messages come, get lost or come twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shared.jobs.context import JobContext
from shared.jobs.models import Status, kind_of, moment_of, new_id, newest_first
from shared.platform.errors import Conflict, NotFound, StorageUnavailable
from shared.platform.state_tables import JOBS, JOBS_QUEUE
from tests.fakes import ManualClock
from tests.jobs.world import LIMITS, JobWorld, counting, failing


def test_ids_sort_by_time_and_mirrored_against_it() -> None:
    clock = ManualClock()
    ids = []
    for _ in range(5):
        ids.append(new_id("upload", clock()))
        clock.advance(milliseconds=1)
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"upload-[0-9a-z]{26}", one) and kind_of(one) == "upload" for one in ids)
    mirrored = [newest_first(moment_of(one)) for one in ids]
    assert mirrored == sorted(mirrored, reverse=True)
    assert [newest_first(one) for one in mirrored] == [moment_of(one) for one in ids]


@pytest.mark.parametrize("text", ["", "upload", "upload-1", "Upload-" + "0" * 26, "x-" + "u" * 26, "../-x"])
def test_what_is_no_id_is_not_found(text: str) -> None:
    assert kind_of(text) is None
    with pytest.raises(NotFound):
        JobWorld(upload=counting(1)[0]).jobs().get(text)


def test_a_job_runs_to_its_end_and_is_counted() -> None:
    handle, done = counting(3)
    world = JobWorld(upload=handle)
    started = world.jobs().start("upload", {"closed_only": True})
    assert (started.new, started.job.status, started.job.parameters) == (
        True,
        Status.QUEUED,
        {"closed_only": True},
    )
    world.clock.advance(seconds=3)
    assert world.deliver() == 1
    job = world.jobs().get(started.job.id)
    assert (job.status, done) == (Status.SUCCEEDED, [0, 1, 2])
    assert (job.outcome, job.done, job.total, job.unit) == ({"units": 3}, 3, 3, "things")
    assert (job.created_at, job.started_at) == (started.job.created_at, world.clock.now)
    assert (job.finished_at, job.instance, job.attempts) == (world.clock.now, "one", 1)
    assert world.jobs().totals("upload") == {"runs": 1, "succeeded": 1, "units": 3}


def test_a_second_trigger_answers_with_the_running_one() -> None:
    world = JobWorld(upload=counting(1)[0], cleanup=counting(1)[0])
    first = world.jobs().start("upload")
    second = world.jobs().start("upload", {"other": 1})
    assert (second.new, second.job) == (False, first.job)
    assert world.jobs().start("cleanup").new
    assert len(world.queues.take(JOBS_QUEUE)) == 2
    world.runner().run(first.job.id)
    assert world.jobs().start("upload").new


def test_a_message_that_comes_again_does_nothing() -> None:
    handle, done = counting(2)
    world = JobWorld(upload=handle)
    job = world.jobs().start("upload").job
    for _ in range(3):
        world.runner().run(job.id)
    later = world.jobs().start("upload").job
    world.runner().run(job.id)
    assert done == [0, 1]
    assert world.jobs().get(later.id).status is Status.QUEUED
    assert world.jobs().totals("upload")["runs"] == 1


def test_two_runners_at_once_are_one() -> None:
    world = JobWorld()
    begun: list[str] = []

    def handle(context: JobContext) -> None:
        begun.append(context.job.id)
        world.runner("two").run(context.job.id)

    world.handlers["upload"] = handle
    job = world.jobs().start("upload").job
    world.runner("one").run(job.id)
    assert begun == [job.id]


def test_a_lost_message_is_sent_again_after_the_lapse() -> None:
    handle, done = counting(1)
    world = JobWorld(upload=handle)
    job = world.jobs().start("upload").job
    world.queues.take(JOBS_QUEUE)
    assert world.jobs().resume() == 0
    world.clock.advance(seconds=LIMITS.lapse.seconds)
    assert world.jobs().resume() == 1
    assert world.finished(job).status is Status.SUCCEEDED
    assert done == [0]


def test_the_next_trigger_takes_up_a_silent_job_too() -> None:
    world = JobWorld(upload=counting(1)[0])
    job = world.jobs().start("upload").job
    world.queues.take(JOBS_QUEUE)
    world.clock.advance(seconds=LIMITS.lapse.seconds)
    assert world.jobs().start("upload").job.id == job.id
    assert world.deliver() == 1


def test_whoever_lost_the_job_finds_out_and_stops() -> None:
    """An instance sleeps through its lapse; another takes the job and ends it; the first stops at its next
    check and changes nothing."""
    world = JobWorld()
    did: list[str] = []

    def handle(context: JobContext) -> None:
        context.check()
        if not did:
            did.append("sleeps")
            world.clock.advance(seconds=LIMITS.lapse.seconds)
            world.jobs().resume()
            world.deliver()
            context.check()
            did.append("goes on")  # never
        did.append("works")
        context.save(state={}, outcome={"units": 1})

    world.handlers["upload"] = handle
    job = world.jobs().start("upload").job
    world.queues.take(JOBS_QUEUE)
    world.runner().run(job.id)
    assert did == ["sleeps", "works"]
    assert world.jobs().get(job.id).status is Status.SUCCEEDED
    assert world.jobs().totals("upload") == {"runs": 1, "succeeded": 1, "units": 1}


def test_a_job_that_works_is_not_taken_from_its_runner() -> None:
    world = JobWorld()

    def handle(context: JobContext) -> None:
        for _ in range(30):
            world.clock.advance(seconds=7)
            context.check()
            assert world.jobs().resume() == 0

    world.handlers["upload"] = handle
    job = world.jobs().start("upload").job
    world.runner().run(job.id)
    assert world.jobs().get(job.id).status is Status.SUCCEEDED


def test_a_long_job_goes_on_in_further_invocations() -> None:
    world = JobWorld()
    handle, done = counting(20)

    def one_at_a_time(context: JobContext) -> None:
        real = context.check

        def check() -> None:
            world.clock.advance(seconds=30)
            real()

        context.check = check  # type: ignore[method-assign]
        handle(context)

    world.handlers["upload"] = one_at_a_time
    job = world.jobs().start("upload").job
    assert world.deliver() > 2
    assert done == list(range(20))
    ended = world.jobs().get(job.id)
    assert (ended.status, ended.outcome, ended.attempts) == (Status.SUCCEEDED, {"units": 20}, 1)


def test_what_may_pass_is_tried_again_and_given_up_in_the_end() -> None:
    world = JobWorld(upload=failing(lambda: StorageUnavailable("storage sleeps")))
    job = world.jobs().start("upload").job
    world.runner().run(*world.queues.take(JOBS_QUEUE))
    waiting = world.jobs().get(job.id)
    assert (waiting.status, waiting.error) == (Status.QUEUED, "storage sleeps")
    assert world.queues.messages == [(JOBS_QUEUE, job.id, 5)]
    ended = world.finished(job)
    assert (ended.status, ended.error, ended.attempts) == (Status.FAILED, "storage sleeps", LIMITS.attempts)
    assert world.jobs().totals("upload") == {"runs": 1, "failed": 1}


def test_a_bug_fails_the_job_at_once_and_tells_nothing_of_the_inside() -> None:
    world = JobWorld(upload=failing(lambda: ZeroDivisionError("secret")))
    job = world.jobs().start("upload").job
    world.deliver()
    ended = world.jobs().get(job.id)
    assert ended.status is Status.FAILED
    assert ended.error == "it failed inside (ZeroDivisionError); the log has more"


def test_a_job_whose_every_run_dies_is_given_up() -> None:
    class Dies(BaseException):
        pass

    def handle(context: JobContext) -> None:
        raise Dies

    world = JobWorld(upload=handle)
    job = world.jobs().start("upload").job
    for _ in range(LIMITS.attempts):
        with pytest.raises(Dies):
            world.deliver()
        world.clock.advance(minutes=2)
        world.jobs().resume()
    world.deliver()
    ended = world.jobs().get(job.id)
    assert (ended.status, ended.error) == (Status.FAILED, "given up after 3 attempts: every run of it died")


def test_a_waiting_job_is_cancelled_at_once() -> None:
    handle, done = counting(1)
    world = JobWorld(upload=handle)
    job = world.jobs().start("upload").job
    assert world.jobs().cancel(job.id).status is Status.CANCELLED
    world.deliver()
    assert done == []
    assert world.jobs().totals("upload") == {"runs": 1, "cancelled": 1}
    with pytest.raises(Conflict):
        world.jobs().cancel(job.id)


def test_a_running_job_is_cancelled_at_its_next_check() -> None:
    world = JobWorld()

    def handle(context: JobContext) -> None:
        assert world.jobs().cancel(context.job.id).cancel_asked
        context.save(state={}, outcome={"units": 1})
        world.clock.advance(seconds=LIMITS.beat.seconds)
        context.check()
        raise AssertionError("not reached")

    world.handlers["upload"] = handle
    job = world.jobs().start("upload").job
    world.deliver()
    ended = world.jobs().get(job.id)
    assert (ended.status, ended.outcome) == (Status.CANCELLED, {"units": 1})


def test_what_is_asked_for_by_nobody_writes_nothing() -> None:
    world = JobWorld(upload=counting(1)[0])
    world.jobs().start("upload")
    world.deliver()
    world.tables.calls.clear()
    assert world.jobs().resume() == 0
    assert world.tables.calls == [f"query {JOBS}"]


def test_the_list_goes_back_through_all_kinds() -> None:
    world = JobWorld(upload=counting(1)[0], cleanup=counting(1)[0])
    expected = []
    for kind in ("upload", "cleanup", "upload", "upload", "cleanup"):
        expected.append(world.jobs().start(kind).job.id)
        world.deliver()
        world.clock.advance(seconds=1)
    expected.append(world.jobs().record("upload", world.clock(), {"rows": 5}).id)
    world.clock.advance(seconds=1)
    expected.append(world.jobs().start("cleanup").job.id)
    expected.reverse()
    found: list[str] = []
    before = None
    while page := [job.id for job in world.jobs().list(None, before, 2)]:
        found += page
        before = moment_of(page[-1])
    assert found == expected
    of_a_kind = [job.id for job in world.jobs().list("cleanup", None, 10)]
    assert of_a_kind == [one for one in expected if one.startswith("cleanup-")]


def test_ended_jobs_go_after_their_retention() -> None:
    world = JobWorld(upload=counting(1)[0])
    job = world.jobs().start("upload").job
    world.deliver()
    (expiring,) = world.tables.expired(JOBS, world.clock() + timedelta(days=30, seconds=1))
    assert expiring.text("id") == job.id
    assert expiring.partition == "upload"  # the slot with the totals stays


def test_active_jobs_are_those_that_wait_or_work() -> None:
    seen: list[str] = []

    def look(context: JobContext) -> None:
        seen.extend(f"{job.kind} {job.status}" for job in world.jobs().active())

    world = JobWorld(upload=look, cleanup=look)
    assert world.jobs().active() == []
    world.jobs().start("upload")
    assert [job.status for job in world.jobs().active()] == [Status.QUEUED]
    world.deliver()
    assert seen == ["upload running"]
    assert world.jobs().active() == []
