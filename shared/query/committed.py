"""Rows of a snapshot, by SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.lake.ports import Snapshot
from shared.lake.schema import row_schema
from shared.platform.errors import BadRequest
from shared.query.span import span_of
from shared.query.sql import moment_literal, text_literal
from shared.query.wanted import RowsWanted

if TYPE_CHECKING:
    import pyarrow as pa


def committed(wanted: RowsWanted, snapshot: Snapshot) -> pa.Table:
    """The first of the wanted rows of the snapshot. Raises BadRequest as `check_size`. Blocks."""
    start, end = span_of(wanted, snapshot.files())
    schema = row_schema(wanted.stream)
    if start > end:
        return schema.empty_table()
    tail = _tail(wanted, start, end)
    if wanted.most_bytes is not None:
        # Asked before the rows themselves, for a few of them may hold more than the memory.
        sizes = snapshot.select(
            f"SELECT sum(size) AS size FROM (SELECT {_size(wanted)} AS size {tail})"  # noqa: S608
        )
        check_size(wanted, sizes["size"][0].as_py() or 0)
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


def check_size(wanted: RowsWanted, size: int) -> None:
    """Raises BadRequest where `size` bytes are more than `wanted` allows."""
    if wanted.most_bytes is not None and size > wanted.most_bytes:
        issue = f"the rows hold more than {wanted.most_bytes} bytes; ask for fewer"
        raise BadRequest(f"limit: {issue}", details={"field": "limit", "issue": issue})
