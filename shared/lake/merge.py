"""Raw files of one key's hour merged into one order, by the stream's file column and time, in bounded memory.

Few rows are read whole and sorted. Of many, each file is a sorted run that is read row group by row group,
once, and only while the merge passes over it: what is in memory grows with the files that overlap at a point,
which `hours` bounds, never with their rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.lake.ahead import ahead
from shared.lake.data_files import HOUR_MICROSECONDS, KeyHour, in_file_order
from shared.lake.raw_files import RawFile, RawReader
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Four requests at a time hide the latency of storage; more would only hold more memory.
_PARALLEL = 4
# Files up to this size (bytes) are read many at a time.
_SMALL = 1 << 18
# Up to so many bytes are read whole, or come out in one piece.
_PIECE = 4 << 20
# What a row takes in memory until rows were seen.
_ROW_BYTES = 300
# A row's place in the order: the rank of its value above, and its time within the hour (µs) below.
_TIME_BITS = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Rows of one value of the file column (None where the stream has none), in order of time.
type Ordered = Iterator[tuple[str | None, pa.Table]]
# Rows and their places, which ascend.
type Placed = tuple[pa.Table, np.ndarray[Any, Any]]


class Merger:
    """Merges the raw files of one stream. `piece` is about how many Arrow bytes come out at a time."""

    def __init__(
        self,
        stream: StreamDefinition,
        reader: RawReader,
        check: Callable[[], None],
        piece: int = _PIECE,
    ) -> None:
        """`check` is called now and then, and what it raises ends the work."""
        self._stream = stream
        self._reader = reader
        self._check = check
        self._piece = piece
        self._row_bytes = _ROW_BYTES

    def ordered(self, place: KeyHour, files: Sequence[RawFile]) -> Ordered:
        """All rows of `files`, value by value; a value with many rows comes in several pieces."""
        with ThreadPoolExecutor(_PARALLEL, "merge-read") as pool:
            rows = self._whole(files, pool)
            if rows is not None:
                yield from self._apart(rows)
                return
            order = _Order(self._stream, place, files, self._values(files, pool))
        yield from self._merged(order)

    def _whole(self, files: Sequence[RawFile], pool: ThreadPoolExecutor) -> pa.Table | None:
        """All rows of `files`, or None where they are too many to be had in memory."""
        import pyarrow as pa

        if sum(file.rows for file in files) * self._row_bytes > self._piece:
            return None
        found, size, count = [], 0, 0
        for rows in self._ahead(pool, self._reader.rows, files):
            found.append(rows)
            size, count = size + rows.nbytes, count + rows.num_rows
            self._row_bytes = max(size // max(count, 1), 1)
            if size > self._piece and len(found) < len(files):
                return None
        return pa.concat_tables(found)

    def _ahead[Result](
        self, pool: ThreadPoolExecutor, work: Callable[[RawFile], Result], files: Sequence[RawFile]
    ) -> Iterator[Result]:
        small = all(file.size <= _SMALL for file in files)
        for result in ahead(pool, work, files, 2 * _PARALLEL if small else 2):
            self._check()
            yield result

    def _apart(self, rows: pa.Table) -> Ordered:
        ordered, _, starts = in_file_order(self._stream, rows)
        for start, end in zip(starts, [*starts[1:], ordered.num_rows], strict=True):
            part = ordered.slice(start, end - start)
            yield self._value(part), part

    def _value(self, rows: pa.Table) -> str | None:
        column = self._stream.file_column
        return None if column is None else str(rows[column][0].as_py())

    def _values(self, files: Sequence[RawFile], pool: ThreadPoolExecutor) -> list[list[str]]:
        """The different values of the file column in each file."""
        if self._stream.file_column is None:
            return [[] for _ in files]
        return list(self._ahead(pool, self._reader.values, files))

    def _merged(self, order: _Order) -> Ordered:
        import pyarrow as pa

        found: list[Placed] = []
        size = 0
        for step in self._steps(order):
            found += step
            size += sum(rows.nbytes for rows, _ in step)
            if size >= self._piece:
                yield from order.apart(_sorted(found))
                size = 0
                # What so many small reads left scattered would not be given back by itself.
                pa.default_memory_pool().release_unused()
        if found:
            yield from order.apart(_sorted(found))

    def _steps(self, order: _Order) -> Iterator[list[Placed]]:
        """Rows in steps: each step's rows come after all of the steps before it."""
        waiting, runs = deque(order.by_start()), list[_Run]()
        while waiting or runs:
            self._check()
            runs = [run for run in runs if run.filled()]
            front = min((run.reached for run in runs), default=None)
            while waiting and (front is None or waiting[0][0] <= front):
                run = _Run(order.placed(self._reader.row_groups(waiting.popleft()[1])))
                if run.filled():
                    runs.append(run)
                    front = run.reached if front is None else min(front, run.reached)
            if front is not None:
                yield [part for run in runs for part in run.up_to(front)]


