"""What the lake stands on: blobs, Delta tables, and leases that make one writer at a time.

tests/contracts holds every implementation of these, fakes included, to one suite.
"""

from __future__ import annotations

from collections.abc import Buffer, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from shared.lake.summary import TableSummary
    from shared.streams import StreamDefinition

NO_NOTES: Mapping[str, Any] = MappingProxyType({})
# The `txn` id that every commit which takes files out moves, so that no two of them pass each other. Alone it
# is a fence: a commit that takes files out and was prepared on an older version is refused from then on.
REMOVALS = "removals"


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A blob's name within its container, its size in bytes, and when it was written, by storage's clock."""

    name: str
    size: int
    modified: datetime = field(default=datetime.min.replace(tzinfo=UTC), compare=False)


# What a blob costs to keep and to read; cool and cold ones cost extra when deleted within 30 and 90 days.
Tier = Literal["Hot", "Cool", "Cold"]


class BlobGone(Exception):
    """The blob does not exist (any more)."""


class BlobExists(Exception):
    """A blob of that name exists already."""


class Blobs(Protocol):
    """Blobs of the data path. Every method raises StorageUnavailable when storage does not answer."""

    async def put(self, container: str, name: str, data: bytes) -> None:
        """Writes the blob, whole or not at all; replaces one of the same name."""

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        """`put`, for threads."""

    def create(self, container: str, name: str, data: Buffer, tier: Tier) -> None:
        """Writes a new blob in `tier`, whole or not at all; raises BlobExists. Blocks.

        BlobExists may also mean that this very call wrote it, and that the answer to its first try got lost.
        """

    def get(self, container: str, name: str) -> bytes:
        """The blob's bytes; raises BlobGone. Blocks."""

    def get_range(self, container: str, name: str, start: int, end: int) -> bytes:
        """The blob's bytes from `start` up to `end` (exclusive), within its size; raises BlobGone. Blocks."""

    def list(self, container: str, prefix: str) -> Iterable[BlobInfo]:
        """The blobs whose names start with `prefix`, in the order of their names. Blocks."""

    def delete(self, container: str, names: Sequence[str]) -> None:
        """Deletes the blobs; those that are gone already are no error. Blocks."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file to commit: path within the container, bytes, rows, partition values, column statistics.

    `statistics` is the JSON of the Delta protocol's per-file statistics.
    """

    path: str
    size: int
    rows: int
    partition: Mapping[str, str]
    statistics: str


@dataclass(frozen=True, slots=True)
class RemovedFile:
    """A live data file that a commit takes out of the table: path within the container, bytes, partition."""

    path: str
    size: int
    partition: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Removals:
    """What one entry of the log took out of the table: the data files, by name and size, and when."""

    version: int
    at: datetime
    files: tuple[BlobInfo, ...]


class CommitConflict(Exception):
    """Another writer committed the same progress, or took files out, first; nothing of this commit holds."""


class Snapshot(Protocol):
    """One version of a table, unchanging."""

    @property
    def version(self) -> int:
        """The Delta version."""

    def progress(self, app_id: str) -> int:
        """The last sequence number committed under this `txn` id, one of those that the snapshot was taken
        with; -1 where there is none."""

    def files(self) -> pa.Table:
        """The live files: `path`, `size` (bytes), `rows`, `earliest` and `latest` (µs since 1970 of the time
        column), and the partition columns as text; where the stream has a file column `lowest` and `highest`,
        which bound it, null where that is not known."""

    def select(self, sql: str) -> pa.Table:
        """The answer of DataFusion to `sql`, in which the table is called `rows`. Blocks.

        Raises BlobGone where a file that it needs is gone, StorageUnavailable where storage does not answer.
        """


class LakeTable(Protocol):
    """A Delta table at the root of a stream's container; made at the first commit."""

    def snapshot(self, app_ids: Iterable[str] = ()) -> Snapshot:
        """The newest version, with the progress of `app_ids`. Blocks; raises StorageUnavailable."""

    def commit(
        self,
        base: Snapshot,
        files: Sequence[DataFile],
        progress: Mapping[str, int],
        *,
        removed: Sequence[RemovedFile] = (),
        rearranged: bool = False,
        notes: Mapping[str, Any] = NO_NOTES,
    ) -> Snapshot:
        """Adds `files`, takes out `removed` and sets `progress` in one commit on top of `base`, and returns
        the new version, with the progress of the same ids.

        `rearranged`: the files that are added hold the very rows of those removed. `notes` (JSON) stand in
        the log entry's commitInfo under `floe`. `base` must be this table's last snapshot. Raises
        CommitConflict when the same progress was committed after it, or both take files out;
        StorageUnavailable when storage did not answer; then the commit may hold or not, which the next
        snapshot tells. Blocks.
        """

    def summary(self, app_ids: Iterable[str] = ()) -> TableSummary:
        """The newest version's summary, at a cost that does not grow with the table's files; not to be
        changed. The progress of `app_ids` is in it as far as there is any, that of others as far as it is
        known. Blocks; raises StorageUnavailable."""

    def cover(self) -> int:
        """Keeps the newest version's summary durably, and returns up to which version entries of the log are
        covered by one that is kept; no entry above may be removed. -1: none. Blocks."""

    def removals(self, after: int, to: int) -> Iterable[Removals]:
        """The entries of the log from version `after` (exclusive) to `to` (inclusive) that took files out, in
        order; entries that the log no longer has are passed over. Blocks."""

    def trim(self, removed_files: timedelta) -> None:
        """Removes entries of the log that are past its retention and covered by a summary that is kept, and
        has the table say that removed files are kept for `removed_files`. Blocks; call it in a turn at the
        table."""


class Lake(Protocol):
    """The tables of all streams."""

    def table(self, stream: StreamDefinition) -> LakeTable:
        """The table of `stream`."""


class Follower(Protocol):
    """A table that is derived from the rows of a stream, and keeps a progress of its own over the same
    sources. Whoever commits rows to the stream's table, in a turn at it, has it follow; what was committed to
    one table and not to the other is made up for by the next."""

    def reached(self, app_ids: Iterable[str]) -> Mapping[str, int]:
        """The last sequence number of each source that counts in the derived table; -1 where none does.
        Blocks; raises StorageUnavailable."""

    def digest(self, rows: pa.Table) -> pa.Table:
        """What the derived table needs of `rows` of the stream, which is much less."""

    def commit(
        self,
        digest: pa.Table,
        reached: Mapping[str, int],
        progress: Mapping[str, int],
        check: Callable[[], None],
    ) -> None:
        """Counts `digest` in and moves the derived table from `reached` to `progress`, in one commit; nothing
        where both are the same.

        `check` is called while it waits for its turn, and right before the commit. Raises LeaseHeld where the
        table does not stand at `reached`, or another writer is in the way. Blocks; raises StorageUnavailable.
        """


NO_FOLLOWERS: Mapping[str, Follower] = MappingProxyType({})


class Lease(Protocol):
    """A lease that is held."""

    def check(self) -> None:
        """Raises LeaseHeld when the lease was lost in between."""


class Leases(Protocol):
    """Leases by name, each held by one process at a time."""

    def hold(self, name: str, *, wait_seconds: float) -> AbstractContextManager[Lease]:
        """Takes the lease and renews it until the block ends; raises LeaseHeld after `wait_seconds`."""
