"""Delta tables through delta-rs, with DataFusion for queries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from shared.adapters.connection import StorageAccount
from shared.lake.ports import (
    NO_NOTES,
    REMOVALS,
    BlobGone,
    Blobs,
    CommitConflict,
    DataFile,
    RemovedFile,
    Snapshot,
)
from shared.lake.schema import row_schema, table_schema
from shared.platform.errors import StorageUnavailable
from shared.streams import StreamDefinition

# A log entry every minute is 1,440 a day: a checkpoint an hour keeps opening quick, a week of history allows
# time travel and lets long readers finish.
_CONFIGURATION = {
    "delta.checkpointInterval": "60",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}
# Expired log entries are removed; a handle that has not looked for this long (seconds) is opened anew.
_STALE = 3600.0


class _TxnAction(msgspec.Struct, rename={"app_id": "appId"}):
    app_id: str
    version: int


class _LogLine(msgspec.Struct):
    txn: _TxnAction | None = None


_decode_lines = msgspec.json.Decoder(_LogLine).decode_lines


class DeltaLake:
    """Implements shared.lake.ports.Lake."""

    def __init__(self, account: StorageAccount, blobs: Blobs, *, identity: Mapping[str, str]) -> None:
        """`identity` are delta-rs's storage options of the managed identity, unused with a key."""
        self._blobs = blobs
        self._options = _storage_options(account, identity)
        self._tables: dict[str, DeltaLakeTable] = {}
        self._lock = Lock()

    def table(self, stream: StreamDefinition) -> DeltaLakeTable:
        """See the port. One object serves all threads."""
        with self._lock:
            if stream.name not in self._tables:
                self._tables[stream.name] = DeltaLakeTable(stream, self._blobs, self._options)
            return self._tables[stream.name]


class DeltaLakeTable:
    """Implements shared.lake.ports.LakeTable.

    Holds one handle and follows the log from it: opening a table costs as much as it has files, while looking
    for the next log entry is one small request. delta-rs reads the log again for each `txn` that it is asked
    for, so the progress is followed here too.
    """

    def __init__(self, stream: StreamDefinition, blobs: Blobs, options: dict[str, str]) -> None:
        self._stream = stream
        self._blobs = blobs
        self._options = options
        self._uri = f"az://{stream.container}/"
        self._lock = Lock()
        self._handle: DeltaTable | None = None
        self._progress: dict[str, int] = {}
        self._read_to = -1
        self._looked = 0.0
        self._view: _View | None = None

    def snapshot(self, app_ids: Iterable[str] = ()) -> DeltaSnapshot:
        """See the port."""
        with self._lock, _translated(self._uri):
            self._follow()
            return self._capture(app_ids)

    def commit(
        self,
        base: Snapshot,
        files: Sequence[DataFile],
        progress: Mapping[str, int],
        *,
        removed: Sequence[RemovedFile] = (),
        rearranged: bool = False,
        notes: Mapping[str, Any] = NO_NOTES,
    ) -> DeltaSnapshot:
        """See the port."""
        with self._lock, _translated(self._uri):
            handle = self._handle or self._create()
            if base.version not in (handle.version(), -1) or (base.version == -1 and handle.version() > 0):
                raise CommitConflict(f"{self._uri} moved on from version {base.version}")
            now = int(time.time() * 1000)
            # delta-rs lets two commits that rearrange the same files pass each other; the `txn` does not.
            moved = {**progress, REMOVALS: handle.version() + 1} if removed else progress
            handle.create_write_transaction(
                [
                    *(_add_action(file, now, not rearranged) for file in files),
                    *(_remove_action(file, now, not rearranged) for file in removed),
                ],
                mode="append",
                schema=handle.schema(),
                partition_by=list(self._stream.partition_columns),
                commit_properties=CommitProperties(
                    custom_metadata={"floe": dict(notes)} if notes else None,
                    app_transactions=[Transaction(*item) for item in moved.items()],
                ),
            )
            self._follow()
            return self._capture(progress)

    def _capture(self, app_ids: Iterable[str]) -> DeltaSnapshot:
        if self._handle is None:
            return DeltaSnapshot(self._stream, None, dict.fromkeys(app_ids, -1))
        for app_id in app_ids:
            if app_id not in self._progress:
                known = self._handle.transaction_version(app_id)
                self._progress[app_id] = -1 if known is None else known
        if self._view is None or self._view.version != self._handle.version():
            self._view = _View(self, self._handle.version())
        return DeltaSnapshot(self._stream, self._view, {a: self._progress[a] for a in app_ids})

    @contextmanager
    def at_version(self, version: int) -> Iterator[DeltaTable]:
        """A handle at `version`: this table's own while it stands there, else one opened for the purpose."""
        with self._lock, _translated(self._uri):
            if self._handle is not None and self._handle.version() == version:
                yield self._handle
            else:
                yield DeltaTable(self._uri, version=version, storage_options=self._options)

    def _follow(self) -> None:
        """Brings handle and progress to the newest version, both to the same one.

        The handle may come further than the log was read, for others commit meanwhile: what it passed over is
        read before it counts.
        """
        if self._handle is None or time.monotonic() - self._looked > _STALE:
            self._open()
        else:
            self._read_log()
            while self._read_to != self._handle.version():
                self._handle.update_incremental()
                self._read_log()
        self._looked = time.monotonic()

    def _read_log(self) -> None:
        """Notes the progress in the log entries that were not read yet."""
        while True:
            try:
                entry = self._blobs.get(self._stream.container, f"_delta_log/{self._read_to + 1:020}.json")
            except BlobGone:
                return
            for line in _decode_lines(entry):
                if line.txn is not None:
                    self._progress[line.txn.app_id] = line.txn.version
            self._read_to += 1

    def _open(self) -> None:
        try:
            self._stand_on(DeltaTable(self._uri, storage_options=self._options))
        except TableNotFoundError:
            self._handle = None

    def _create(self) -> DeltaTable:
        return self._stand_on(
            DeltaTable.create(
                self._uri,
                Schema.from_arrow(table_schema(self._stream)),
                mode="ignore",
                partition_by=list(self._stream.partition_columns),
                name=self._stream.name,
                configuration=_CONFIGURATION,
                storage_options=self._options,
            )
        )

    def _stand_on(self, handle: DeltaTable) -> DeltaTable:
        """Follows the log from where `handle` stands; progress up to there is asked of it."""
        self._handle = handle
        self._read_to = handle.version()
        self._progress.clear()
        return handle


