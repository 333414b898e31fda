"""Raw files read by ranges: of each only the row groups and columns that are asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """A raw file as the log names it: bytes, rows, bounds of its times (µs since 1970, inclusive), and of the
    values of the stream's file column, None where these are not known."""

    path: str
    size: int
    rows: int
    earliest: int
    latest: int
    lowest: str | None = ""
    highest: str | None = ""


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

    def row_groups(self, file: RawFile) -> Iterator[pa.Table]:
        """The file's rows in its order, each row group fetched by one request when it is asked for."""
        names = row_schema(self._stream).names
        source = self._source(file)
        with _told(file):
            opened = _parquet(source)
        for number in range(opened.num_row_groups):
            with _told(file):
                if isinstance(source, RangedBlob):
                    source.fetch(*extent_of(opened.metadata.row_group(number)))
                rows = opened.read_row_group(number, columns=names, use_threads=False)
            yield rows

    def _open(self, file: RawFile) -> pq.ParquetFile:
        return _parquet(self._source(file))

    def _source(self, file: RawFile) -> io.RawIOBase | io.BytesIO:
        container = self._stream.container
        if file.size > _WHOLE:
            return RangedBlob(self._blobs, container, file.path, file.size)
        with _told(file):
            return io.BytesIO(self._blobs.get(container, file.path))


class RangedBlob(io.RawIOBase):
    """A blob as a file that fetches what is read, unless it was fetched before. For one thread at a time."""

    def __init__(
        self, blobs: Blobs, container: str, name: str, size: int, fetched: tuple[int, bytes] = (0, b"")
    ) -> None:
        """`fetched`: a part of it that is here already, after where that starts."""
        self._blobs = blobs
        self._container = container
        self._name = name
        self._size = size
        self._position = 0
        self._fetched = fetched

    def fetch(self, start: int, end: int) -> None:
        """Fetches the bytes from `start` to `end` (exclusive), in place of those fetched before, unless these
        hold them."""
        if not self._has(start, end):
            self._fetched = (0, b"")
            self._fetched = (start, self._blobs.get_range(self._container, self._name, start, end))

    def another(self) -> RangedBlob:
        """The same file for another thread, with what is fetched of it by now."""
        return RangedBlob(self._blobs, self._container, self._name, self._size, self._fetched)

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
        if self._has(self._position, end):
            start, fetched = self._fetched
            data = fetched[self._position - start : end - start]
        else:
            data = self._blobs.get_range(self._container, self._name, self._position, end)
        self._position += len(data)
        return data

    def _has(self, start: int, end: int) -> bool:
        first, fetched = self._fetched
        return first <= start and end <= first + len(fetched)


def _parquet(source: io.RawIOBase | io.BytesIO) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    # Pre-buffering would keep all that was read until the file is closed.
    return pq.ParquetFile(source, pre_buffer=False)


def extent_of(group: pq.RowGroupMetaData) -> tuple[int, int]:
    """Where a row group starts and ends (exclusive) in its file."""
    columns = [group.column(number) for number in range(group.num_columns)]
    starts = [
        min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
        for column in columns
    ]
    ends = [start + column.total_compressed_size for start, column in zip(starts, columns, strict=True)]
    return min(starts), max(ends)


@contextmanager
def _told(file: RawFile) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (BlobGone, pa.ArrowException, OSError) as error:
        raise Unreadable(f"{file.path}: {error}") from error
