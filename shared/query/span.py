"""The span of time that holds a page, narrowed by the statistics of a table's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.query.wanted import RowsWanted, microseconds

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    type Vector = np.ndarray[Any, Any]


def span_of(wanted: RowsWanted, files: pa.Table) -> tuple[int, int]:
    """The narrowest span of time, in microseconds (inclusive), that must hold the page of the table's rows.

    `files` are those of a snapshot. Going back from the newest (or on from the oldest), as soon as whole
    files of nothing but wanted rows hold as many as the page reaches down to, nothing beyond these can be on
    it. An empty span means no rows.
    """

    may, only = _matching(wanted, files)
    files = files.filter(may)
    only = only.filter(may).to_numpy(zero_copy_only=False)
    earliest, latest, rows = (files[name].to_numpy() for name in ("earliest", "latest", "rows"))
    first = None if wanted.start is None else microseconds(wanted.start)
    last = None if wanted.end is None else microseconds(wanted.end) - 1
    overlapping = _overlapping(earliest, latest, first, last)
    if not overlapping.any():
        return 1, 0
    earliest, latest, rows = earliest[overlapping], latest[overlapping], rows[overlapping]
    start = max(int(earliest.min()), first) if first is not None else int(earliest.min())
    end = min(int(latest.max()), last) if last is not None else int(latest.max())
    inside = only[overlapping] & (earliest >= start) & (latest <= end)
    earliest, latest, rows = earliest[inside], latest[inside], rows[inside]
    if wanted.newest:
        return _reach(earliest, rows, wanted.depth, start), end
    return start, -_reach(-latest, rows, wanted.depth, -end)


def _matching(wanted: RowsWanted, files: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Which files may hold wanted rows, the time apart, and which hold nothing else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    may = pa.array([True] * files.num_rows, pa.bool_())
    only = may
    for column, text in wanted.equal.items():
        if column in wanted.stream.partition_columns:
            may = pc.and_(may, pc.equal(files[column], text)).combine_chunks()
        elif column == wanted.stream.file_column:
            low, high = pc.fill_null(files["lowest"], ""), files["highest"]
            within = pc.and_(pc.less_equal(low, text), pc.fill_null(pc.greater_equal(high, text), True))
            exact = pc.fill_null(pc.and_(pc.equal(low, text), pc.equal(high, text)), False)
            may, only = pc.and_(may, within).combine_chunks(), pc.and_(only, exact).combine_chunks()
        else:
            only = pa.array([False] * files.num_rows, pa.bool_())
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