class _Run:
    """A sorted file as far as it is read."""

    def __init__(self, groups: Iterator[Placed]) -> None:
        self._groups = groups
        self._held: Placed | None = None

    def filled(self) -> bool:
        """Reads on where nothing is held; whether anything is."""
        if self._held is None:
            self._held = next(self._groups, None)
        return self._held is not None

    @property
    def reached(self) -> int:
        """The place up to which the file is read: none that follows is before it."""
        assert self._held is not None
        return int(self._held[1][-1])

    def up_to(self, front: int) -> Iterator[Placed]:
        """Gives away what is held and stands at `front` or before."""
        import numpy as np

        assert self._held is not None
        rows, places = self._held
        end = int(np.searchsorted(places, front, "right"))
        self._held = (rows.slice(end), places[end:]) if end < len(places) else None
        if end:
            yield rows.slice(0, end), places[:end]


class _Order:
    """The order of one key's hour as a line of numbers, and the files on it."""

    def __init__(
        self,
        stream: StreamDefinition,
        place: KeyHour,
        files: Sequence[RawFile],
        values: Sequence[Sequence[str]],
    ) -> None:
        self._stream = stream
        self._start = (place.hour - _EPOCH) // timedelta(microseconds=1)
        self._values = sorted({value for found in values for value in found})
        self._ranks = {value: rank for rank, value in enumerate(self._values)}
        self._files = [(self._first(file, found), file) for file, found in zip(files, values, strict=True)]

    def _first(self, file: RawFile, values: Sequence[str]) -> int:
        """A place before which no row of `file` is."""
        rank = self._ranks[min(values)] if values else 0
        return rank << _TIME_BITS | min(max(file.earliest - self._start, 0), HOUR_MICROSECONDS - 1)

    def by_start(self) -> list[tuple[int, RawFile]]:
        """The files and their first places, in their order."""
        return sorted(self._files, key=lambda item: item[0])

    def placed(self, groups: Iterator[pa.Table]) -> Iterator[Placed]:
        """Row groups of a file with the places of their rows."""
        return ((rows, self._places(rows)) for rows in groups if rows.num_rows)

    def _places(self, rows: pa.Table) -> np.ndarray[Any, Any]:
        import numpy as np
        import pyarrow as pa

        times: np.ndarray[Any, Any] = rows[self._stream.time_column].cast(pa.int64()).to_numpy() - self._start
        if self._stream.file_column is None:
            return times
        encoded = rows[self._stream.file_column].combine_chunks().dictionary_encode()
        ranks = np.array([self._ranks[value] for value in encoded.dictionary.to_pylist()], np.int64)
        places: np.ndarray[Any, Any] = (ranks[encoded.indices.to_numpy()] << _TIME_BITS) | times
        return places

    def apart(self, part: Placed) -> Ordered:
        """Sorted rows value by value."""
        import numpy as np

        rows, places = part
        ranks = places >> _TIME_BITS
        starts = [0, *(np.flatnonzero(np.diff(ranks)) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], rows.num_rows], strict=True):
            yield self._values[ranks[start]] if self._values else None, rows.slice(start, end - start)


def _sorted(parts: list[Placed]) -> Placed:
    """The rows of `parts` in the order of their places; ties as they come. Takes `parts` apart."""
    import numpy as np
    import pyarrow as pa

    rows = pa.concat_tables([part[0] for part in parts]).combine_chunks()
    places = np.concatenate([part[1] for part in parts])
    parts.clear()
    if np.all(places[1:] >= places[:-1]):
        return rows, places
    order = np.argsort(places, kind="stable")
    return rows.take(pa.array(order)), places[order]
