"""FLUSH: landing segments become data files and one Delta commit, which moves their sources' `txn`.

A crash before the commit leaves unreferenced files and all segments; one after it leaves segments whose rows
the `txn` marks as committed, so that they are skipped and deleted.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

from shared.lake.data_files import cut_files
from shared.lake.ports import (
    BlobGone,
    Blobs,
    CommitConflict,
    DataFile,
    Lake,
    LakeTable,
    Lease,
    Leases,
    Snapshot,
)
from shared.lake.segments import Segment, SegmentStore, messages_in, rows_above, uncommitted
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


@dataclass(slots=True)
class _Round:
    """What goes into one commit."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    progress: dict[str, int] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    last_message: int = 0
    rows: int = 0
    size: int = 0

    def add(self, segment: Segment, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)
        self.segments.append(segment)
        self.progress[segment.source.app_id] = segment.last
        self.rows += batch.num_rows
        self.size += batch.nbytes
        if batch.num_rows:
            messages = messages_in(batch)
            self.messages[segment.source.topic] += messages
            if segment.alone is not None:
                self.alone[segment.source.topic] += min(segment.alone, messages)
            self.last_message = max(self.last_message, _latest_ingestion(batch))

    def ranges(self) -> dict[str, tuple[int, int]]:
        """The first and the last sequence number of the segments taken, by source."""
        firsts: dict[str, int] = {}
        for segment in self.segments:
            firsts[segment.source.app_id] = min(
                segment.first, firsts.get(segment.source.app_id, segment.first)
            )
        return {app_id: (first, self.progress[app_id]) for app_id, first in firsts.items()}

    def notes(self) -> dict[str, Any]:
        """What the log entry says of this commit: rows, messages that gave any (by topic), when the broker
        took the last of them (µs since 1970); of dead letters, how many messages gave no row (by topic)."""
        return {
            "kind": "flush",
            "rows": self.rows,
            "messages": dict(self.messages),
            "last_message": self.last_message,
            **({"alone": dict(self.alone)} if self.alone else {}),
        }


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
    ) -> None:
        self._segments = segments
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._limits = limits
        self._clock = clock
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
            table = self._lake.table(stream)
            snapshot = table.snapshot({segment.source.app_id for segment in segments})
            fresh, done = _sorted_out(segments, snapshot)
            self._segments.delete(stream, done)
            for taken in self._rounds(stream, fresh):
                snapshot = self._commit(stream, table, snapshot, taken, lease, report)

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

    def _rounds(self, stream: StreamDefinition, fresh: Sequence[tuple[Segment, int]]) -> Iterator[_Round]:
        """The segments' rows in portions of bounded size, each source's in stream order."""
        taken = _Round()
        for segment, rows in self._read(stream, fresh):
            if taken.segments and (
                taken.rows + rows.num_rows > self._limits.rows
                or taken.size + rows.nbytes > self._limits.bytes
            ):
                yield taken
                taken = _Round()
            taken.add(segment, rows)
        if taken.segments:
            yield taken

    def _read(
        self, stream: StreamDefinition, fresh: Sequence[tuple[Segment, int]]
    ) -> Iterator[tuple[Segment, pa.RecordBatch]]:
        """The segments' rows that count, a few segments ahead of whoever takes them."""

        def read(item: tuple[Segment, int]) -> pa.RecordBatch:
            segment, covered = item
            return rows_above(self._segments.read(stream, segment), covered)

        ahead: deque[tuple[Segment, Future[pa.RecordBatch]]] = deque()
        with ThreadPoolExecutor(_PARALLEL, "flush-read") as pool:
            for item in fresh:
                ahead.append((item[0], pool.submit(read, item)))
                if len(ahead) > _PARALLEL:
                    yield _read_one(*ahead.popleft())
            while ahead:
                yield _read_one(*ahead.popleft())

    def _commit(
        self,
        stream: StreamDefinition,
        table: LakeTable,
        snapshot: Snapshot,
        taken: _Round,
        lease: Lease,
        report: FlushReport,
    ) -> Snapshot:
        import pyarrow as pa

        if not taken.rows:  # overlapping deliveries that add nothing
            self._segments.delete(stream, taken.segments)
            return snapshot
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
        self._segments.delete(stream, taken.segments)
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


def _latest_ingestion(rows: pa.RecordBatch) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    return int(pc.max(rows.column("ingestion_time").cast(pa.int64())).as_py())


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


def _read_one(segment: Segment, reading: Future[pa.RecordBatch]) -> tuple[Segment, pa.RecordBatch]:
    try:
        return segment, reading.result()
    except BlobGone as gone:
        raise LeaseHeld(f"another writer took {gone}") from gone


def _sorted_out(
    segments: Sequence[Segment], snapshot: Snapshot
) -> tuple[list[tuple[Segment, int]], list[Segment]]:
    """The segments with rows that are not committed yet (and above which sequence number), and the others."""
    fresh: list[tuple[Segment, int]] = []
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        fresh += uncommitted(list(group), snapshot.progress(app_id))
    kept = {segment for segment, _ in fresh}
    return fresh, [segment for segment in segments if segment not in kept]
