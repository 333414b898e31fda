"""The ports behind a seam that counts calls and at one of them strikes: raises, or ends the process."""

from __future__ import annotations

from collections.abc import Buffer, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from shared.ingest.ports import Hubs
from shared.lake.ports import (
    BlobInfo,
    Blobs,
    DataFile,
    Lake,
    LakeTable,
    Lease,
    Leases,
    Removals,
    Snapshot,
    Tier,
)
from shared.lake.summary import TableSummary
from shared.platform.queues import Queues
from shared.platform.tables import Row, Tables
from shared.streams import StreamDefinition


@dataclass
class Seam:
    """Calls `strike` before or after the call number `at`, from 0; None never does."""

    strike: Callable[[], None]
    at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Around each call of a port."""
        with self._lock:
            struck = len(self.calls) == self.at
            self.calls.append(name)
        if struck and not self.after:
            self.strike()
        try:
            yield
        finally:
            if struck and self.after:
                self.strike()


class SeamBlobs:
    """Blobs behind a seam."""

    def __init__(self, blobs: Blobs, seam: Seam) -> None:
        self._blobs = blobs
        self._seam = seam

    async def put(self, container: str, name: str, data: bytes) -> None:
        with self._seam.call(f"put {container}/{name}"):
            await self._blobs.put(container, name, data)

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        with self._seam.call(f"put {container}/{name}"):
            self._blobs.put_blocking(container, name, data)

    def create(self, container: str, name: str, data: Buffer, tier: Tier) -> None:
        with self._seam.call(f"create {container}/{name}"):
            self._blobs.create(container, name, data, tier)

    def get(self, container: str, name: str) -> bytes:
        with self._seam.call(f"get {container}/{name}"):
            return self._blobs.get(container, name)

    def get_range(self, container: str, name: str, start: int, end: int) -> bytes:
        with self._seam.call(f"get {start}-{end} of {container}/{name}"):
            return self._blobs.get_range(container, name, start, end)

    def list(self, container: str, prefix: str) -> list[BlobInfo]:
        with self._seam.call(f"list {container}/{prefix}"):
            return [*self._blobs.list(container, prefix)]

    def delete(self, container: str, names: Sequence[str]) -> None:
        with self._seam.call(f"delete {len(names)} in {container}"):
            self._blobs.delete(container, names)


class SeamLake:
    """Delta tables behind a seam."""

    def __init__(self, lake: Lake, seam: Seam) -> None:
        self._lake = lake
        self._seam = seam

    def table(self, stream: StreamDefinition) -> SeamTable:
        return SeamTable(self._lake.table(stream), stream.name, self._seam)


class SeamTable:
    """A Delta table behind a seam."""

    def __init__(self, table: LakeTable, name: str, seam: Seam) -> None:
        self._table = table
        self._name = name
        self._seam = seam

    def snapshot(self, app_ids: Iterable[str] = ()) -> Snapshot:
        with self._seam.call(f"snapshot of {self._name}"):
            return self._table.snapshot(app_ids)

    def removals(self, after: int, to: int) -> list[Removals]:
        with self._seam.call(f"removals from {self._name}"):
            return [*self._table.removals(after, to)]

    def trim(self, removed_files: timedelta) -> None:
        with self._seam.call(f"trim the log of {self._name}"):
            self._table.trim(removed_files)

    def commit(
        self, base: Snapshot, files: Sequence[DataFile], progress: Mapping[str, int], **more: Any
    ) -> Snapshot:
        with self._seam.call(f"commit to {self._name}"):
            return self._table.commit(base, files, progress, **more)

    def summary(self, app_ids: Iterable[str] = ()) -> TableSummary:
        with self._seam.call(f"summary of {self._name}"):
            return self._table.summary(app_ids)

    def cover(self) -> int:
        with self._seam.call(f"cover {self._name}"):
            return self._table.cover()


class SeamLeases:
    """Leases behind a seam: taking, checking and giving back are calls."""

    def __init__(self, leases: Leases, seam: Seam) -> None:
        self._leases = leases
        self._seam = seam

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float) -> Iterator[Any]:
        held = self._leases.hold(name, wait_seconds=wait_seconds)
        with self._seam.call(f"take {name}"):
            lease = held.__enter__()
        try:
            yield SeamLease(lease, name, self._seam)
        finally:
            with self._seam.call(f"give back {name}"):
                held.__exit__(None, None, None)


class SeamLease:
    """A lease behind a seam."""

    def __init__(self, lease: Lease, name: str, seam: Seam) -> None:
        self._lease = lease
        self._name = name
        self._seam = seam

    def check(self) -> None:
        with self._seam.call(f"check {self._name}"):
            self._lease.check()


class SeamHubs:
    """Hubs behind a seam."""

    def __init__(self, hubs: Hubs, seam: Seam) -> None:
        self._hubs = hubs
        self._seam = seam

    def identity(self, topic: str) -> str:
        with self._seam.call(f"identity of {topic}"):
            return self._hubs.identity(topic)


class SeamTables:
    """Tables behind a seam."""

    def __init__(self, tables: Tables, seam: Seam) -> None:
        self._tables = tables
        self._seam = seam

    def get(self, table: str, partition: str, key: str) -> Row:
        with self._seam.call(f"get {table}/{partition}"):
            return self._tables.get(table, partition, key)

    def insert(self, table: str, row: Row) -> Row:
        with self._seam.call(f"insert {table}/{row.partition}"):
            return self._tables.insert(table, row)

    def replace(self, table: str, row: Row) -> Row:
        with self._seam.call(f"replace {table}/{row.partition}"):
            return self._tables.replace(table, row)

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        with self._seam.call(f"delete {table}/{partition}"):
            self._tables.delete(table, partition, key, etag)

    def query(self, table: str, partition: str, **wanted: Any) -> list[Row]:
        with self._seam.call(f"query {table}/{partition}"):
            return self._tables.query(table, partition, **wanted)

    def expired(self, table: str, before: datetime, *, limit: int = 1000) -> list[Row]:
        with self._seam.call(f"expired {table}"):
            return self._tables.expired(table, before, limit=limit)


class SeamQueues:
    """Queues behind a seam."""

    def __init__(self, queues: Queues, seam: Seam) -> None:
        self._queues = queues
        self._seam = seam

    def send(self, queue: str, text: str, *, delay_seconds: int = 0) -> None:
        with self._seam.call(f"send to {queue}"):
            self._queues.send(queue, text, delay_seconds=delay_seconds)
