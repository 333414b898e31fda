"""Data files as pieces of a scan: of each only the footer, and the row groups that may hold a wanted row."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.lake.ports import Blobs
from shared.lake.raw_files import RangedBlob, extent_of
from shared.lake.schema import row_schema
from shared.platform.errors import StorageUnavailable
from shared.query.scan import matching
from shared.query.wanted import RowsWanted

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# One request fetches the end of a file, most often with the whole footer, and a small file whole.
_TAIL = 1 << 16
# How many bytes of footers are kept; in memory they take a few times as much.
_KEPT_BYTES = 4 << 20


class Footers:
    """Footers of data files, those used last: files never change. One instance serves all threads."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], pq.FileMetaData] = OrderedDict()
        self._bytes = 0

    def of(self, container: str, path: str, size: int) -> tuple[pq.FileMetaData, RangedBlob]:
        """The footer of a file of `size` bytes, and the file, of which something may be fetched already."""
        blob = RangedBlob(self._blobs, container, path, size)
        with self._lock:
            footer = self._kept.get((container, path))
            if footer is not None:
                self._kept.move_to_end((container, path))
        if footer is None:
            footer = self._read(blob, size)
            self._keep((container, path), footer)
        return footer, blob

    def _read(self, blob: RangedBlob, size: int) -> pq.FileMetaData:
        import pyarrow.parquet as pq

        blob.fetch(max(0, size - _TAIL), size)
        return pq.read_metadata(blob)

    def _keep(self, name: tuple[str, str], footer: pq.FileMetaData) -> None:
        with self._lock:
            if name not in self._kept:
                self._kept[name] = footer
                self._bytes += footer.serialized_size
            while self._bytes > _KEPT_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1].serialized_size


class DataFilePiece:
    """A data file of the table: its row groups. Opening raises BlobGone and StorageUnavailable."""

    # A footer is small, whatever the file holds.
    weight = 0

    def __init__(self, footers: Footers, wanted: RowsWanted, line: Mapping[str, Any]) -> None:
        """`line` is the file's in what a snapshot says of its files."""
        self.earliest: int = line["earliest"]
        self.latest: int = line["latest"]
        self.rows: int = line["rows"]
        self.path: str = line["path"]
        self._size: int = line["size"]
        self._footers = footers
        self._wanted = wanted

    def open(self) -> Sequence[RowGroupPiece]:
        """Its row groups, without those that cannot hold a wanted row."""
        with _told(self.path):
            footer, blob = self._footers.of(self._wanted.stream.container, self.path, self._size)
        groups = (RowGroupPiece(self, self._wanted, blob, footer, n) for n in range(footer.num_row_groups))
        return [group for group in groups if group.may_match()]


class RowGroupPiece:
    """A row group of a data file. Opening raises BlobGone and StorageUnavailable."""

    def __init__(
        self, file: DataFilePiece, wanted: RowsWanted, blob: RangedBlob, footer: pq.FileMetaData, number: int
    ) -> None:
        self._path = file.path
        self._wanted = wanted
        self._blob = blob
        self._footer = footer
        self._number = number
        self._group = footer.row_group(number)
        self.rows: int = self._group.num_rows
        self.weight: int = self._group.total_byte_size
        times: tuple[int, int] | None = self._bounds(wanted.stream.time_column)
        self.earliest, self.latest = times or (file.earliest, file.latest)

    def may_match(self) -> bool:
        """Whether it may hold a wanted row, the time apart."""
        name = self._wanted.stream.file_column
        if name is None or name not in self._wanted.equal:
            return True
        bounds = self._bounds(name)
        return bounds is None or bounds[0] <= self._wanted.equal[name].encode() <= bounds[1]

    def open(self) -> pa.Table:
        """See Piece."""
        import pyarrow.parquet as pq

        stream = self._wanted.stream
        with _told(self._path):
            blob = self._blob.another()
            blob.fetch(*extent_of(self._group))
            # To decode what repeats in each row would cost time and, where texts are long, memory.
            repetitive = [column.name for column in stream.columns if column.repetitive]
            file = pq.ParquetFile(blob, metadata=self._footer, read_dictionary=repetitive, pre_buffer=False)
            rows = file.read_row_group(self._number, columns=row_schema(stream).names, use_threads=False)
        # The table is partitioned by these: they are the same in all rows, and were compared before.
        return matching(rows, self._wanted, known=stream.partition_columns).cast(row_schema(stream))

    def _bounds(self, name: str) -> tuple[Any, Any] | None:
        """The lowest and the highest value of a column as they are stored, if that is known."""
        statistics = self._group.column(row_schema(self._wanted.stream).get_field_index(name)).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        return statistics.min_raw, statistics.max_raw


@contextmanager
def _told(path: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise StorageUnavailable(f"the data file {path} could not be read") from error
