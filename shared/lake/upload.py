"""UPLOAD: raw files of an hour become final ones in the cold tier, and one commit puts these in their place.

Files are written while flushes go on; only the commit is made under the table's lease. A crash before it
leaves final files that no version names and all raw ones; the next upload writes under other names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.lake.commits import named, replace_files
from shared.lake.final_files import FinalFiles
from shared.lake.hours import RawHour, closed_before, raw_files, raw_hours
from shared.lake.merge import Merger
from shared.lake.ports import (
    Blobs,
    DataFile,
    Lake,
    LakeTable,
    Leases,
    RemovedFile,
    Snapshot,
    Tier,
)
from shared.lake.raw_files import RawReader, Unreadable
from shared.lake.turns import go_on, tiers_lease, untold
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("upload")

_PARALLEL = 4


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload takes at a time.

    `rows` and `files` (raw ones) go into one commit; `merge_bytes` is about how much Arrow
    is held in memory;
    from `file_bytes` on a final file is followed by a further one. An hour is closed `grace` after its end.
    `together`: an hour's final files hold all values of the stream's file column, not one each.
    """

    rows: int
    files: int
    merge_bytes: int
    file_bytes: int
    grace: timedelta
    together: bool = False


@dataclass(slots=True)
class UploadReport:
    """What an upload did: raw files merged, final files written, their rows and bytes, and raw files that
    could not be read."""

    files_merged: int = 0
    files_written: int = 0
    rows: int = 0
    bytes: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Round:
    """What goes into one commit."""

    added: list[DataFile] = field(default_factory=list)
    removed: list[RemovedFile] = field(default_factory=list)
    rows: int = 0


class Uploader:
    """Uploads streams, one upload at a time for each table."""

    def __init__(
        self,
        blobs: Blobs,
        lake: Lake,
        leases: Leases,
        limits: UploadLimits,
        tier: Tier,
        clock: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._limits = limits
        self._tier = tier
        self._clock = clock

    def pending(self, stream: StreamDefinition, *, closed_only: bool) -> int:
        """How many raw files an upload would take now. Blocks; raises StorageUnavailable."""
        return int(self._raw(stream, self._lake.table(stream).snapshot(), closed_only).num_rows)

    def upload(
        self,
        stream: StreamDefinition,
        *,
        closed_only: bool,
        on_progress: Callable[[int, int], None] = untold,
        check: Callable[[], None] = go_on,
        wait_seconds: float = 0,
    ) -> UploadReport:
        """Merges the raw files of closed hours, or of all, and returns when none is left of those that were
        there at the start.

        `on_progress` is told how many raw files are done, of how many; `check` is called all the time, and
        what it raises ends the upload. Raises LeaseHeld when another upload or a clean-up is at work after
        `wait_seconds`, StorageUnavailable when storage does not answer. Nothing is lost by that, and what was
        committed stays: the next call goes on. Blocks.
        """
        report = UploadReport()
        # Without anything to do there is no lease to take.
        if not self.pending(stream, closed_only=closed_only):
            return report
        with self._leases.hold(tiers_lease(stream), wait_seconds=wait_seconds) as lease:

            def hold_on() -> None:
                check()
                lease.check()

            table = self._lake.table(stream)
            snapshot = table.snapshot()
            raw = self._raw(stream, snapshot, closed_only)
            hours = list(raw_hours(stream, raw, self._limits.rows, self._limits.merge_bytes))
            done = 0
            for taken in self._rounds(hours):
                self._upload(stream, table, snapshot, taken, hold_on, report)
                done += sum(len(hour.files) for hour in taken)
                on_progress(done, raw.num_rows)
        return report

    def _raw(self, stream: StreamDefinition, snapshot: Snapshot, closed_only: bool) -> pa.Table:
        before = closed_before(self._clock(), self._limits.grace) if closed_only else None
        return raw_files(stream, snapshot.files(), before)

    def _rounds(self, hours: Sequence[RawHour]) -> Iterator[list[RawHour]]:
        taken: list[RawHour] = []
        rows = files = 0
        for hour in hours:
            rows, files = rows + hour.rows, files + len(hour.files)
            if taken and (rows > self._limits.rows or files > self._limits.files):
                yield taken
                taken, rows, files = [], hour.rows, len(hour.files)
            taken.append(hour)
        if taken:
            yield taken

    def _upload(
        self,
        stream: StreamDefinition,
        table: LakeTable,
        planned: Snapshot,
        hours: Sequence[RawHour],
        check: Callable[[], None],
        report: UploadReport,
    ) -> None:
        taken = _Round()
        merger = Merger(stream, RawReader(stream, self._blobs), check, max(self._limits.merge_bytes // 16, 1))
        with ThreadPoolExecutor(_PARALLEL, "upload-write") as pool:
            for hour in hours:
                named = _named(stream, planned, hour)
                files = FinalFiles(
                    stream,
                    hour.place,
                    self._blobs,
                    self._tier,
                    self._limits.file_bytes,
                    named,
                    pool,
                    together=self._limits.together,
                )
                try:
                    for value, rows in merger.ordered(hour.place, hour.files):
                        check()
                        files.add(value, rows)
                except Unreadable as error:
                    _still_named(table, hour, error)
                    _log.error("unreadable", stream=stream.name, folder=hour.place.folder, error=str(error))
                    report.failed += len(hour.files)
                    continue
                taken.added += files.finish()
                taken.removed += hour.removed(stream)
                taken.rows += hour.rows
        if taken.removed:
            self._commit(stream, table, taken, check)
            report.files_merged += len(taken.removed)
            report.files_written += len(taken.added)
            report.rows += taken.rows
            report.bytes += sum(file.size for file in taken.added)

    def _commit(
        self, stream: StreamDefinition, table: LakeTable, taken: _Round, check: Callable[[], None]
    ) -> None:
        notes = {
            "kind": "upload",
            "rows": taken.rows,
            "files_merged": len(taken.removed),
            "files_written": len(taken.added),
            "bytes": sum(file.size for file in taken.added),
        }
        snapshot = replace_files(self._leases, stream, table, taken.removed, taken.added, notes, check)
        _log.info("committed", stream=stream.name, version=snapshot.version, **notes)


def _named(stream: StreamDefinition, snapshot: Snapshot, hour: RawHour) -> frozenset[str]:
    """The paths that the table names in the partition of `hour`."""
    import pyarrow.compute as pc

    files = snapshot.files()
    for column, value in hour.place.values(stream).items():
        files = files.filter(pc.equal(files[column], value))
    return frozenset(files["path"].to_pylist())


def _still_named(table: LakeTable, hour: RawHour, error: Exception) -> None:
    """Raises LeaseHeld where what could not be read was taken by another writer meanwhile."""
    if not named(table.snapshot(), [file.path for file in hour.files]).all():
        raise LeaseHeld(f"another writer took raw files of {hour.place.folder}") from error