class _View:
    """What one version shows, read when first asked for and shared by all its snapshots."""

    def __init__(self, table: DeltaLakeTable, version: int) -> None:
        self.version = version
        self._table = table
        self._lock = Lock()
        self._query: QueryBuilder | None = None
        self._files: pa.Table | None = None

    def query(self) -> QueryBuilder:
        """DataFusion over this version, as the table `rows`."""
        with self._lock:
            if self._query is None:
                with self._table.at_version(self.version) as handle:
                    self._query = QueryBuilder().register("rows", handle)
            return self._query

    def files(self, stream: StreamDefinition) -> pa.Table:
        """The live files with their statistics; see the port."""
        with self._lock:
            if self._files is None:
                with self._table.at_version(self.version) as handle:
                    self._files = _files_table(stream, pa.table(handle.get_add_actions(flatten=True)))
            return self._files


class DeltaSnapshot:
    """Implements shared.lake.ports.Snapshot."""

    def __init__(self, stream: StreamDefinition, view: _View | None, progress: dict[str, int]) -> None:
        self._stream = stream
        self._progress = progress
        self._view = view
        self.version = -1 if view is None else view.version

    def progress(self, app_id: str) -> int:
        """See the port."""
        return self._progress[app_id]

    def files(self) -> pa.Table:
        """See the port."""
        if self._view is None:
            return _files_schema(self._stream.partition_columns).empty_table()
        return self._view.files(self._stream)

    def select(self, sql: str) -> pa.Table:
        """See the port."""
        if self._view is None:
            return row_schema(self._stream).empty_table()
        query = self._view.query()
        with _translated(self._stream.container):
            return pa.table(query.execute(sql).read_all())


def _files_table(stream: StreamDefinition, actions: pa.Table) -> pa.Table:
    time_column, keys = stream.time_column, stream.partition_columns
    if not actions.num_rows:
        return _files_schema(keys).empty_table()
    columns = [
        actions["path"],
        actions["size_bytes"],
        actions["num_records"],
        actions[f"min.{time_column}"].cast(pa.int64()),
        actions[f"max.{time_column}"].cast(pa.int64()),
        *(pc.cast(actions[f"partition.{key}"], pa.string()) for key in keys),
    ]
    return pa.table(columns, schema=_files_schema(keys)).combine_chunks()


def _files_schema(keys: Sequence[str]) -> pa.Schema:
    numbers = [(name, pa.int64()) for name in ("size", "rows", "earliest", "latest")]
    return pa.schema([("path", pa.string()), *numbers, *((key, pa.string()) for key in keys)])


def _add_action(file: DataFile, now: int, data_change: bool) -> AddAction:
    return AddAction(file.path, file.size, dict(file.partition), now, data_change, file.statistics)


def _remove_action(file: RemovedFile, now: int, data_change: bool) -> RemoveAction:
    return RemoveAction(file.path, data_change, now, size=file.size, partition_values=dict(file.partition))


def _storage_options(account: StorageAccount, identity: Mapping[str, str]) -> dict[str, str]:
    options = {
        "azure_storage_account_name": account.name,
        "azure_storage_endpoint": account.blob_endpoint,
        "timeout": "20s",
        "connect_timeout": "3s",
        "max_retries": "3",
        "retry_timeout": "20s",
    }
    if account.key is None:
        return {**options, **identity}
    options["azure_storage_account_key"] = account.key
    return {**options, "allow_http": json.dumps(account.insecure)}


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except CommitFailedError as error:
        if re.search("[Cc]oncurrent|conflict|changed since", str(error)):
            raise CommitConflict(str(error)) from error
        raise StorageUnavailable(f"a commit to {uri} failed") from error
    except (DeltaError, OSError) as error:
        raise StorageUnavailable(f"the table {uri} could not be read or written") from error
