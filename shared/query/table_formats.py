"""Rows in the formats that programs read tables in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"


def as_parquet(rows: pa.Table) -> bytes:
    """A Parquet file, compressed by zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", compression_level=1, store_schema=False)
    return bytes(sink.getvalue())


def as_csv(rows: pa.Table) -> bytes:
    """CSV in UTF-8 with a line of names: text always in quotes, nothing at all where there is no value."""
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink)
    return bytes(sink.getvalue())


def as_arrow(rows: pa.Table) -> bytes:
    """An Arrow IPC stream."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


# By media type.
FORMATS: dict[str, Callable[[pa.Table], bytes]] = {PARQUET: as_parquet, CSV: as_csv, ARROW: as_arrow}
