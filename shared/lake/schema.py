"""Stream definitions as Arrow schemas."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa


@cache
def row_schema(stream: StreamDefinition) -> pa.Schema:
    """The columns of a row, in segments and in data files alike."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "binary": pa.binary(),
        "double": pa.float64(),
        "long": pa.int64(),
        "int": pa.int32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    return pa.schema([pa.field(c.name, kinds[c.kind], nullable=c.nullable) for c in stream.columns])


@cache
def table_schema(stream: StreamDefinition) -> pa.Schema:
    """The columns of the Delta table: a row's, then the date, and the hour, that it is partitioned by."""
    import pyarrow as pa

    hour = [] if stream.derived else [pa.field("hour", pa.int32())]
    return pa.schema([*row_schema(stream), pa.field("date", pa.date32()), *hour])
