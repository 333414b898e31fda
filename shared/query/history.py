"""Rows out of the lake and the landing segments together, each acknowledged one once.

The order of reading makes it so: first the segments are listed, then the newest snapshot is taken, then the
rows of segments above the snapshot's progress are added. A segment that is gone when it is opened was
committed in between; then a newer snapshot holds its rows, and reading starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

from shared.lake.ports import BlobGone, Lake, Snapshot
from shared.lake.schema import row_schema
from shared.lake.segments import Segment, SegmentStore, rows_above, uncommitted
from shared.platform.errors import StorageUnavailable
from shared.query.committed import check_size, committed
from shared.query.wanted import RowsWanted
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 10
# Segments that are read at the same time.
_PARALLEL = 8

# A segment that is not in a snapshot, and the sequence number above which its rows count.
type Fresh = tuple[Segment, int]


class History:
    """Queries over all rows that were landed."""

    def __init__(self, segments: SegmentStore, lake: Lake) -> None:
        self._segments = segments
        self._lake = lake

    def page(self, wanted: RowsWanted, depends_on: Callable[..., None] | None = None) -> pa.Table:
        """The page that `wanted` asks for, in the schema of the stream's rows. Blocks.

        `depends_on` is called before rows are read, with what the page depends on: as long as that is the
        same, so is the page. What it raises ends the query. Raises StorageUnavailable when storage does not
        answer, BadRequest where the page would be larger than `wanted` allows.
        """

        def read(fresh: list[Fresh], snapshot: Snapshot) -> pa.Table:
            if depends_on is not None:
                depends_on(snapshot.version, *_names(fresh, wanted))
            parts = [self._landed(wanted, fresh), committed(wanted, snapshot)]
            # Each is in order already: with nothing to merge, nothing is copied.
            alone = next((whole for whole, other in (parts, parts[::-1]) if not other.num_rows), None)
            return (_first(parts, wanted) if alone is None else alone).slice(wanted.offset)

        return self.read(wanted.stream, read, wanted.topic)

    def read[Answer](
        self,
        stream: StreamDefinition,
        answer: Callable[[list[Fresh], Snapshot], Answer],
        topic: str | None = None,
    ) -> Answer:
        """What `answer` makes of the segments above the newest snapshot, and of that snapshot: together they
        hold each row of the stream (or of one topic of it) once.

        `answer` is called again when a segment that it opens is gone, so it must begin anew each time.
        Raises StorageUnavailable. Blocks.
        """
        for _ in range(_ATTEMPTS):
            segments = self._segments.list(stream)
            if topic is not None:
                segments = [segment for segment in segments if segment.source.topic == topic]
            snapshot = self._lake.table(stream).snapshot({s.source.app_id for s in segments})
            try:
                return answer([*_fresh(segments, snapshot)], snapshot)
            except BlobGone:
                continue
        raise StorageUnavailable("the buffer kept changing while it was read", retry_after=1)

    def _landed(self, wanted: RowsWanted, fresh: Sequence[Fresh]) -> pa.Table:
        """The first of the wanted rows that are landed but not in the snapshot."""

        def read(item: Fresh) -> pa.Table:
            import pyarrow as pa

            segment, covered = item
            rows = rows_above(self._segments.read(wanted.stream, segment), covered)
            return _matching(pa.Table.from_batches([rows]), wanted)

        found = row_schema(wanted.stream).empty_table()
        ahead = sorted(
            (item for item in fresh if wanted.overlaps(item[0].earliest, item[0].latest)),
            key=lambda item: -item[0].latest if wanted.newest else item[0].earliest,
        )
        with ThreadPoolExecutor(_PARALLEL, "query-read") as pool:
            for start in range(0, len(ahead), _PARALLEL):
                if found.num_rows >= wanted.depth and _is_beyond(ahead[start][0], found, wanted):
                    break
                wave = pool.map(read, ahead[start : start + _PARALLEL])
                found = _first([found, *wave], wanted)
                check_size(wanted, found.nbytes)
        return found


def _fresh(segments: Sequence[Segment], snapshot: Snapshot) -> Iterator[Fresh]:
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        yield from uncommitted(list(group), snapshot.progress(app_id))


def _names(fresh: Sequence[Fresh], wanted: RowsWanted) -> list[str]:
    """What tells apart the rows that may be wanted and are not in the snapshot: segments never change."""
    return [
        f"{segment.name(wanted.stream)} above {covered}"
        for segment, covered in fresh
        if wanted.overlaps(segment.earliest, segment.latest)
    ]


def _is_beyond(segment: Segment, found: pa.Table, wanted: RowsWanted) -> bool:
    """Whether all rows of `segment` come after all that were found."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = pc.min_max(found[wanted.stream.time_column].cast(pa.int64())).as_py()
    return bool(segment.latest < times["min"] if wanted.newest else segment.earliest > times["max"])


def _matching(rows: pa.Table, wanted: RowsWanted) -> pa.Table:
    import pyarrow.compute as pc

    for column, text in wanted.equal.items():
        rows = rows.filter(pc.equal(rows[column], text))
    for bound, compare in ((wanted.start, pc.greater_equal), (wanted.end, pc.less)):
        if bound is not None:
            rows = rows.filter(compare(rows[wanted.stream.time_column], bound))
    return rows


def _first(parts: Sequence[pa.Table], wanted: RowsWanted) -> pa.Table:
    """The first rows of all parts, in order, as many as the page reaches down to."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, depth, time = pa.concat_tables(parts), wanted.depth, wanted.stream.time_column
    direction = "descending" if wanted.newest else "ascending"
    if rows.num_rows > depth:  # leave out by one column what need not be sorted by all
        times = rows[time].take(pc.select_k_unstable(rows, depth, [(time, direction)]))
        if wanted.newest:
            rows = rows.filter(pc.greater_equal(rows[time], pc.min(times)))
        else:
            rows = rows.filter(pc.less_equal(rows[time], pc.max(times)))
    return rows.sort_by([(column, direction) for column in wanted.order]).slice(0, depth)
