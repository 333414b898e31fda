"""Rows cut into the data files of a Delta commit: one file for each key and hour, sorted by time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.lake.ports import DataFile
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_HOUR_MICROSECONDS = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Small enough that the newest hundred rows of a window are a small read, large enough to compress well.
_ROW_GROUP_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class NewFile:
    """A data file that is yet to be written, and how the log will name it."""

    entry: DataFile
    content: bytes


def cut_files(stream: StreamDefinition, rows: pa.Table, name: str) -> Iterator[NewFile]:
    """`rows` as Parquet files, `raw/<key>/YYYY/MM/DD/HH/<name>.parquet`, one at a time."""
    ordered, starts = _in_file_order(stream, rows)
    ends = [*starts[1:], ordered.num_rows]
    for start, end in zip(starts, ends, strict=True):
        yield _new_file(stream, ordered.slice(start, end - start), name)


def path_segment(key: str) -> str:
    """`key` as one segment of a path, reversibly: no two keys share one, none climbs out."""
    encoded = quote(key, safe="")
    return encoded if encoded.strip(".") else encoded.replace(".", "%2E")


def _in_file_order(stream: StreamDefinition, rows: pa.Table) -> tuple[pa.Table, list[int]]:
    """The rows by key, hour and time, and where each key's hour starts; ties stay in stream order."""
    import numpy as np
    import pyarrow as pa

    rows = rows.combine_chunks()
    times: np.ndarray[Any, Any] = rows[stream.time_column].cast(pa.int64()).to_numpy()
    codes = _file_codes(rows[stream.key_column], times // _HOUR_MICROSECONDS)
    step, later = np.diff(codes), np.diff(times)
    if np.any((step < 0) | ((step == 0) & (later < 0))):
        order = np.lexsort((times, codes))
        rows, codes = rows.take(pa.array(order)), codes[order]
        step = np.diff(codes)
    return rows, [0, *(np.flatnonzero(step) + 1).tolist()]


def _file_codes(keys: pa.ChunkedArray, hours: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A number for each row that is the same for rows of one file."""
    import numpy as np

    codes: np.ndarray[Any, Any] = (
        keys.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    )
    if hours.min() == hours.max():
        return codes
    _, hour_codes = np.unique(hours, return_inverse=True)
    return codes * (int(hour_codes.max()) + 1) + hour_codes


def _new_file(stream: StreamDefinition, rows: pa.Table, name: str) -> NewFile:
    import pyarrow as pa

    key = rows[stream.key_column][0].as_py()
    first = rows[stream.time_column][0].cast(pa.int64()).as_py()
    hour = _EPOCH + timedelta(hours=first // _HOUR_MICROSECONDS)
    folder = f"raw/{path_segment(key)}/{hour.year:04}/{hour.month:02}/{hour.day:02}/{hour.hour:02}"
    # The log names the partition, and so does the file, for readers that do not ask the log (Polars' own).
    rows = rows.append_column("date", pa.repeat(pa.scalar(hour.date()), rows.num_rows))
    rows = rows.append_column("hour", pa.repeat(pa.scalar(hour.hour, pa.int32()), rows.num_rows))
    content = _parquet(stream, rows)
    entry = DataFile(
        path=f"{folder}/{name}.parquet",
        size=len(content),
        rows=rows.num_rows,
        partition={stream.key_column: key, "date": f"{hour.date()}", "hour": str(hour.hour)},
        statistics=_statistics(stream, rows),
    )
    return NewFile(entry, content)


def _parquet(stream: StreamDefinition, rows: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=[*(column.name for column in stream.columns if column.repetitive), "date", "hour"],
        column_encoding={
            column.name: "DELTA_BINARY_PACKED"
            for column in stream.columns
            if column.kind in ("timestamp", "long") and not column.repetitive
        },
        row_group_size=_ROW_GROUP_ROWS,
        write_page_index=True,
        store_schema=False,
    )
    return bytes(sink.getvalue())


def _statistics(stream: StreamDefinition, rows: pa.Table) -> str:
    """Statistics of the columns that queries narrow by. The protocol keeps times in milliseconds, so the
    bounds are rounded outwards."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lowest, highest = {}, {}
    for name in {stream.time_column, "ingestion_time"}:
        bounds = pc.min_max(rows[name].cast(pa.int64())).as_py()
        lowest[name] = _milliseconds(bounds["min"] // 1000)
        highest[name] = _milliseconds(-(-bounds["max"] // 1000))
    return json.dumps(
        {
            "numRecords": rows.num_rows,
            "minValues": lowest,
            "maxValues": highest,
            "nullCount": dict.fromkeys(lowest, 0),
        }
    )


def _milliseconds(count: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=count)
    except OverflowError:  # the last millisecond of the year 9999, rounded up, has no name
        return f"{datetime.max.isoformat()}Z"
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
