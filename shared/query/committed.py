"""Rows of a snapshot: out of its files where few of them hold the page, else by SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.lake.ports import Blobs, Snapshot
from shared.lake.schema import row_schema
from shared.query.data_files import DataFilePiece, Footers
from shared.query.scan import TooHeavy, first_of, first_rows
from shared.query.span import Span, span_of
from shared.query.sql import moment_literal, text_literal
from shared.query.wanted import RowsWanted

if TYPE_CHECKING:
    import pyarrow as pa

# Pages that reach down further, or that more files or bytes may hold, are for SQL: it reads a part of the
# columns of many rows first, and never holds them all.
_DEPTH = 5_000
_FILES = 100
_BYTES = 16 << 20


class CommittedRows:
    """Finds rows of snapshots. One instance serves all threads."""

    def __init__(self, blobs: Blobs) -> None:
        self._footers = Footers(blobs)

    def first(self, wanted: RowsWanted, snapshot: Snapshot, found: pa.Table) -> pa.Table:
        """The first of the wanted rows among `found`, which are in order, and the snapshot's: in order.

        Raises BlobGone where a file is gone, which a newer snapshot does not name; BadRequest where the rows
        hold more than `wanted` allows; StorageUnavailable. Blocks.
        """
        files = snapshot.files()
        span = span_of(wanted, files)
        if not len(span.files):
            return found
        if wanted.depth <= _DEPTH and len(span.files) <= _FILES:
            lines = files.take(span.files).to_pylist()
            pieces = [DataFilePiece(self._footers, wanted, line) for line in lines]
            try:
                return first_rows(pieces, wanted, found, _BYTES)
            except TooHeavy:
                pass
        rows = _by_sql(wanted, snapshot, span)
        return first_of([found, rows], wanted) if found.num_rows else rows


def _by_sql(wanted: RowsWanted, snapshot: Snapshot, span: Span) -> pa.Table:
    tail = _tail(wanted, span.start, span.end)
    if wanted.most_bytes is not None:
        # Asked before the rows themselves, for a few of them may hold more than the memory.
        sizes = snapshot.select(
            f"SELECT sum(size) AS size FROM (SELECT {_size(wanted)} AS size {tail})"  # noqa: S608
        )
        wanted.check_size(sizes["size"][0].as_py() or 0)
    schema = row_schema(wanted.stream)
    columns = ", ".join(f'"{name}"' for name in schema.names)
    return snapshot.select(f"SELECT {columns} {tail}").cast(schema)


def _tail(wanted: RowsWanted, start: int, end: int) -> str:
    """SQL from FROM on: the first of the wanted rows between `start` and `end` (µs, inclusive), in order."""
    direction = "DESC" if wanted.newest else "ASC"
    order = ", ".join(f'"{name}" {direction}' for name in wanted.order)
    time = f'"{wanted.stream.time_column}"'
    conditions = [f"{time} >= {moment_literal(start)}", f"{time} <= {moment_literal(end)}"]
    conditions += [f'"{column}" = {text_literal(text)}' for column, text in wanted.equal.items()]
    return f"FROM rows WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT {wanted.depth}"


def _size(wanted: RowsWanted) -> str:
    """SQL for about how many bytes a row holds."""
    long = [column.name for column in wanted.stream.columns if column.kind in ("string", "binary")]
    lengths = (f'coalesce(octet_length("{name}"), 0)' for name in long)
    return " + ".join((str(8 * len(wanted.stream.columns)), *lengths))
