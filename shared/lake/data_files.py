"""Rows cut into the data files of a Delta commit, sorted by time: one file for each key and hour, or for each
value of the stream's file column in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.lake.paths import RAW, file_stem, hour_folder
from shared.lake.ports import DataFile
from shared.lake.statistics import Statistics
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

HOUR_MICROSECONDS = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Small enough that the newest hundred rows of a window are a small read: larger groups save 1% of the bytes.
ROW_GROUP_ROWS = 8_192
# In a file that several values of the file column share, one value's rows are skipped to by row groups.
SHARED_ROW_GROUP_ROWS = 16_384
# Of every raw file that a merge passes over, one row group is in memory.
RAW_ROW_GROUP_ROWS = 4_096


@dataclass(frozen=True, slots=True)
class NewFile:
    """A data file that is yet to be written, and how the log will name it."""

    entry: DataFile
    content: bytes


@dataclass(frozen=True, slots=True)
class KeyHour:
    """A partition of a stream's table: a key and an hour of event time (aware, UTC)."""

    key: str
    hour: datetime

    @property
    def folder(self) -> str:
        """The folder of its final files, with a slash at its end."""
        return hour_folder(self.key, self.hour)

    def values(self, stream: StreamDefinition) -> dict[str, str]:
        """The Delta partition values."""
        return {stream.key_column: self.key, "date": f"{self.hour.date()}", "hour": str(self.hour.hour)}


def cut_files(
    stream: StreamDefinition, rows: pa.Table, name: str, *, most_files: int = 200
) -> Iterator[NewFile]:
    """`rows` as Parquet files below `raw/<key>/YYYY/MM/DD/HH/`, one at a time.

    They are called `<name>.parquet`; where the stream has a file column, `<its value>-<name>.parquet`, unless
    that made more than `most_files`: then a key's hour is one `<name>.parquet`, by that column and time.
    """
    ordered, shared, single = in_file_order(stream, rows)
    apart = stream.file_column is not None and len(single) <= most_files
    starts = single if apart else shared
    for start, end in zip(starts, [*starts[1:], ordered.num_rows], strict=True):
        part = ordered.slice(start, end - start)
        stem = f"{file_stem(part[stream.file_column][0].as_py())}-{name}" if apart else name
        writer = DataFileWriter(stream, _key_hour(stream, part), RAW_ROW_GROUP_ROWS)
        writer.write(part)
        folder = f"{RAW}{writer.place.folder}"
        yield NewFile(writer.entry(f"{folder}{stem}.parquet"), writer.content())


class DataFileWriter:
    """One Parquet file of one key and hour, written in memory piece by piece, in the order of its rows.

    Its row groups have `rows_in_group` rows at most.
    """

    def __init__(self, stream: StreamDefinition, place: KeyHour, rows_in_group: int = ROW_GROUP_ROWS) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from shared.lake.schema import table_schema

        self.place = place
        self._stream = stream
        self._statistics = Statistics(stream)
        self._rows_in_group = rows_in_group
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            self._sink,
            table_schema(stream),
            compression="zstd",
            compression_level=1,
            use_dictionary=[*(c.name for c in stream.columns if c.repetitive), "date", "hour"],
            column_encoding={
                column.name: "DELTA_BINARY_PACKED"
                for column in stream.columns
                if column.kind in ("timestamp", "long") and not column.repetitive
            },
            write_page_index=True,
            store_schema=False,
        )
        self._content: pa.Buffer | None = None

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return int(self._sink.tell()) if self._content is None else self._content.size

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return self._statistics.rows

    def write(self, rows: pa.Table) -> None:
        """Adds `rows`, in the schema of the stream's rows."""
        import pyarrow as pa

        assert self._writer is not None
        self._statistics.add(rows)
        # The log names the partition, and so does the file, for readers that do not ask the log.
        hour = self.place.hour
        rows = rows.append_column("date", pa.repeat(pa.scalar(hour.date()), rows.num_rows))
        rows = rows.append_column("hour", pa.repeat(pa.scalar(hour.hour, pa.int32()), rows.num_rows))
        self._writer.write_table(rows, row_group_size=self._rows_in_group)

    def content(self) -> bytes:
        """The whole file; nothing is written after this."""
        return bytes(self.buffer())

    def buffer(self) -> pa.Buffer:
        """`content`, without a copy."""
        if self._content is None:
            assert self._writer is not None
            self._writer.close()
            self._writer = None
            self._content = self._sink.getvalue()
        return self._content

    def entry(self, path: str) -> DataFile:
        """What the log says of the file, which stands at `path`."""
        return DataFile(
            path=path,
            size=self.buffer().size,
            rows=self.rows,
            partition=self.place.values(self._stream),
            statistics=self._statistics.json(),
        )


def in_file_order(stream: StreamDefinition, rows: pa.Table) -> tuple[pa.Table, list[int], list[int]]:
    """The rows by key, hour, file column and time; where each key's hour starts, and each value's in it.

    Ties stay in stream order.
    """
    import numpy as np
    import pyarrow as pa

    rows = rows.combine_chunks()
    times: np.ndarray[Any, Any] = rows[stream.time_column].cast(pa.int64()).to_numpy()
    hours = times // HOUR_MICROSECONDS
    codes, values = _codes(rows[stream.key_column], hours), 1
    if stream.file_column is not None:
        ranks, values = ranked(rows[stream.file_column])
        codes = codes * values + ranks
    step, later = np.diff(codes), np.diff(times)
    if np.any((step < 0) | ((step == 0) & (later < 0))):
        order = np.lexsort((times, codes))
        rows, codes = rows.take(pa.array(order)), codes[order]
    return rows, _starts(codes // values), _starts(codes)


def _starts(codes: np.ndarray[Any, Any]) -> list[int]:
    import numpy as np

    return [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist()]


def _codes(keys: pa.ChunkedArray, hours: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A number for each row that is the same for rows of one key and hour."""
    import numpy as np

    codes: np.ndarray[Any, Any] = (
        keys.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    )
    if hours.min() == hours.max():
        return codes
    _, hour_codes = np.unique(hours, return_inverse=True)
    return codes * (int(hour_codes.max()) + 1) + hour_codes


def ranked(texts: pa.ChunkedArray) -> tuple[np.ndarray[Any, Any], int]:
    """Each text's place among the different ones in their order, and how many there are."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = texts.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    indices: np.ndarray[Any, Any] = encoded.indices.cast(pa.int64()).to_numpy()
    return ranks[indices], len(order)


def _key_hour(stream: StreamDefinition, rows: pa.Table) -> KeyHour:
    import pyarrow as pa

    first = rows[stream.time_column][0].cast(pa.int64()).as_py()
    return KeyHour(rows[stream.key_column][0].as_py(), _EPOCH + timedelta(hours=first // HOUR_MICROSECONDS))
