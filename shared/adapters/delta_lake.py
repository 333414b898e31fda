"""Delta tables through delta-rs, with DataFusion for queries."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any

from deltalake import DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    PostCommitHookProperties,
    RemoveAction,
    Transaction,
)

from shared.adapters.connection import StorageAccount
from shared.adapters.delta_removals import removals
from shared.adapters.delta_snapshot import DeltaSnapshot, View, count_files, translated
from shared.lake.looks import Looks
from shared.lake.ports import (
    NO_NOTES,
    REMOVALS,
    Blobs,
    CommitConflict,
    DataFile,
    Removals,
    RemovedFile,
    Snapshot,
)
from shared.lake.schema import table_schema
from shared.lake.summary import TableSummary
from shared.lake.table_log import STALE_SECONDS, LogCut, TableLog
from shared.platform.clock import Clock, utc_now
from shared.streams import StreamDefinition

# A log entry every minute is 1,440 a day: a checkpoint an hour keeps opening quick, a week of history allows
# time travel and lets long readers finish.
_CONFIGURATION = {
    "delta.checkpointInterval": "60",
    "delta.logRetentionDuration": "interval 7 days",
}
_REMOVED_FILES = "delta.deletedFileRetentionDuration"
# A checkpoint now and then, but no clean-up of the log: entries go once a kept summary covers them.
_HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


class DeltaLake:
    """Implements shared.lake.ports.Lake."""

    def __init__(
        self,
        account: StorageAccount,
        blobs: Blobs,
        *,
        identity: Mapping[str, str],
        clock: Clock = utc_now,
    ) -> None:
        """`identity` are delta-rs's storage options of the managed identity, unused with a key."""
        self._blobs = blobs
        self._clock = clock
        self._options = _storage_options(account, identity)
        self._tables: dict[str, DeltaLakeTable] = {}
        self._lock = Lock()

    def table(self, stream: StreamDefinition) -> DeltaLakeTable:
        """See the port. One object serves all threads."""
        with self._lock:
            if stream.name not in self._tables:
                self._tables[stream.name] = DeltaLakeTable(stream, self._blobs, self._options, self._clock)
            return self._tables[stream.name]


