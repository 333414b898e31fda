"""What the pipeline did, for `/metrics`: each figure from where it is kept, unknown where that is silent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from shared.jobs.kinds import CLEANUP, UPLOAD
from shared.jobs.service import Jobs
from shared.lake.buffered import BufferGauge
from shared.lake.ports import Lake
from shared.lake.readings_totals import readings_totals
from shared.lake.segments import SegmentStore
from shared.platform.errors import StorageUnavailable
from shared.streams import STREAMS
from shared.telemetry.pipeline import Files, PipelineTotals


class Figures:
    """Implements shared.telemetry.pipeline.PipelineFigures."""

    def __init__(
        self,
        gauge: Callable[[], BufferGauge],
        segments: Callable[[], SegmentStore],
        lake: Callable[[], Lake],
        jobs: Callable[[], Jobs],
    ) -> None:
        """All are asked for when first needed, for building them imports much."""
        self._gauge = gauge
        self._segments = segments
        self._lake = lake
        self._jobs = jobs

    def read(self) -> PipelineTotals:
        """See the port; what it costs does not grow with the files."""
        totals = PipelineTotals()
        for part in (self._readings, self._uploads, self._cleanups):
            with suppress(StorageUnavailable):
                totals = part(totals)
        return totals

    def _readings(self, totals: PipelineTotals) -> PipelineTotals:
        read = readings_totals(self._gauge(), self._segments(), self._lake())
        keys = read.table.keys
        return replace(
            totals,
            messages_consumed=read.messages_consumed,
            messages_failed=read.messages_failed,
            last_message_time=read.last_message,
            total_files=read.table.files,
            total_size_bytes=read.table.bytes,
            assets=None
            if keys is None
            else {key: Files(kept.files, kept.bytes) for key, kept in keys.items()},
            buffer_count=read.buffered.buffers,
            buffered_records=read.buffered.rows,
        )

    def _uploads(self, totals: PipelineTotals) -> PipelineTotals:
        """What was uploaded stands in the tables' logs, exact under kills; what failed, in the jobs."""
        tables = [self._lake().table(stream).summary() for stream in STREAMS]
        return replace(
            totals,
            successful_uploads=sum(table.total("upload", "files_merged") for table in tables),
            uploaded_bytes=sum(table.total("upload", "bytes") for table in tables),
            failed_uploads=self._jobs().totals(UPLOAD).get("files_failed", 0),
        )

    def _cleanups(self, totals: PipelineTotals) -> PipelineTotals:
        done = self._jobs().totals(CLEANUP)
        return replace(
            totals,
            cleanup_runs=done.get("runs", 0),
            deleted_files=done.get("files_deleted", 0),
            freed_bytes=done.get("bytes_freed", 0),
        )
