"""CLEAN UP: what no reader can need any more, and never a file that the table names.

What commits took out of the table stays for a while for readers that stand on an older version. Then, once a
day, storage is searched for what flushes and uploads left that died.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched

from msgspec.structs import replace

from shared.lake.cleanup_progress import CleanupProgress, ProgressStore
from shared.lake.commits import fence, named, replace_files
from shared.lake.flush_rounds import sorted_out
from shared.lake.paths import RAW
from shared.lake.ports import (
    NO_FOLLOWERS,
    BlobInfo,
    Blobs,
    Follower,
    Lake,
    LakeTable,
    Leases,
    RemovedFile,
    Snapshot,
)
from shared.lake.segments import SegmentStore
from shared.lake.turns import go_on, tiers_lease, turn_at, untold
from shared.platform.logs import get_log
from shared.streams import StreamDefinition

_log = get_log("cleanup")

# A flush or an upload that has not committed a file this long after writing it never will.
ORPHAN_AGE = timedelta(days=1)
_SEARCH_EVERY = timedelta(days=1)
# Files that one commit takes out, and files that are deleted between two looks at the lease.
_COMMITTED_TOGETHER = 5000
_DELETED_TOGETHER = 100
# Old files that one look at the table is taken for.
_SEARCHED_TOGETHER = 10_000


@dataclass(frozen=True, slots=True)
class CleanupLimits:
    """How long removed files are kept, and rows of each stream, by its name (None: for ever)."""

    removed_files: timedelta
    retention: Mapping[str, timedelta | None] = field(default_factory=dict)


@dataclass(slots=True)
class CleanupReport:
    """What a clean-up deleted: files (and segments), their bytes; and the keys' hours that it took out of the
    table because they were past their retention."""

    files_deleted: int = 0
    bytes_freed: int = 0
    partitions_dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """One clean-up of one stream."""

    stream: StreamDefinition
    table: LakeTable
    check: Callable[[], None]
    report: CleanupReport


class Cleaner:
    """Cleans streams up, one clean-up at a time for each table and none while it is uploaded."""

    def __init__(
        self,
        segments: SegmentStore,
        blobs: Blobs,
        lake: Lake,
        leases: Leases,
        limits: CleanupLimits,
        clock: Callable[[], datetime],
        followers: Mapping[str, Follower] = NO_FOLLOWERS,
    ) -> None:
        """`followers`: the tables that follow those of streams, by the streams' names."""
        self._segments = segments
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._limits = limits
        self._clock = clock
        self._followers = followers
        self._progress = ProgressStore(blobs)

    def due(self, stream: StreamDefinition) -> bool:
        """Whether there may be something to do: commits that were not gone through yet, or a day since
        storage was searched. Blocks; raises StorageUnavailable."""
        version = self._lake.table(stream).summary().version
        if version < 0:
            return False
        progress = self._progress.read(stream)
        return version > progress.version or self._must_search(progress)

    def clean(
        self,
        stream: StreamDefinition,
        *,
        report: CleanupReport | None = None,
        on_progress: Callable[[int, int], None] = untold,
        check: Callable[[], None] = go_on,
        wait_seconds: float = 0,
    ) -> CleanupReport:
        """Takes out what is past its retention, and deletes what nobody needs.

        `report` counts on, whatever ends the work. `on_progress` is told how many steps are done, of how
        many; `check` is called all the time, and what it raises ends the work. Raises LeaseHeld when an
        upload or another clean-up is at work after `wait_seconds`, StorageUnavailable when storage does not
        answer; the next call goes on. Blocks.
        """
        report = report or CleanupReport()
        table = self._lake.table(stream)
        if table.snapshot().version < 0:
            return report
        with self._leases.hold(tiers_lease(stream), wait_seconds=wait_seconds) as lease:

            def hold_on() -> None:
                check()
                lease.check()

            steps = (
                self._delete_committed_segments,
                self._drop_expired,
                self._delete_removed,
                self._delete_orphans,
                self._trim_log,
            )
            work = _Work(stream, table, hold_on, report)
            for done, step in enumerate(steps, 1):
                hold_on()
                step(work)
                on_progress(done, len(steps))
        _log.info(
            "cleaned up",
            stream=stream.name,
            files=report.files_deleted,
            bytes=report.bytes_freed,
            partitions=report.partitions_dropped,
        )
        return report

    def _delete_committed_segments(self, work: _Work) -> None:
        """What a flush left that was killed after its commit; the next flush would take it too."""
        segments = self._segments.list(work.stream)
        app_ids = {segment.source.app_id for segment in segments}
        snapshot = work.table.snapshot(app_ids)
        progress = {app_id: snapshot.progress(app_id) for app_id in app_ids}
        follower = self._followers.get(work.stream.name)
        _, done = sorted_out(segments, progress, progress if follower is None else follower.reached(app_ids))
        self._segments.delete(work.stream, done)
        work.report.files_deleted += len(done)
        work.report.bytes_freed += sum(segment.size for segment in done)

    def _drop_expired(self, work: _Work) -> None:
        """Takes whole dates out of the table; their files are deleted later, as all that was removed."""
        kept = self._limits.retention.get(work.stream.name)
        if kept is None:
            return
        before = (self._clock() - kept).date().isoformat()
        expired = _expired(work.stream, work.table.snapshot(), before)
        for taken in batched(expired, _COMMITTED_TOGETHER, strict=False):
            notes = {"kind": "retention", "files": len(taken), "bytes": sum(file.size for file in taken)}
            replace_files(self._leases, work.stream, work.table, taken, (), notes, work.check)
        work.report.partitions_dropped += len({tuple(file.partition.values()) for file in expired})

    def _delete_removed(self, work: _Work) -> None:
        """Deletes what was taken out of the table long enough ago."""
        horizon = self._clock() - self._limits.removed_files
        progress = self._progress.read(work.stream)
        snapshot = work.table.snapshot()
        reached = progress.version
        for entry in work.table.removals(progress.version, snapshot.version):
            if entry.at > horizon:
                reached = entry.version - 1
                break
            live = named(snapshot, [info.name for info in entry.files])
            self._delete(work, [info for info, keep in zip(entry.files, live, strict=True) if not keep])
        else:
            reached = snapshot.version
        if reached > progress.version:
            self._progress.write(work.stream, replace(progress, version=reached))

    def _delete_orphans(self, work: _Work) -> None:
        """Deletes what died flushes and uploads left, found by a search through all of storage."""
        now = self._clock()
        progress = self._progress.read(work.stream)
        if not self._must_search(progress):
            return
        found = self._blobs.list(work.stream.container, "")
        old = (info for info in found if _is_data(info) and info.modified < now - ORPHAN_AGE)
        for infos in batched(old, _SEARCHED_TOGETHER, strict=False):
            work.check()
            live = named(work.table.snapshot(), [info.name for info in infos])
            unnamed = [info for info, keep in zip(infos, live, strict=True) if not keep]
            if unnamed:
                self._delete_unnamed(work, progress.version, unnamed)
        self._progress.write(work.stream, replace(progress, searched=now))

    def _must_search(self, progress: CleanupProgress) -> bool:
        searched = progress.searched
        return searched is None or not timedelta() <= self._clock() - searched < _SEARCH_EVERY

    def _delete_unnamed(self, work: _Work, cleaned: int, infos: Sequence[BlobInfo]) -> None:
        """Deletes those of `infos` that no version names any more, and none will.

        In a turn at the table no flush is at work, and under the lease of the tiers no upload. One that lost
        its lease and does not know it yet is kept from committing final files by the fence.
        """
        with turn_at(self._leases, work.stream, work.check) as lease:
            snapshot = work.table.snapshot()
            if any(not info.name.startswith(RAW) for info in infos):
                snapshot = fence(work.stream, work.table, snapshot, lease)
            live = named(snapshot, [info.name for info in infos])
            removed = {
                info.name for entry in work.table.removals(cleaned, snapshot.version) for info in entry.files
            }
            lease.check()
            self._delete(
                work,
                [i for i, keep in zip(infos, live, strict=True) if not keep and i.name not in removed],
                lease.check,
            )

    def _delete(self, work: _Work, infos: Sequence[BlobInfo], check: Callable[[], None] = go_on) -> None:
        for together in batched(infos, _DELETED_TOGETHER, strict=False):
            work.check()
            check()
            self._blobs.delete(work.stream.container, [info.name for info in together])
            work.report.files_deleted += len(together)
            work.report.bytes_freed += sum(info.size for info in together)

    def _trim_log(self, work: _Work) -> None:
        with turn_at(self._leases, work.stream, work.check):
            work.table.trim(self._limits.removed_files)


def _expired(stream: StreamDefinition, snapshot: Snapshot, before: str) -> list[RemovedFile]:
    """The files of dates before `before`."""
    import pyarrow.compute as pc

    files = snapshot.files()
    files = files.filter(pc.less(files["date"], before))
    return [
        RemovedFile(row["path"], row["size"], {name: row[name] for name in stream.partition_columns})
        for row in files.select(["path", "size", *stream.partition_columns]).to_pylist()
    ]


def _is_data(info: BlobInfo) -> bool:
    """Whether a blob may be a data file of ours: the log and what else is kept beside it starts otherwise."""
    return info.name.endswith(".parquet") and not info.name.startswith("_")
