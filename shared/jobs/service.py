"""Jobs as those who ask for them see them: started, looked up, listed, cancelled, and taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from shared.jobs.context import JobLimits, counted
from shared.jobs.models import NOTHING, Job, Status, kind_of, moment_of, new_id
from shared.jobs.slots import Slot, SlotChanged, Slots
from shared.platform.clock import Clock
from shared.platform.errors import Conflict, NotFound, StorageUnavailable
from shared.platform.logs import get_log
from shared.platform.queues import Queues
from shared.platform.state_tables import JOBS_QUEUE

_log = get_log("jobs")


@dataclass(frozen=True, slots=True)
class Started:
    """The job that runs now; `new` unless it did so already."""

    job: Job
    new: bool


class Jobs:
    """All jobs. Every method blocks, and raises StorageUnavailable when storage does not answer."""

    def __init__(
        self, slots: Slots, queues: Queues, kinds: Sequence[str], clock: Clock, limits: JobLimits
    ) -> None:
        self._slots = slots
        self._queues = queues
        self._kinds = tuple(kinds)
        self._clock = clock
        self._limits = limits

    def start(self, kind: str, parameters: Mapping[str, Any] = NOTHING) -> Started:
        """Starts a job, or finds the one of its kind that is at work."""
        while True:
            slot = self._slots.find(kind)
            if slot is not None and slot.job.status.active:
                return Started(self._taken_up(slot).job, new=False)
            if slot is not None and not slot.archived:
                self._slots.archive(slot)
                continue
            try:
                job = self._queued(kind, parameters, slot)
            except SlotChanged:
                continue
            self._send(job.id)
            _log.info("job started", job=job.id)
            return Started(job, new=True)

    def get(self, job_id: str) -> Job:
        """The job; raises NotFound."""
        kind = kind_of(job_id)
        if kind is not None and kind in self._kinds:
            slot = self._slots.find(kind)
            if slot is not None and slot.job.id == job_id:
                return slot.job
            ended = self._slots.ended(job_id, kind)
            if ended is not None:
                return ended
        raise NotFound("There is no such job", details={"id": job_id})

    def list(self, kind: str | None, before: str | None, limit: int) -> list[Job]:
        """The newest `limit` jobs, of one kind or all, of those older than the moment `before`."""
        # Slots first: a job that ends meanwhile is then in both, not in neither.
        kinds = [kind] if kind else self._kinds
        now = [slot.job for slot in self._slots.all() if slot.job.kind in kinds]
        now = [job for job in now if before is None or moment_of(job.id) < before]
        histories = [self._slots.history(one, before, limit) for one in kinds]
        current = sorted(now, key=lambda job: moment_of(job.id), reverse=True)
        ordered = merge(current, *histories, key=lambda job: moment_of(job.id), reverse=True)
        return list(islice({job.id: job for job in ordered}.values(), limit))

    def active(self) -> Sequence[Job]:
        """The jobs that are queued or at work, at most one of each kind; reads once."""
        return [slot.job for slot in self._slots.all() if slot.job.status.active]

    def cancel(self, job_id: str) -> Job:
        """Asks the job to end; one that waits ends at once. Raises NotFound, and Conflict where it ended."""
        while True:
            job = self.get(job_id)
            slot = self._slots.find(job.kind)
            if not job.status.active or slot is None or slot.job.id != job_id:
                raise Conflict("The job has ended", details={"id": job_id, "status": job.status.value})
            with suppress(SlotChanged):
                return self._cancelled(slot)

    def resume(self) -> int:
        """Takes up what was left lying: jobs whose message was lost, whose runner died, or that ended and are
        not in the history yet. Returns how many; reads once and writes nothing where there are none."""
        return sum(self._resumed(slot) for slot in self._slots.all())

    def record(self, kind: str, begun: datetime, outcome: Mapping[str, Any], error: str | None = None) -> Job:
        """Puts a job into the history that was done in place, by whoever asked for it."""
        now = self._clock()
        job = Job(
            id=new_id(kind, begun),
            kind=kind,
            status=Status.FAILED if error else Status.SUCCEEDED,
            created_at=begun,
            started_at=begun,
            finished_at=now,
            touched_at=now,
            attempts=1,
            outcome=outcome,
            error=error,
        )
        self._slots.add(job)
        return job

    def totals(self, kind: str) -> Mapping[str, int]:
        """Of all jobs of a kind that ever ended: `runs`, how they ended, and the sums of what their outcomes
        count. Empty where none ended yet."""
        slot = self._slots.find(kind)
        return slot.totals if slot else NOTHING

    def latest(self, kind: str) -> Job | None:
        """The newest job of a kind; None where there never was one."""
        slot = self._slots.find(kind)
        return slot.job if slot else None

    def _queued(self, kind: str, parameters: Mapping[str, Any], slot: Slot | None) -> Job:
        now = self._clock()
        job = Job(new_id(kind, now), kind, Status.QUEUED, now, now, dict(parameters))
        after = slot or Slot(job)
        return self._slots.write(replace(after, job=job, archived=False)).job

    def _resumed(self, slot: Slot) -> bool:
        if slot.job.status.active:
            return self._taken_up(slot) is not slot
        if not slot.archived:
            self._slots.archive(slot)
        return not slot.archived

    def _taken_up(self, slot: Slot) -> Slot:
        """The slot; queued again where its job was silent for too long."""
        now = self._clock()
        if now - slot.job.touched_at < self._limits.lapse:
            return slot
        job = replace(slot.job, status=Status.QUEUED, touched_at=now, claim="", instance=None)
        try:
            written = self._slots.write(replace(slot, job=job))
        except SlotChanged:
            return slot  # it lives, or another takes it up
        _log.warning("job taken up", job=job.id, silent_since=slot.job.touched_at)
        self._send(job.id)
        return written

    def _cancelled(self, slot: Slot) -> Job:
        if slot.job.status is Status.RUNNING:
            return self._slots.write(replace(slot, job=replace(slot.job, cancel_asked=True))).job
        ended = replace(slot.job, status=Status.CANCELLED, finished_at=self._clock(), cancel_asked=True)
        slot = self._slots.write(replace(slot, job=ended, totals=counted(slot.totals, ended)))
        self._slots.archive(slot)
        return slot.job

    def _send(self, job_id: str) -> None:
        try:
            self._queues.send(JOBS_QUEUE, job_id)
        except StorageUnavailable as error:  # the job stands in its slot, and is taken up from there
            _log.warning("message not sent", job=job_id, reason=error.message)