class DeltaLakeTable:
    """Implements shared.lake.ports.LakeTable.

    Holds one handle and moves it on with the log: opening a table costs as much as it has files, while
    looking for the next log entry is one small request. delta-rs reads the log again for each `txn` that it
    is asked for, so the progress is followed here too, with all else that the entries tell (`TableLog`).
    """

    def __init__(self, stream: StreamDefinition, blobs: Blobs, options: dict[str, str], clock: Clock) -> None:
        self._stream = stream
        self._blobs = blobs
        self._clock = clock
        self._options = options
        self._uri = f"az://{stream.container}/"
        self._lock = Lock()
        self._handle: DeltaTable | None = None
        self._log = TableLog(stream.container, stream.key_column, blobs)
        self._looked = 0.0
        self._looks = Looks()
        self._view: View | None = None
        self._told = TableSummary()

    def snapshot(self, app_ids: Iterable[str] = ()) -> DeltaSnapshot:
        """See the port."""
        asked = self._looks.ask()
        with self._lock, translated(self._uri):
            if not self._looks.serves(asked):
                with self._looks.look():
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
        with self._lock, translated(self._uri):
            handle = self._handle or self._create()
            if base.version not in (handle.version(), -1) or (base.version == -1 and handle.version() > 0):
                raise CommitConflict(f"{self._uri} moved on from version {base.version}")
            now = int(self._clock().timestamp() * 1000)
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
                post_commithook_properties=_HOOKS,
            )
            self._follow()
            return self._capture(progress)

    def summary(self, app_ids: Iterable[str] = ()) -> TableSummary:
        """See the port. Reads the log alone, whatever the number of files, while that tells all."""
        with self._lock, translated(self._uri):
            self._follow_log()
            unknown = set() if self._log.summary.whole else set(app_ids) - self._log.summary.progress.keys()
            if unknown:
                self._follow()
                self._capture(unknown)
            if unknown or self._told.version != self._log.version:
                self._told = self._log.summary.copy()
            return self._told

    def cover(self) -> int:
        """See the port."""
        with self._lock, translated(self._uri):
            self._follow_log()
            return self._log.keep()

    def removals(self, after: int, to: int) -> Iterator[Removals]:
        """See the port."""
        return removals(self._blobs, self._stream.container, after, to)

    def trim(self, removed_files: timedelta) -> None:
        """See the port."""
        with self._lock, translated(self._uri):
            self._follow()
            if self._handle is None:
                return
            kept = f"interval {int(removed_files.total_seconds() // 3600)} hours"
            if self._handle.metadata().configuration.get(_REMOVED_FILES) != kept:
                self._handle.alter.set_table_properties({_REMOVED_FILES: kept})
                self._follow()
            if self._log.keep() == self._handle.version():
                self._handle.cleanup_metadata()

    def _capture(self, app_ids: Iterable[str]) -> DeltaSnapshot:
        if self._handle is None:
            return DeltaSnapshot(self._stream, None, dict.fromkeys(app_ids, -1))
        if self._view is None or self._view.version != self._handle.version():
            self._view = View(self._at_version, self._handle.version())
        return DeltaSnapshot(self._stream, self._view, {a: self._reached(self._handle, a) for a in app_ids})

    def _reached(self, handle: DeltaTable, app_id: str) -> int:
        summary = self._log.summary
        if app_id not in summary.progress and not summary.whole:
            known = handle.transaction_version(app_id)
            summary.progress[app_id] = -1 if known is None else known
        return summary.progress.get(app_id, -1)

    @contextmanager
    def _at_version(self, version: int) -> Iterator[DeltaTable]:
        """A handle at `version`: this table's own while it stands there, else one opened for the purpose."""
        with self._lock, translated(self._uri):
            if self._handle is not None and self._handle.version() == version:
                yield self._handle
            else:
                yield DeltaTable(self._uri, version=version, storage_options=self._options)

    def _follow(self) -> None:
        """Brings handle and log to the newest version, both to the same one.

        Either may come further than the other, for others commit meanwhile: what the handle passed over is
        read before it counts.
        """
        if self._handle is None or time.monotonic() - self._looked > STALE_SECONDS:
            self._open()
        if self._handle is None:
            return
        self._read_log(self._handle)
        while self._log.version != self._handle.version():
            self._handle.update_incremental()
            self._read_log(self._handle)
        summary = self._log.summary
        if not summary.exact:
            summary.files, summary.bytes, summary.keys = count_files(self._handle, self._stream.key_column)
            summary.exact = True
        self._looked = time.monotonic()

    def _follow_log(self) -> None:
        """Brings the log alone to the newest version, unless it takes the table to tell what it holds."""
        try:
            self._log.follow()
        except LogCut:
            self._follow()
        else:
            if not self._log.summary.exact:
                self._follow()

    def _read_log(self, handle: DeltaTable) -> None:
        """Reads the log up to the version of `handle` at least; where entries are gone, from there on."""
        try:
            self._log.follow()
        except LogCut:
            pass
        else:
            if self._log.version >= handle.version():
                return
        files, size, keys = count_files(handle, self._stream.key_column)
        self._log.restart(
            TableSummary(
                version=handle.version(),
                table=str(handle.metadata().id),
                files=files,
                bytes=size,
                keys=keys,
                whole=False,
            )
        )

    def _open(self) -> None:
        try:
            self._handle = DeltaTable(self._uri, storage_options=self._options)
        except TableNotFoundError:
            self._handle = None

    def _create(self) -> DeltaTable:
        self._handle = DeltaTable.create(
            self._uri,
            Schema.from_arrow(table_schema(self._stream)),
            mode="ignore",
            partition_by=list(self._stream.partition_columns),
            name=self._stream.name,
            configuration=_CONFIGURATION,
            storage_options=self._options,
        )
        self._looked = time.monotonic()
        return self._handle


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
