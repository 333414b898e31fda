"""The span of time that holds a page, narrowed by the statistics of a table's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.query.wanted import RowsWanted, microseconds

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    type Vector = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end` (µs since 1970, inclusive), and which lines of the snapshot's files overlap that
    and may hold wanted rows; none and an empty span where there are no such rows."""

    start: int
    end: int
    files: Vector


def span_of(wanted: RowsWanted, files: pa.Table) -> Span:
    """The narrowest span of time that must hold the page of the table's rows.

    `files` are those of a snapshot. Going back from the newest (or on from the oldest), as soon as whole
    files of nothing but wanted rows hold as many as the page reaches down to, nothing beyond these can be on
    it.
    """
    import numpy as np

    earliest, latest, rows = (files[name].to_numpy() for name in ("earliest", "latest", "rows"))
    first = None if wanted.start is None else microseconds(wanted.start)
    last = None if wanted.end is None else microseconds(wanted.end) - 1
    may, only = _matching(wanted, files)
    places = np.flatnonzero(may & _overlapping(earliest, latest, first, last))
    if not len(places):
        return Span(1, 0, places)
    earliest, latest, rows, only = earliest[places], latest[places], rows[places], only[places]
    start = max(int(earliest.min()), first) if first is not None else int(earliest.min())
    end = min(int(latest.max()), last) if last is not None else int(latest.max())
    inside = only & (earliest >= start) & (latest <= end)
    if wanted.newest:
        start = _reach(earliest[inside], rows[inside], wanted.depth, start)
    else:
        end = -_reach(-latest[inside], rows[inside], wanted.depth, -end)
    return Span(start, end, places[_overlapping(earliest, latest, start, end)])


def _matching(wanted: RowsWanted, files: pa.Table) -> tuple[Vector, Vector]:
    """Which files may hold wanted rows, the time apart, and which hold nothing else."""
    import numpy as np
    import pyarrow.compute as pc

    may, only = np.ones(files.num_rows, np.bool_), np.ones(files.num_rows, np.bool_)
    for column, text in wanted.equal.items():
        if column in wanted.stream.partition_columns:
            may &= pc.fill_null(pc.equal(files[column], text), False).to_numpy()
        elif column == wanted.stream.file_column:
            low, high = pc.fill_null(files["lowest"], ""), files["highest"]
            within = pc.and_(pc.less_equal(low, text), pc.fill_null(pc.greater_equal(high, text), True))
            may &= within.to_numpy()
            only &= pc.fill_null(pc.and_(pc.equal(low, text), pc.equal(high, text)), False).to_numpy()
        else:
            only[:] = False
    return may, only


def _overlapping(earliest: Vector, latest: Vector, first: int | None, last: int | None) -> Vector:
    import numpy as np

    overlapping = np.ones(len(earliest), np.bool_)
    if first is not None:
        overlapping &= latest >= first
    if last is not None:
        overlapping &= earliest <= last
    return overlapping


def _reach(earliest: Vector, rows: Vector, depth: int, otherwise: int) -> int:
    """The time that the newest `depth` rows of files reach back to, by the files' earliest times."""
    import numpy as np

    newest_first = np.argsort(-earliest, kind="stable")
    enough = np.flatnonzero(np.cumsum(rows[newest_first]) >= depth)
    return int(earliest[newest_first[enough[0]]]) if enough.size else otherwise
