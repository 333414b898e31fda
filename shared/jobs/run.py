"""Runs a job that a message names, once at a time however often the message comes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter

from shared.jobs.context import Handler, JobCancelled, JobContext, JobLimits, JobLost, SliceOver
from shared.jobs.models import Status, kind_of
from shared.jobs.slots import Slot, SlotChanged, Slots
from shared.platform.clock import Clock
from shared.platform.errors import FloeError
from shared.platform.logs import get_log
from shared.platform.queues import Queues
from shared.platform.state_tables import JOBS_QUEUE
from shared.telemetry.catalogue import JOB_DURATION, JOBS_ENDED
from shared.telemetry.tracing import span

_log = get_log("jobs")

_FIRST_DELAY, _LONGEST_DELAY = 5, 60


@dataclass(frozen=True, slots=True)
class JobKind:
    """What jobs of a kind count in, such as files, and what does their work.

    The handler may be called again at any time for the same job, after a kill or on another instance, and
    goes on from what is stored.
    """

    unit: str
    handle: Handler


class JobRunner:
    """Runs jobs of the kinds that it is given."""

    def __init__(
        self,
        slots: Slots,
        queues: Queues,
        kinds: Mapping[str, JobKind],
        clock: Clock,
        limits: JobLimits,
        instance: str,
    ) -> None:
        self._slots = slots
        self._queues = queues
        self._kinds = kinds
        self._clock = clock
        self._limits = limits
        self._instance = instance

    def run(self, job_id: str) -> None:
        """Works on the job until it ends, its time is over or another has it; returns at once where there is
        nothing to do. Raises StorageUnavailable; then the message must come again. Blocks."""
        slot = self._waiting(job_id)
        if slot is None:
            return
        if slot.job.attempts >= self._limits.attempts:
            reason = slot.job.error or "every run of it died"
            self._end(slot, Status.FAILED, f"given up after {slot.job.attempts} attempts: {reason}")
            return
        try:
            claimed = self._claim(slot)
        except SlotChanged:
            return  # another instance was first
        self._work(claimed)

    def _waiting(self, job_id: str) -> Slot | None:
        """The job's slot where the job waits for a runner."""
        kind = kind_of(job_id)
        slot = self._slots.find(kind) if kind is not None and kind in self._kinds else None
        if slot is None or slot.job.id != job_id:
            return None
        if not slot.job.status.active:
            if not slot.archived:
                self._slots.archive(slot)
            return None
        lapsed = self._clock() - slot.job.touched_at >= self._limits.lapse
        return slot if slot.job.status is Status.QUEUED or lapsed else None

    def _claim(self, slot: Slot) -> Slot:
        now = self._clock()
        job = replace(
            slot.job,
            status=Status.RUNNING,
            started_at=slot.job.started_at or now,
            touched_at=now,
            attempts=slot.job.attempts + 1,
            instance=self._instance,
            claim=secrets.token_hex(8),
            unit=self._kinds[slot.job.kind].unit,
        )
        return self._slots.write(replace(slot, job=job))

    def _work(self, slot: Slot) -> None:
        job = slot.job
        context = JobContext(self._slots, slot, self._clock, self._limits)
        _log.info("job begins", job=job.id, attempt=job.attempts)
        with span("job", attributes={"kind": job.kind, "job": job.id}):
            started = perf_counter()
            try:
                with context.kept():
                    self._handle(context)
            except JobLost:
                _log.warning("job lost to another instance", job=job.id)
            finally:
                JOB_DURATION.observe(perf_counter() - started, job.kind)

    def _handle(self, context: JobContext) -> None:
        job = context.job
        try:
            self._kinds[job.kind].handle(context)
        except JobLost:
            raise
        except JobCancelled:
            self._finish(context, Status.CANCELLED)
        except SliceOver:
            self._put_back(context, 0, None, attempts=0)
        except FloeError as error:
            if error.retryable and job.attempts < self._limits.attempts:
                delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (job.attempts - 1))
                _log.warning("job waits", job=job.id, reason=error.message, seconds=delay)
                self._put_back(context, delay, error.message, attempts=job.attempts)
            else:
                self._finish(context, Status.FAILED, error.message)
        except Exception as error:
            _log.exception("job failed", error, job=job.id)
            self._finish(
                context, Status.FAILED, f"it failed inside ({type(error).__name__}); the log has more"
            )
        else:
            self._finish(context, Status.SUCCEEDED)

    def _put_back(self, context: JobContext, delay: int, error: str | None, attempts: int) -> None:
        context.put_back(self._clock() + timedelta(seconds=delay), error, attempts)
        self._queues.send(JOBS_QUEUE, context.job.id, delay_seconds=delay)

    def _finish(self, context: JobContext, status: Status, error: str | None = None) -> None:
        self._close(context.end(status, error))

    def _end(self, slot: Slot, status: Status, error: str) -> None:
        """Ends a job that nobody works on."""
        self._finish(JobContext(self._slots, slot, self._clock, self._limits), status, error)

    def _close(self, slot: Slot) -> None:
        self._slots.archive(slot)
        job = slot.job
        JOBS_ENDED.add(1, job.kind, job.status.value)
        _log.info("job ended", job=job.id, status=job.status.value, error=job.error, outcome=job.outcome)
