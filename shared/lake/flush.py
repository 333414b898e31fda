"""FLUSH: landing segments become data files and one Delta commit, which moves their sources' `txn`.

A crash before the commit leaves unreferenced files and all segments; one after it leaves segments whose rows
the `txn` marks as committed, so that they are skipped and deleted. A table that follows the stream's (see
`Follower`) gets its own commit after that, under a `txn` of its own; segments go once both have their rows.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from shared.lake.data_files import cut_files
from shared.lake.flush_rounds import FlushRound, FreshSegment, sorted_out
from shared.lake.ports import (
    NO_FOLLOWERS,
    BlobGone,
    Blobs,
    CommitConflict,
    DataFile,
    Follower,
    Lake,
    LakeTable,
    Lease,
    Leases,
    Snapshot,
)
from shared.lake.segments import SegmentStore, rows_above
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log
from shared.streams import STREAMS, StreamDefinition
from shared.telemetry.catalogue import FLUSH_COMMITS, FLUSH_DURATION, FLUSH_FAILURES, FLUSHED_ROWS
from shared.telemetry.tracing import span

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("flush")

# Four requests at a time hide the latency of storage; more would only hold more memory.
_PARALLEL = 4


@dataclass(frozen=True, slots=True)
class FlushLimits:
    """How much one commit takes: rows, and Arrow bytes held in memory; and from how many files on the sensors
    of an asset share one."""

    rows: int
    bytes: int
    files: int = 200


@dataclass(slots=True)
class FlushReport:
    """What a flush did: the names of the files it wrote, container first, rows and commits."""

    files: list[str] = field(default_factory=list)
    rows: int = 0
    commits: int = 0


class Flusher:
    """Flushes streams, one writer at a time for each table."""

    def __init__(
        self,
        segments: SegmentStore,
        blobs: Blobs,
        lake: Lake,
        leases: Leases,
        limits: FlushLimits,
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
        self._turns = {stream.name: Lock() for stream in STREAMS}

    def flush_all(self, *, wait_seconds: float = 0) -> FlushReport:
        """Flushes every stream, and reports all that this call wrote.

        Waits up to `wait_seconds` where another flush is at work; raises LeaseHeld after that, and
        StorageUnavailable when storage does not answer. Either way nothing is lost. Blocks.
        """
        report = FlushReport()
        for stream in STREAMS:
            self._flush(stream, wait_seconds, report)
        return report

    def flush(self, stream: StreamDefinition, *, wait_seconds: float = 0) -> FlushReport:
        """Flushes one stream; see `flush_all`."""
        report = FlushReport()
        self._flush(stream, wait_seconds, report)
        return report

    def _flush(self, stream: StreamDefinition, wait_seconds: float, report: FlushReport) -> None:
        # Without anything to do there is no lease to take: an idle app costs one listing.
        if not self._segments.list(stream):
            return
        with self._turn(stream, wait_seconds) as lease, _observed(stream):
            segments = self._segments.list(stream)
            app_ids = {segment.source.app_id for segment in segments}
            table = self._lake.table(stream)
            snapshot = table.snapshot(app_ids)
            progress = {app_id: snapshot.progress(app_id) for app_id in app_ids}
            follower = self._followers.get(stream.name)
            reached = dict(progress) if follower is None else dict(follower.reached(app_ids))
            fresh, done = sorted_out(segments, progress, reached)
            self._segments.delete(stream, done)
            for taken in self._rounds(stream, fresh, reached):
                snapshot = self._commit(stream, table, snapshot, taken, lease, report)
                reached |= taken.followed

    @contextmanager
    def _turn(self, stream: StreamDefinition, wait_seconds: float) -> Iterator[Lease]:
        """One writer at a time: first among the threads of this process, then among processes."""
        turn = self._turns[stream.name]
        if not turn.acquire(timeout=wait_seconds if wait_seconds > 0 else -1, blocking=wait_seconds > 0):
            raise LeaseHeld(f"a flush of {stream.name} is at work")
        try:
            with self._leases.hold(f"flush-{stream.name}", wait_seconds=wait_seconds) as lease:
                yield lease
        finally:
            turn.release()

    def _rounds(
        self, stream: StreamDefinition, fresh: Sequence[FreshSegment], reached: dict[str, int]
    ) -> Iterator[FlushRound]:
        """The segments' rows in portions of bounded size, each source's in stream order."""
        taken = FlushRound(dict(reached))
        for segment, rows in self._read(stream, fresh):
            if taken.segments and (
                taken.rows + rows.num_rows > self._limits.rows
                or taken.size + rows.nbytes > self._limits.bytes
            ):
                yield taken
                taken = FlushRound(dict(reached))
            taken.add(segment, rows)
        if taken.segments:
            yield taken

    def _read(
        self, stream: StreamDefinition, fresh: Sequence[FreshSegment]
    ) -> Iterator[tuple[FreshSegment, pa.RecordBatch]]:
        """The segments' rows that count somewhere, a few segments ahead of whoever takes them."""

        def read(item: FreshSegment) -> pa.RecordBatch:
            return rows_above(self._segments.read(stream, item.segment), min(item.covered, item.followed))

        ahead: deque[tuple[FreshSegment, Future[pa.RecordBatch]]] = deque()
        with ThreadPoolExecutor(_PARALLEL, "flush-read") as pool:
            for item in fresh:
                ahead.append((item, pool.submit(read, item)))
                if len(ahead) > _PARALLEL:
                    yield _read_one(*ahead.popleft())
            while ahead:
                yield _read_one(*ahead.popleft())

    def _commit(
        self,
        stream: StreamDefinition,
        table: LakeTable,
        snapshot: Snapshot,
        taken: FlushRound,
        lease: Lease,
        report: FlushReport,
    ) -> Snapshot:
        """Commits what was taken, to both tables; overlapping deliveries may have added nothing."""
        follow = self._prepare(stream, taken, lease)
        if taken.rows:
            snapshot = self._commit_rows(stream, table, snapshot, taken, lease, report)
        follow()
        self._segments.delete(stream, taken.segments)
        return snapshot

    def _prepare(self, stream: StreamDefinition, taken: FlushRound, lease: Lease) -> Callable[[], None]:
        """Digests what the following table is to have, while the rows are in memory; what commits it."""
        import pyarrow as pa

        follower = self._followers.get(stream.name)
        if follower is None or not taken.following:
            taken.following.clear()
            return lambda: None
        digest = follower.digest(pa.Table.from_batches(taken.following))
        taken.following.clear()
        reached, followed = taken.reached, taken.followed
        return lambda: follower.commit(digest, reached, followed, lease.check)

    def _commit_rows(
        self,
        stream: StreamDefinition,
        table: LakeTable,
        snapshot: Snapshot,
        taken: FlushRound,
        lease: Lease,
        report: FlushReport,
    ) -> Snapshot:
        import pyarrow as pa

        name = f"{self._clock():%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
        rows = pa.Table.from_batches(taken.batches).combine_chunks()
        taken.batches.clear()
        files = self._write_files(stream, rows, name)
        del rows
        lease.check()
        try:
            snapshot = table.commit(snapshot, files, taken.progress, notes=taken.notes())
        except CommitConflict as conflict:
            raise LeaseHeld(f"another writer committed to {stream.name}: {conflict}") from conflict
        report.files += [f"{stream.container}/{file.path}" for file in files]
        report.rows += taken.rows
        report.commits += 1
        _log.info(
            "committed",
            stream=stream.name,
            version=snapshot.version,
            rows=taken.rows,
            files=len(files),
            sources=taken.ranges(),
        )
        FLUSHED_ROWS.add(taken.rows, stream.name)
        FLUSH_COMMITS.add(1, stream.name)
        return snapshot

    def _write_files(self, stream: StreamDefinition, rows: pa.Table, name: str) -> list[DataFile]:
        entries = []
        with ThreadPoolExecutor(_PARALLEL, "flush-write") as pool:
            waiting = []
            for file in cut_files(stream, rows, name, most_files=self._limits.files):
                entries.append(file.entry)
                waiting.append(
                    pool.submit(self._blobs.put_blocking, stream.container, file.entry.path, file.content)
                )
                if len(waiting) >= 2 * _PARALLEL:
                    waiting.pop(0).result()
            for upload in waiting:
                upload.result()
        return entries


@contextmanager
def _observed(stream: StreamDefinition) -> Iterator[None]:
    """Times one flush; counts one that fails."""
    started = perf_counter()
    try:
        with span("flush", attributes={"stream": stream.name}):
            yield
    except Exception as error:
        if not isinstance(error, LeaseHeld):
            FLUSH_FAILURES.add(1, stream.name)
        raise
    finally:
        FLUSH_DURATION.observe(perf_counter() - started, stream.name)


def _read_one(fresh: FreshSegment, reading: Future[pa.RecordBatch]) -> tuple[FreshSegment, pa.RecordBatch]:
    try:
        return fresh, reading.result()
    except BlobGone as gone:
        raise LeaseHeld(f"another writer took {gone}") from gone
