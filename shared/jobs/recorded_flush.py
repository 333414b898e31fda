"""Flushes that stand among the jobs: done in place, for those who ask wait for the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.jobs.kinds import FLUSH
from shared.jobs.service import Jobs
from shared.lake.flush import Flusher, FlushReport
from shared.platform.clock import Clock
from shared.platform.errors import StorageUnavailable
from shared.platform.logs import get_log

_log = get_log("jobs")


@dataclass(frozen=True, slots=True)
class FlushDone:
    """What a flush wrote, and its job; None where there was nothing to do, or nothing could be noted."""

    report: FlushReport
    job_id: str | None


class RecordedFlush:
    """Flushes all streams, and notes it where something was committed."""

    def __init__(self, flusher: Flusher, jobs: Callable[[], Jobs], clock: Clock) -> None:
        self._flusher = flusher
        self._jobs = jobs
        self._clock = clock

    def flush_all(self, *, wait_seconds: float = 0) -> FlushDone:
        """See `Flusher.flush_all`. That the note could not be written is no failure of the flush."""
        begun = self._clock()
        report = self._flusher.flush_all(wait_seconds=wait_seconds)
        if not report.commits:
            return FlushDone(report, None)
        outcome = {"rows": report.rows, "files": len(report.files), "commits": report.commits}
        try:
            return FlushDone(report, self._jobs().record(FLUSH, begun, outcome).id)
        except StorageUnavailable as error:
            _log.warning("flush not noted", reason=error.message)
            return FlushDone(report, None)
