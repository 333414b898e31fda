"""Final files: written once, under names that nobody had before, straight into their tier."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING

from shared.lake.data_files import ROW_GROUP_ROWS, SHARED_ROW_GROUP_ROWS, DataFileWriter, KeyHour
from shared.lake.paths import file_stem, final_path
from shared.lake.ports import BlobExists, Blobs, DataFile, Tier
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

# Files up to this size (bytes) are put beside each other, this many at a time; larger ones one by one, for
# each stands in memory.
_SMALL = 1 << 20
_WAITING = 8


class FinalFiles:
    """Writes the rows of one key's hour, which come value by value in order of time, to its final files.

    `named` are paths that the table names already; `size` is from how many bytes on a further file is begun.
    `together`: all values share a file, whose row groups tell where each stands.
    """

    def __init__(
        self,
        stream: StreamDefinition,
        place: KeyHour,
        blobs: Blobs,
        tier: Tier,
        size: int,
        named: frozenset[str],
        pool: Executor,
        *,
        together: bool = False,
    ) -> None:
        self._stream = stream
        self._place = place
        self._blobs = blobs
        self._tier = tier
        self._size = size
        self._named = named
        self._pool = pool
        self._together = together
        self._gathered: list[pa.Table] = []
        self._value: str | None = None
        self._writer: DataFileWriter | None = None
        self._number = 1
        self._waiting: deque[Future[tuple[DataFile, int]]] = deque()
        self._written: list[DataFile] = []

    def add(self, value: str | None, rows: pa.Table) -> None:
        """Adds rows of `value`. Blocks; raises StorageUnavailable."""
        if self._together:
            # Small pieces would each become a row group.
            self._gathered.append(rows)
            if sum(piece.num_rows for piece in self._gathered) >= SHARED_ROW_GROUP_ROWS:
                self._write_gathered()
        else:
            self._write(value, rows)

    def _write_gathered(self) -> None:
        import pyarrow as pa

        if self._gathered:
            rows = pa.concat_tables(self._gathered)
            self._gathered.clear()
            self._write(None, rows)

    def _write(self, value: str | None, rows: pa.Table) -> None:
        if self._writer is not None and value != self._value:
            self._end_value()
        if self._writer is None:
            self._writer = DataFileWriter(
                self._stream, self._place, SHARED_ROW_GROUP_ROWS if self._together else ROW_GROUP_ROWS
            )
            self._value = value
        self._writer.write(rows)
        if self._writer.size >= self._size:
            self._number = self._put(self._writer, self._stem(), self._number)
            self._writer = None

    def finish(self) -> list[DataFile]:
        """Ends the last file, and returns the entries of all. Blocks; raises StorageUnavailable."""
        self._write_gathered()
        if self._writer is not None:
            self._end_value()
        while self._waiting:
            self._take()
        return self._written

    def _end_value(self) -> None:
        writer, stem, number = self._writer, self._stem(), self._number
        assert writer is not None
        self._writer, self._number = None, 1
        if writer.size > _SMALL:
            self._put(writer, stem, number)
            return
        self._waiting.append(self._pool.submit(self._create, writer, stem, number))
        if len(self._waiting) >= _WAITING:
            self._take()

    def _take(self) -> None:
        self._written.append(self._waiting.popleft().result()[0])

    def _put(self, writer: DataFileWriter, stem: str, number: int) -> int:
        """Puts a file now, and returns the number after its own."""
        entry, taken = self._create(writer, stem, number)
        self._written.append(entry)
        return taken + 1

    def _create(self, writer: DataFileWriter, stem: str, number: int) -> tuple[DataFile, int]:
        """Puts the file under the first free number from `number` on.

        A name that exists is never written again, whatever stands there: a file of this table, or what an
        upload left that died. So no commit can come to name what another wrote.
        """
        while True:
            path = final_path(self._place.folder, stem, number)
            if path not in self._named:
                try:
                    self._blobs.create(self._stream.container, path, memoryview(writer.buffer()), self._tier)
                except BlobExists:
                    pass
                else:
                    return writer.entry(path), number
            number += 1

    def _stem(self) -> str:
        return self._stream.name if self._value is None else file_stem(self._value)
