"""A job dies before and after every call to storage; it runs to its end, and is counted once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from shared.jobs.models import Status
from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import JOBS_QUEUE
from tests.fakes.seam import Seam, SeamQueues, SeamTables
from tests.jobs.world import LIMITS, JobWorld, counting
from tests.lake.world import sweep


class Killed(BaseException):
    """The process is gone."""


def _strike(error: type[BaseException]) -> Any:
    def strike() -> None:
        raise error("struck")

    return strike


@pytest.mark.parametrize("error", [Killed, StorageUnavailable], ids=["kill", "failure"])
def test_starting_and_running(error: type[BaseException]) -> None:
    def run(at: int | None, after: bool) -> list[str]:
        handle, done = counting(3)
        world = JobWorld(upload=handle)
        seam = Seam(_strike(error), at, after)
        tables, queues = SeamTables(world.tables, seam), SeamQueues(world.queues, seam)
        try:
            world.jobs(tables, queues).start("upload")
            for job_id in world.queues.take(JOBS_QUEUE):
                world.runner("dies", tables, queues).run(job_id)
        except (Killed, StorageUnavailable):
            pass
        job = world.jobs().start("upload").job
        ended = world.finished(job)
        assert ended.status is Status.SUCCEEDED
        assert ended.outcome == {"units": 3}
        ids = [one.id for one in world.jobs().list(None, None, 10)]
        assert len(ids) == len(set(ids))
        succeeded = [one for one in world.jobs().list(None, None, 10) if one.status is Status.SUCCEEDED]
        totals = world.jobs().totals("upload")
        assert totals == {"runs": len(ids), "succeeded": len(succeeded), "units": 3 * len(ids)}
        assert len(done) >= 3 * len(ids)  # a unit whose end was not saved is done again
        return seam.calls

    sweep(run)


def test_a_takeover_that_dies_too() -> None:
    def run(at: int | None, after: bool) -> list[str]:
        world = JobWorld(upload=counting(2)[0])
        job = world.jobs().start("upload").job
        world.queues.take(JOBS_QUEUE)
        world.clock.advance(seconds=LIMITS.lapse.seconds)
        seam = Seam(_strike(Killed), at, after)
        with suppress(Killed):
            world.jobs(SeamTables(world.tables, seam), SeamQueues(world.queues, seam)).resume()
        assert world.finished(job).status is Status.SUCCEEDED
        assert world.jobs().totals("upload") == {"runs": 1, "succeeded": 1, "units": 2}
        return seam.calls

    sweep(run)
