"""One version of a Delta table, read by delta-rs and DataFusion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import CommitFailedError, DeltaError

from shared.lake.ports import BlobGone, CommitConflict
from shared.lake.schema import row_schema
from shared.lake.summary import Share
from shared.platform.errors import StorageUnavailable
from shared.streams import StreamDefinition

# Gives a handle at a version.
type AtVersion = Callable[[int], AbstractContextManager[DeltaTable]]


class View:
    """What one version shows, read when first asked for and shared by all its snapshots."""

    def __init__(self, at_version: AtVersion, version: int) -> None:
        self.version = version
        self._at_version = at_version
        self._lock = Lock()
        self._query: QueryBuilder | None = None
        self._files: pa.Table | None = None

    def query(self) -> QueryBuilder:
        """DataFusion over this version, as the table `rows`."""
        with self._lock:
            if self._query is None:
                with self._at_version(self.version) as handle:
                    self._query = QueryBuilder().register("rows", handle)
            return self._query

    def files(self, stream: StreamDefinition) -> pa.Table:
        """The live files with their statistics; see the port."""
        with self._lock:
            if self._files is None:
                with self._at_version(self.version) as handle:
                    self._files = _files_table(stream, pa.table(handle.get_add_actions(flatten=True)))
            return self._files


class DeltaSnapshot:
    """Implements shared.lake.ports.Snapshot."""

    def __init__(self, stream: StreamDefinition, view: View | None, progress: dict[str, int]) -> None:
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
            return _files_schema(self._stream).empty_table()
        return self._view.files(self._stream)

    def select(self, sql: str) -> pa.Table:
        """See the port."""
        if self._view is None:
            return row_schema(self._stream).empty_table()
        query = self._view.query()
        try:
            return pa.table(query.execute(sql).read_all())
        except Exception as error:
            raise _told(error, self._stream.container) from error


def _told(error: Exception, container: str) -> Exception:
    """The port's error for DataFusion's, which says by its text alone what failed; else the error itself."""
    text = str(error)
    if re.search("Object at location .* not found", text):
        return BlobGone(f"a file of {container}")
    if isinstance(error, (DeltaError, OSError)) or "Object Store error" in text:
        return StorageUnavailable(f"the table {container} could not be read")
    return error


def _files_table(stream: StreamDefinition, actions: pa.Table) -> pa.Table:
    time_column = stream.time_column
    schema = _files_schema(stream)
    if not actions.num_rows:
        return schema.empty_table()
    columns = [
        actions["path"],
        actions["size_bytes"],
        actions["num_records"],
        actions[f"min.{time_column}"].cast(pa.int64()),
        actions[f"max.{time_column}"].cast(pa.int64()),
        *(pc.cast(actions[f"partition.{key}"], pa.string()) for key in stream.partition_columns),
    ]
    if stream.file_column is not None:
        for name in (f"min.{stream.file_column}", f"max.{stream.file_column}"):
            known = name in actions.column_names
            columns.append(pc.cast(actions[name], pa.string()) if known else pa.nulls(actions.num_rows))
    return pa.table(columns, names=schema.names).cast(schema).combine_chunks()


def _files_schema(stream: StreamDefinition) -> pa.Schema:
    numbers = [(name, pa.int64()) for name in ("size", "rows", "earliest", "latest")]
    texts = [*stream.partition_columns, *(("lowest", "highest") if stream.file_column else ())]
    return pa.schema([("path", pa.string()), *numbers, *((name, pa.string()) for name in texts)])


def count_files(handle: DeltaTable, key_column: str) -> tuple[int, int, dict[str, Share]]:
    """The live files of `handle` and their bytes, in all and by key."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    if not actions.num_rows:
        return 0, 0, {}
    sizes = pa.table(
        [pc.cast(actions[f"partition.{key_column}"], pa.string()), actions["size_bytes"]], ["key", "size"]
    )
    sums = sizes.group_by("key").aggregate([("size", "count"), ("size", "sum")])
    keys = {row["key"] or "": Share(row["size_count"], row["size_sum"]) for row in sums.to_pylist()}
    return actions.num_rows, sum(share.bytes for share in keys.values()), keys


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """The port's errors for delta-rs's."""
    try:
        yield
    except CommitFailedError as error:
        if re.search("[Cc]oncurrent|conflict|changed since", str(error)):
            raise CommitConflict(str(error)) from error
        raise StorageUnavailable(f"a commit to {uri} failed") from error
    except (DeltaError, OSError) as error:
        raise StorageUnavailable(f"the table {uri} could not be read or written") from error
