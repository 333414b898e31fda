"""Jobs over storage in memory; each instance is a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from shared.jobs.context import Handler, JobContext, JobLimits
from shared.jobs.models import Job
from shared.jobs.run import JobKind, JobRunner
from shared.jobs.service import Jobs
from shared.jobs.slots import Slots
from shared.platform.queues import Queues
from shared.platform.state_tables import JOBS_QUEUE
from shared.platform.tables import Tables
from tests.fakes import ManualClock
from tests.fakes.queues import MemoryQueues
from tests.fakes.tables import MemoryTables

LIMITS = JobLimits(
    beat=timedelta(seconds=10),
    lapse=timedelta(seconds=60),
    slice=timedelta(minutes=4),
    attempts=3,
)
RETENTION = timedelta(days=30)


class JobWorld:
    """Tables, a queue and a clock, and handlers by kind."""

    def __init__(self, **handlers: Handler) -> None:
        self.tables = MemoryTables()
        self.queues = MemoryQueues()
        self.clock = ManualClock()
        self.handlers: dict[str, Handler] = handlers

    def jobs(self, tables: Tables | None = None, queues: Queues | None = None) -> Jobs:
        """The jobs, as an instance sees them."""
        slots = Slots(tables or self.tables, RETENTION)
        return Jobs(slots, queues or self.queues, tuple(self.handlers), self.clock, LIMITS)

    def runner(
        self, name: str = "one", tables: Tables | None = None, queues: Queues | None = None
    ) -> JobRunner:
        """An instance's runner."""
        kinds: Mapping[str, JobKind] = {
            kind: JobKind("things", handler) for kind, handler in self.handlers.items()
        }
        slots = Slots(tables or self.tables, RETENTION)
        return JobRunner(slots, queues or self.queues, kinds, self.clock, LIMITS, name)

    def deliver(self) -> int:
        """Runs what the queue holds, delayed messages too, until it is empty; returns how many came."""
        delivered = 0
        while messages := self.queues.take(JOBS_QUEUE):
            for job_id in messages:
                self.runner().run(job_id)
                delivered += 1
        return delivered

    def finished(self, job: Job) -> Job:
        """The job after everything that was left lying was taken up and done."""
        for _ in range(2 * LIMITS.attempts):
            self.deliver()
            self.clock.advance(minutes=5)
            self.jobs().resume()
        return self.jobs().get(job.id)


def counting(units: int) -> tuple[Handler, list[int]]:
    """A handler that does `units` of work, each kept when it is done, and the list of what it did."""
    done: list[int] = []

    def handle(context: JobContext) -> None:
        for unit in range(int(context.job.state.get("next", 0)), units):
            context.check()
            done.append(unit)
            context.save(state={"next": unit + 1}, outcome={"units": unit + 1})
            context.progress(unit + 1, units)

    return handle, done


def failing(error: Callable[[], Exception]) -> Handler:
    """A handler that raises."""

    def handle(context: Any) -> None:
        raise error()

    return handle
