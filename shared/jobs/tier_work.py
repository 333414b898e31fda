"""Uploads and clean-ups as jobs: stream after stream, on from wherever a run ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shared.jobs.context import JobCancelled, JobContext, JobLost, SliceOver
from shared.lake.cleanup import Cleaner, CleanupReport
from shared.lake.ports import Lake
from shared.lake.upload import Uploader
from shared.platform.errors import FloeError, StorageUnavailable
from shared.streams import StreamDefinition

# Longer than a lease lasts, so that one whose holder died can be had.
_WAIT_SECONDS = 30.0
_UPLOADED = ("files_merged", "files_written", "rows", "bytes")


class UploadWork:
    """The handler of upload jobs.

    What it did is read from the tables' logs, as what they tell now beyond what they told when the job
    began: each commit counts, and once, whatever died after it.
    """

    def __init__(self, uploader: Uploader, lake: Lake, streams: Sequence[StreamDefinition]) -> None:
        self._uploader = uploader
        self._lake = lake
        self._streams = streams

    def pending(self, *, closed_only: bool) -> int:
        """How many raw files of all streams an upload would take now. Blocks."""
        return sum(self._uploader.pending(stream, closed_only=closed_only) for stream in self._streams)

    def handle(self, context: JobContext) -> None:
        """Uploads every stream."""
        context.check()
        if not context.job.state:
            context.save(state={"before": self._sums()}, outcome={})
        try:
            self._upload(context)
        except (SliceOver, JobCancelled, FloeError):
            with suppress(JobLost, StorageUnavailable):
                self._note(context, 0)
            raise

    def _upload(self, context: JobContext) -> None:
        closed_only = bool(context.job.parameters.get("closed_only"))
        waiting = [self._uploader.pending(stream, closed_only=closed_only) for stream in self._streams]
        context.progress(0, sum(waiting))
        done = 0
        for stream, files in zip(self._streams, waiting, strict=True):

            def tell(now: int, of: int, before: int = done, rest: int = sum(waiting) - files) -> None:
                context.progress(before + now, rest + of)

            report = self._uploader.upload(
                stream,
                closed_only=closed_only,
                on_progress=tell,
                check=context.check,
                wait_seconds=_WAIT_SECONDS,
            )
            done += files
            self._note(context, report.failed)
        context.progress(sum(waiting), sum(waiting))

    def _note(self, context: JobContext, failed: int) -> None:
        before, now = context.job.state["before"], self._sums()
        outcome = {name: now[name] - before[name] for name in _UPLOADED}
        outcome["files_failed"] = context.job.outcome.get("files_failed", 0) + failed
        context.save(state=context.job.state, outcome=outcome)

    def _sums(self) -> dict[str, int]:
        tables = [self._lake.table(stream).summary() for stream in self._streams]
        return {name: sum(table.total("upload", name) for table in tables) for name in _UPLOADED}


class CleanupWork:
    """The handler of clean-up jobs. Deleting leaves no trace in a log: what a run deleted between its last
    note and its death is not counted."""

    def __init__(self, cleaner: Cleaner, streams: Sequence[StreamDefinition]) -> None:
        self._cleaner = cleaner
        self._streams = streams

    def due(self) -> bool:
        """Whether there may be something to clean up. Blocks."""
        return any(self._cleaner.due(stream) for stream in self._streams)

    def handle(self, context: JobContext) -> None:
        """Cleans every stream up that this job has not cleaned yet."""
        context.check()
        while (at := int(context.job.state.get("streams", 0))) < len(self._streams):
            context.progress(at, len(self._streams))
            report = CleanupReport()
            try:
                self._cleaner.clean(
                    self._streams[at], report=report, check=context.check, wait_seconds=_WAIT_SECONDS
                )
            except (SliceOver, JobCancelled, FloeError):
                with suppress(JobLost, StorageUnavailable):
                    _note(context, report, at)
                raise
            _note(context, report, at + 1)
        context.progress(len(self._streams), len(self._streams))


def _note(context: JobContext, report: CleanupReport, streams: int) -> None:
    counts: dict[str, Any] = asdict(report)
    outcome = {name: context.job.outcome.get(name, 0) + count for name, count in counts.items()}
    context.save(state={"streams": streams}, outcome=outcome)
