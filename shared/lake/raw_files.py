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
        """The file's rows in its order, each row group fetched when it is asked for."""
        with _told(file):
            opened = self._open(file)
        for number in range(opened.num_row_groups):
            with _told(file):
                rows = opened.read_row_group(
                    number, columns=row_schema(self._stream).names, use_threads=False
                )
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
