"""What `/metrics` asks of the pipeline: totals that are kept where the work is done, exact and durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Files:
    """Live files and their size in bytes."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineTotals:
    """Of the readings, but for `messages_by_topic`, uploads and clean-ups, which are of all streams.

    None is unknown, never zero. Sizes in bytes.
    """

    messages_consumed: int | None = None
    messages_failed: int | None = None
    messages_by_topic: Mapping[str, int] | None = None
    last_message_time: datetime | None = None
    is_running: bool | None = None
    total_files: int | None = None
    total_size_bytes: int | None = None
    assets: Mapping[str, Files] | None = None
    buffer_count: int | None = None
    buffered_records: int | None = None
    successful_uploads: int | None = None
    failed_uploads: int | None = None
    uploaded_bytes: int | None = None
    cleanup_runs: int | None = None
    deleted_files: int | None = None
    freed_bytes: int | None = None


class PipelineFigures(Protocol):
    """Reads those totals."""

    def read(self) -> PipelineTotals:
        """The totals of now; what storage does not tell is None. Blocks."""
        ...
