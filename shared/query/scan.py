"""The first of the wanted rows out of pieces whose times are known: only those that may hold one are opened.

A piece is a landing segment, a data file or a row group of one. Those nearest to the page's begin are opened
first; as soon as the page is full and all others lie beyond it, these stay closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from shared.query.wanted import RowsWanted, microseconds

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    type Vector = np.ndarray[Any, Any]

# Pieces that are opened at the same time.
_PARALLEL = 8


class Piece(Protocol):
    """Some of a stream's rows, unopened."""

    @property
    def earliest(self) -> int:
        """No row's time is before this, in µs since 1970."""

    @property
    def latest(self) -> int:
        """No row's time is after this."""

    @property
    def rows(self) -> int:
        """How many rows it has."""

    @property
    def weight(self) -> int:
        """About how many bytes it takes to open it."""

    def open(self) -> pa.Table | Sequence[Piece]:
        """Its rows as `matching` gives them, or the pieces that it is made of. Blocks; runs in any thread."""


class TooHeavy(Exception):
    """More would have to be opened than may be."""


def first_rows(
    pieces: Iterable[Piece], wanted: RowsWanted, found: pa.Table, most_weight: int | None = None
) -> pa.Table:
    """The first of the wanted rows among `found`, which are in order, and those of `pieces`: as many as the
    page reaches down to, in order.

    Raises TooHeavy before more than `most_weight` is opened, BadRequest where the rows hold more than
    `wanted` allows, and whatever opening raises. Blocks.
    """
    queue, weight, least = _Queue(wanted), 0, 1
    queue.add(pieces)
    while wave := queue.next(found, least):
        weight += sum(piece.weight for piece in wave)
        if most_weight is not None and weight > most_weight:
            raise TooHeavy(f"{weight} bytes")
        tables = []
        for opened in _opened(wave):
            if isinstance(opened, Sequence):
                queue.add(opened)
            else:
                tables.append(opened)
        if tables:
            least *= 2  # for there was less in them than expected, if it goes on
        if any(table.num_rows for table in tables):
            found = first_of([found, *tables], wanted)
            wanted.check_size(found.nbytes)
    return found


def _opened(wave: Sequence[Piece]) -> list[pa.Table | Sequence[Piece]]:
    if len(wave) == 1:
        return [wave[0].open()]
    with ThreadPoolExecutor(len(wave), "query-read") as pool:
        return list(pool.map(lambda piece: piece.open(), wave))


class _Queue:
    """Pieces that are not opened yet, by how near they are to where the page begins."""

    def __init__(self, wanted: RowsWanted) -> None:
        self._wanted = wanted
        self._waiting: list[tuple[int, int, Piece]] = []
        self._numbers = count()

    def add(self, pieces: Iterable[Piece]) -> None:
        """Adds those of `pieces` that may hold a wanted row."""
        for piece in pieces:
            if self._wanted.overlaps(piece.earliest, piece.latest):
                heappush(self._waiting, (self._distance(piece), next(self._numbers), piece))

    def next(self, found: pa.Table, least: int) -> list[Piece]:
        """Takes out what is to be opened next: the nearest pieces, as many as may fill the page and at least
        `least`, of those that are not beyond all of `found` once that fills it. Empty: the page is there."""
        missing = self._wanted.depth - found.num_rows
        edge = None if missing > 0 else self._edge(found)
        wave: list[Piece] = []
        while (
            self._waiting
            and len(wave) < _PARALLEL
            and (len(wave) < least or missing > 0)
            and (edge is None or self._waiting[0][0] <= edge)
        ):
            wave.append(heappop(self._waiting)[2])
            missing -= self._expected(wave[-1])
        return wave

    def _distance(self, piece: Piece) -> int:
        return -piece.latest if self._wanted.newest else piece.earliest

    def _edge(self, found: pa.Table) -> int:
        """The distance of the last row that is found."""
        import pyarrow as pa

        time = int(found[self._wanted.stream.time_column][-1].cast(pa.int64()).as_py())
        return -time if self._wanted.newest else time

    def _expected(self, piece: Piece) -> int:
        """How many rows of `piece` are within the wanted time, were they spread evenly."""
        start, end = self._wanted.start, self._wanted.end
        first = piece.earliest if start is None else max(piece.earliest, microseconds(start))
        last = piece.latest if end is None else min(piece.latest, microseconds(end))
        return piece.rows * (last - first + 1) // (piece.latest - piece.earliest + 1)


def matching(rows: pa.Table | pa.RecordBatch, wanted: RowsWanted, known: Sequence[str] = ()) -> pa.Table:
    """Those of `rows` that are wanted and may be among the first of them, in any order.

    `known` are columns that need not be compared.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    times = _times(rows, wanted)
    is_wanted = np.ones(len(times), np.bool_)
    if wanted.start is not None:
        is_wanted &= times >= microseconds(wanted.start)
    if wanted.end is not None:
        is_wanted &= times < microseconds(wanted.end)
    for column, text in wanted.equal.items():
        if column not in known:
            same = pc.fill_null(pc.equal(rows.column(column), text), False)
            is_wanted &= same.to_numpy(zero_copy_only=False)
    places = np.flatnonzero(is_wanted)
    places = places[_nearest(times[places], wanted)]
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    return table.take(places)


def first_of(tables: Sequence[pa.Table], wanted: RowsWanted) -> pa.Table:
    """The first rows of all `tables`, in order, as many as the page reaches down to."""
    import pyarrow as pa

    rows = pa.concat_tables(tables)
    if rows.num_rows > wanted.depth:
        rows = rows.take(_nearest(_times(rows, wanted), wanted))
    direction = "descending" if wanted.newest else "ascending"
    return rows.sort_by([(column, direction) for column in wanted.order]).slice(0, wanted.depth)


def _times(rows: pa.Table | pa.RecordBatch, wanted: RowsWanted) -> Vector:
    import pyarrow as pa

    times: Vector = rows.column(wanted.stream.time_column).cast(pa.int64()).to_numpy()
    return times


def _nearest(times: Vector, wanted: RowsWanted) -> Vector:
    """The places of what may be among the first by the time alone: as many as the page reaches down to, and
    those at the same time as the last of them."""
    import numpy as np

    if len(times) <= wanted.depth:
        return np.arange(len(times))
    distances = -times if wanted.newest else times
    return np.flatnonzero(distances <= np.partition(distances, wanted.depth - 1)[wanted.depth - 1])
