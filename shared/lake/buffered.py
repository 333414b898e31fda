"""What is landed and not flushed yet, by key and file: the buffers of the sensors.

A look at the buffers opens only the segments that are new since the last one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.lake.digests import SegmentDigests
from shared.lake.ports import BlobGone, Lake
from shared.lake.segments import Segment, SegmentStore
from shared.lake.summary import TableSummary
from shared.lake.totals import fresh
from shared.platform.errors import StorageUnavailable
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_MINUTE_MICROSECONDS = 60_000_000
_ATTEMPTS = 10
# Digests that are held in hand at the same time.
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Buffered:
    """Rows landed and not flushed, one buffer for each value of key and file column that has any.

    `minute_buffers` and `minute_rows`: the same for rows of the newest minute that the buffer holds, by the
    stream's time column.
    """

    buffers: int = 0
    rows: int = 0
    minute_buffers: int = 0
    minute_rows: int = 0


class BufferGauge:
    """Measures the buffers of one stream. One instance serves all threads."""

    def __init__(self, stream: StreamDefinition, segments: SegmentStore, lake: Lake) -> None:
        self._stream = stream
        self._segments = segments
        self._lake = lake
        columns = [*_key_columns(stream), stream.time_column]
        self._digests = SegmentDigests(stream, segments, columns, partial(_digest_of, stream))

    def read(self) -> tuple[Buffered, TableSummary]:
        """The buffers, and the table that they stand above. Blocks; raises StorageUnavailable."""
        for _ in range(_ATTEMPTS):
            landed = self._segments.list(self._stream)
            app_ids = {segment.source.app_id for segment in landed}
            table = self._lake.table(self._stream).summary(app_ids)
            try:
                return self._measure(fresh(landed, table.progress)), table
            except BlobGone:  # committed in between: a newer summary tells
                continue
        raise StorageUnavailable("the buffer kept changing while it was read", retry_after=1)

    def _measure(self, wanted: Iterable[tuple[Segment, int]]) -> Buffered:
        import pyarrow as pa
        import pyarrow.compute as pc

        lines = _lines_schema(self._stream).empty_table()
        for some in batched(wanted, _AT_A_TIME, strict=False):
            lines = _merged(pa.concat_tables([lines, *self._digests.of(some)]))
        return Buffered(
            buffers=lines.num_rows,
            rows=pc.sum(lines["rows"]).as_py() or 0,
            minute_buffers=lines.num_rows,
            minute_rows=pc.sum(lines["in_minute"]).as_py() or 0,
        )


def _key_columns(stream: StreamDefinition) -> list[str]:
    """What tells buffers apart."""
    return [stream.key_column] if stream.file_column is None else [stream.key_column, stream.file_column]


def _digest_of(stream: StreamDefinition, rows: pa.RecordBatch) -> pa.Table:
    """A line for each buffer that `rows` go to; see `_merged`."""
    import numpy as np
    import pyarrow as pa

    times = rows.column(stream.time_column).view(pa.int64()).to_numpy()
    ones = np.ones(rows.num_rows, np.int64)
    keys = [rows.column(name) for name in _key_columns(stream)]
    columns = [*keys, np.floor_divide(times, _MINUTE_MICROSECONDS), ones, ones]
    return _merged(pa.table(columns, schema=_lines_schema(stream)))


def _lines_schema(stream: StreamDefinition) -> pa.Schema:
    import pyarrow as pa

    keys = [(name, pa.string()) for name in _key_columns(stream)]
    return pa.schema([*keys, *((name, pa.int64()) for name in ("minute", "in_minute", "rows"))])


def _merged(lines: pa.Table) -> pa.Table:
    """One line for each key: all its `rows`, its newest `minute`, and how many rows lie `in_minute`."""
    import numpy as np
    import pyarrow as pa

    if not lines.num_rows:
        return lines
    lines = lines.combine_chunks()
    names = lines.column_names[:-3]
    codes = np.zeros(lines.num_rows, np.int64)
    for name in names:
        values = lines[name].combine_chunks().dictionary_encode()
        codes = codes * len(values.dictionary) + values.indices.to_numpy()
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    minute, in_minute, rows = (lines[name].to_numpy() for name in ("minute", "in_minute", "rows"))
    newest = np.full(len(first), np.iinfo(np.int64).min)
    np.maximum.at(newest, group, minute)
    counts = np.where(minute == newest[group], in_minute, 0)
    sums = [np.bincount(group, weights=each).astype(np.int64) for each in (counts, rows)]
    keys = lines.select(names).take(pa.array(first))
    return pa.table([*keys.columns, newest, *sums], schema=lines.schema)
