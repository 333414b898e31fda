"""Raw files of one key's hour merged into one order, by the stream's file column and time, in bounded memory.

Few rows are read whole and sorted. Many are cut into slices by what the log says of the files' times, and
each slice is gathered from the files, row groups and rows that lie in it; one that turns out too large is cut
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
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
# What a row takes in memory until rows were seen, and the share of the bound that a slice aims at.
_ROW_BYTES = 300
_AIM = 0.6
# A row's place in the order: the rank of its value above, and its time within the hour (µs) below.
_TIME_BITS = 32
_KEY = "_key"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Rows of one value of the file column (None where the stream has none), in order of time.
type Ordered = Iterator[tuple[str | None, pa.Table]]


class Merger:
    """Merges the raw files of one stream; `limit` is how many Arrow bytes a slice may have in memory."""

    def __init__(
        self, stream: StreamDefinition, reader: RawReader, limit: int, check: Callable[[], None]
    ) -> None:
        """`check` is called now and then, and what it raises ends the work."""
        self._stream = stream
        self._reader = reader
        self._limit = limit
        self._check = check
        self._row_bytes = _ROW_BYTES

    def ordered(self, place: KeyHour, files: Sequence[RawFile]) -> Ordered:
        """All rows of `files`, value by value; a value with many rows comes in several pieces."""
        with ThreadPoolExecutor(_PARALLEL, "merge-read") as pool:
            rows = self._whole(files, pool)
            if rows is not None:
                yield from self._apart(rows)
            else:
                yield from self._sliced(place, files, pool)

    def _whole(self, files: Sequence[RawFile], pool: ThreadPoolExecutor) -> pa.Table | None:
        """All rows of `files`, or None where they are too many to be had in memory."""
        import pyarrow as pa

        if sum(file.rows for file in files) * self._row_bytes > self._limit:
            return None
        found, size, count = [], 0, 0
        for rows in self._ahead(pool, self._reader.rows, files):
            found.append(rows)
            size, count = size + rows.nbytes, count + rows.num_rows
            self._row_bytes = max(size // max(count, 1), 1)
            if size > self._limit and len(found) < len(files):
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

    def _sliced(self, place: KeyHour, files: Sequence[RawFile], pool: ThreadPoolExecutor) -> Ordered:
        work = _Slices(self._stream, place, files, self._values(files, pool))
        low = 0
        while low < work.end:
            high = work.cut(low, int(self._limit * _AIM / self._row_bytes))
            for rows in self._gathered(work, low, high, pool):
                self._row_bytes = max(rows.nbytes // rows.num_rows, 1)
                yield from work.apart(rows)
            low = high

    def _values(self, files: Sequence[RawFile], pool: ThreadPoolExecutor) -> list[list[str]]:
        """The different values of the file column in each file."""
        if self._stream.file_column is None:
            return [[] for _ in files]
        return list(self._ahead(pool, self._reader.values, files))

    def _gathered(self, work: _Slices, low: int, high: int, pool: ThreadPoolExecutor) -> Iterator[pa.Table]:
        """The rows from place `low` up to `high` (exclusive) in their order, in tables of bounded size."""
        import numpy as np

        found: list[pa.Table] = []
        size = 0
        read = partial(work.read, self._reader, low, high)
        for rows in self._ahead(pool, read, work.files_between(low, high)):
            found.append(rows)
            size += rows.nbytes
            if size <= self._limit:
                continue
            if high - low == 1:  # all of one place: any order is right
                yield from (rows for rows in found if rows.num_rows)
                found, size = [], 0
                continue
            places = np.concatenate([rows[_KEY].to_numpy() for rows in found])
            middle = min(max(int(np.median(places)), low + 1), high - 1)
            found.clear()
            yield from self._gathered(work, low, middle, pool)
            yield from self._gathered(work, middle, high, pool)
            return
        if size:
            yield _sorted(found)


class _Slices:
    """The order of one key's hour as a line of numbers, and the files on it."""

    def __init__(
        self,
        stream: StreamDefinition,
        place: KeyHour,
        files: Sequence[RawFile],
        values: Sequence[Sequence[str]],
    ) -> None:
        import numpy as np

        self._stream = stream
        self._files = files
        self._start = (place.hour - _EPOCH) // timedelta(microseconds=1)
        self._values = sorted({value for found in values for value in found})
        self._ranks = {value: rank for rank, value in enumerate(self._values)}
        self.end = max(len(self._values), 1) << _TIME_BITS
        bounds = [self._bounds(file, found) for file, found in zip(files, values, strict=True)]
        self._low = np.array([low for low, _ in bounds], np.int64)
        self._high = np.array([high for _, high in bounds], np.int64)
        self._edges, self._below = self._expected()

    def _bounds(self, file: RawFile, values: Sequence[str]) -> tuple[int, int]:
        """The places between which all rows of `file` lie, inclusive."""
        first = self._ranks[min(values)] if values else 0
        last = self._ranks[max(values)] if values else 0
        earliest, latest = (
            min(max(time - self._start, 0), HOUR_MICROSECONDS - 1) for time in (file.earliest, file.latest)
        )
        return first << _TIME_BITS | earliest, last << _TIME_BITS | latest

    def _expected(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """At each edge of a file how many rows lie below it, were each file's rows spread evenly."""
        import numpy as np

        density = np.array([file.rows for file in self._files]) / (self._high - self._low + 1)
        edges = np.concatenate([self._low, self._high + 1])
        order = np.argsort(edges, kind="stable")
        edges = edges[order]
        slopes = np.cumsum(np.concatenate([density, -density])[order])
        below = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(edges))])
        return edges, np.maximum.accumulate(below)

    def cut(self, low: int, rows: int) -> int:
        """The place up to which `rows` rows are expected from `low` on."""
        import numpy as np

        reached = np.interp(low, self._edges, self._below) + max(rows, 1)
        if reached >= self._below[-1]:
            return self.end
        return min(max(int(np.interp(reached, self._below, self._edges)), low + 1), self.end)

    def files_between(self, low: int, high: int) -> list[RawFile]:
        """The files that may hold rows from place `low` up to `high` (exclusive)."""
        import numpy as np

        return [self._files[i] for i in np.flatnonzero((self._low < high) & (self._high >= low)).tolist()]

    def read(self, reader: RawReader, low: int, high: int, file: RawFile) -> pa.Table:
        """The file's rows from place `low` up to `high` (exclusive), with their places."""
        import numpy as np
        import pyarrow as pa

        first, last = low >> _TIME_BITS, (high - 1) >> _TIME_BITS
        values = (self._values[first], self._values[last]) if self._values else None
        mask = (1 << _TIME_BITS) - 1
        times = (low & mask, (high - 1) & mask) if first == last else (0, HOUR_MICROSECONDS)
        found = []
        for rows in reader.row_groups(file, values, (times[0] + self._start, times[1] + self._start)):
            places = self._places(rows)
            inside = np.flatnonzero((places >= low) & (places < high))
            # Taken, not sliced: a slice would keep the whole row group in memory.
            found.append(rows.take(pa.array(inside)).append_column(_KEY, pa.array(places[inside])))
        return pa.concat_tables(found) if found else self._nothing()

    def _nothing(self) -> pa.Table:
        import pyarrow as pa

        from shared.lake.schema import row_schema

        return row_schema(self._stream).append(pa.field(_KEY, pa.int64())).empty_table()

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

    def apart(self, rows: pa.Table) -> Ordered:
        """Sorted `rows` with their places, value by value, without the places."""
        import numpy as np

        ranks = rows[_KEY].to_numpy() >> _TIME_BITS
        rows = rows.drop_columns([_KEY])
        starts = [0, *(np.flatnonzero(np.diff(ranks)) + 1).tolist()]
        for start, end in zip(starts, [*starts[1:], rows.num_rows], strict=True):
            yield self._values[ranks[start]] if self._values else None, rows.slice(start, end - start)


def _sorted(parts: list[pa.Table]) -> pa.Table:
    """The rows of `parts` in the order of their places; ties as they come. Takes `parts` apart as it goes."""
    import numpy as np
    import pyarrow as pa

    rows = pa.concat_tables(parts).combine_chunks()
    parts.clear()
    places = rows[_KEY].to_numpy()
    if np.all(places[1:] >= places[:-1]):
        return rows
    return rows.take(pa.array(np.argsort(places, kind="stable")))
