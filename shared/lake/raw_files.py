"""Raw files read by ranges: of each only the row groups, and of those only the rows, that are asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.lake.ports import BlobGone, Blobs
from shared.lake.schema import row_schema
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Files up to this size are read whole: one request costs more than the bytes.
_WHOLE = 1 << 20


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file as the log names it: bytes, rows, and bounds of its times (µs since 1970, inclusive)."""

    path: str
    size: int
    rows: int
    earliest: int
    latest: int


class Unreadable(Exception):
    """A raw file is missing, or is no Parquet file."""


class RawReader:
    """Reads raw files of one stream. Raises Unreadable, and StorageUnavailable. Blocks."""

    def __init__(self, stream: StreamDefinition, blobs: Blobs) -> None:
        self._stream = stream
        self._blobs = blobs

    def rows(self, file: RawFile) -> pa.Table:
        """All rows of the file."""
        with _told(file):
            return self._open(file).read(columns=row_schema(self._stream).names, use_threads=False)

    def values(self, file: RawFile) -> list[str]:
        """The different values of the stream's file column in the file."""
        import pyarrow.compute as pc

        with _told(file):
            column = self._open(file).read(columns=[self._stream.file_column], use_threads=False)
        return [str(value) for value in pc.unique(column[0]).to_pylist()]

    def row_groups(
        self, file: RawFile, values: tuple[str, str] | None, times: tuple[int, int]
    ) -> Iterator[pa.Table]:
        """The row groups that may hold rows with these values of the file column and these times (both
        inclusive)."""
        with _told(file):
            opened = self._open(file)
        names = row_schema(self._stream).names
        for number in range(opened.num_row_groups):
            group = opened.metadata.row_group(number)
            if _overlaps(group, self._stream.time_column, times, raw=True) and (
                values is None or _overlaps(group, str(self._stream.file_column), values, raw=False)
            ):
                with _told(file):
                    rows = opened.read_row_group(number, columns=names, use_threads=False)
                yield rows

    def _open(self, file: RawFile) -> pq.ParquetFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if file.size <= _WHOLE:
            return pq.ParquetFile(pa.BufferReader(self._blobs.get(self._stream.container, file.path)))
        return pq.ParquetFile(
            RangedBlob(self._blobs, self._stream.container, file.path, file.size), pre_buffer=True
        )


class RangedBlob(io.RawIOBase):
    """A blob as a file that fetches what is read."""

    def __init__(self, blobs: Blobs, container: str, name: str, size: int) -> None:
        self._blobs = blobs
        self._container = container
        self._name = name
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._position + size, self._size)
        data = self._blobs.get_range(self._container, self._name, self._position, end)
        self._position += len(data)
        return data


@contextmanager
def _told(file: RawFile) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (BlobGone, pa.ArrowException, OSError) as error:
        raise Unreadable(f"{file.path}: {error}") from error


def _overlaps(group: Any, column: str, bounds: tuple[Any, Any], *, raw: bool) -> bool:
    """Whether a row group's statistics leave it open that it holds something within `bounds`."""
    for number in range(group.num_columns):
        found = group.column(number)
        if found.path_in_schema == column:
            known = found.statistics
            if known is None or not known.has_min_max:
                return True
            low, high = (known.min_raw, known.max_raw) if raw else (known.min, known.max)
            return bool(low <= bounds[1] and high >= bounds[0])
    return True
