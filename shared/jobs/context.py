"""What a handler works with: it tells how far it is, keeps what it must not lose, and learns when to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any

from shared.jobs.models import Job, Status
from shared.jobs.slots import Slot, SlotChanged, Slots
from shared.platform.clock import Clock
from shared.platform.errors import StorageUnavailable

type Handler = Callable[[JobContext], None]


class JobLost(Exception):
    """Another instance has the job now, or it can no longer be known that none has."""


class JobCancelled(Exception):
    """Somebody asked to end the job."""


class SliceOver(Exception):
    """The job has had its time in this invocation, and goes on in another."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """How often a runner says that it lives, after which silence another takes over, how long one invocation
    works on a job, and how often a job may die or fail for a while before it is given up."""

    beat: timedelta = timedelta(seconds=10)
    lapse: timedelta = timedelta(seconds=60)
    slice: timedelta = timedelta(minutes=4)
    attempts: int = 8


class JobContext:
    """A job in the hands of its runner. Handlers call it from one thread; a second one renews it."""

    def __init__(self, slots: Slots, slot: Slot, clock: Clock, limits: JobLimits) -> None:
        self._slots = slots
        self._slot = slot
        self._clock = clock
        self._limits = limits
        self._claim = slot.job.claim
        self._lost = False
        self._lock = Lock()
        self._end_of_slice = clock() + limits.slice

    @property
    def job(self) -> Job:
        """The job as it was last written; its `state` and `outcome` are what was last saved."""
        return self._slot.job

    def progress(self, done: int, total: int | None) -> None:
        """Tells how far the work is, for those who ask; written when the job is renewed next."""
        with self._lock:
            self._slot = replace(self._slot, job=replace(self._slot.job, done=done, total=total))

    def check(self) -> None:
        """To be called often: raises JobLost, JobCancelled or SliceOver where the handler must stop."""
        self._renew_if_due()
        silent = self._clock() - self.job.touched_at
        if self._lost or not self.job.status.active or silent >= self._limits.lapse:
            raise JobLost(self.job.id)
        if self.job.cancel_asked:
            raise JobCancelled(self.job.id)
        if self._clock() >= self._end_of_slice:
            raise SliceOver(self.job.id)

    def save(self, *, state: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        """Makes both durable, together. Raises JobLost, and StorageUnavailable; then they may hold or not."""
        with self._lock:
            self._write(touched_at=self._clock(), state=dict(state), outcome=dict(outcome))

    def end(self, status: Status, error: str | None = None) -> Slot:
        """Ends the job and counts it, in one write. Raises JobLost and StorageUnavailable."""
        with self._lock:
            self._write(status=status, error=error, touched_at=self._clock(), finished_at=self._clock())
            return self._slot

    def put_back(self, visible_at: datetime, error: str | None, attempts: int) -> None:
        """Lets go of the job, for whoever takes its next message. Raises JobLost and StorageUnavailable."""
        with self._lock:
            self._write(
                status=Status.QUEUED,
                touched_at=visible_at,
                error=error,
                attempts=attempts,
                claim="",
                instance=None,
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renews the job while the block runs, however long a single call in it takes."""
        ended = Event()

        def keep() -> None:
            while not ended.wait(self._limits.beat.total_seconds()):
                with suppress(StorageUnavailable):
                    self._renew_if_due()

        thread = Thread(target=keep, name=f"job-{self.job.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew_if_due(self) -> None:
        with self._lock:
            now = self._clock()
            if self._lost or now - self.job.touched_at < self._limits.beat:
                return
            with suppress(StorageUnavailable, JobLost):  # `check` tells
                self._write(touched_at=now)

    def _write(self, **changes: Any) -> None:
        if self._lost:
            raise JobLost(self.job.id)
        while True:
            job = replace(self._slot.job, **changes)
            totals = self._slot.totals if job.status.active else counted(self._slot.totals, job)
            try:
                self._slot = self._slots.write(replace(self._slot, job=job, totals=totals))
                return
            except SlotChanged:
                if self._read_again(job):
                    return

    def _read_again(self, written: Job) -> bool:
        """Takes over what somebody wrote into this very run, such as that it is to end. True where what was
        to be written stands there already, for a write may hold though nobody heard so. Raises JobLost."""
        found = self._slots.find(written.kind)
        if found is None or (found.job.id, found.job.claim) not in (
            (written.id, self._claim),
            (written.id, written.claim),
        ):
            self._lost = True
            raise JobLost(written.id)
        if found.job.claim != self._claim or not found.job.status.active:
            self._slot = found
            return True
        mine = self._slot.job
        self._slot = replace(found, job=replace(found.job, done=mine.done, total=mine.total))
        return False


def counted(totals: Mapping[str, int], job: Job) -> dict[str, int]:
    """`totals` with one more job: its end, and the whole numbers of its outcome."""
    numbers = {
        name: value
        for name, value in job.outcome.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    added = {"runs": 1, job.status.value: 1, **numbers}
    return {name: totals.get(name, 0) + added.get(name, 0) for name in {**totals, **added}}
