"""Events out of the lake and the landing segments together, each acknowledged one once.

The order of reading makes it so: first the segments are listed, then the newest snapshot is taken, then the
rows of segments above the snapshot's progress are added. A segment that is gone when it is opened was
committed in between; then a newer snapshot holds its rows, and reading starts again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from shared.lake.ports import BlobGone, Lake, Snapshot
from shared.lake.schema import row_schema
from shared.lake.segments import Segment, SegmentStore, rows_above, uncommitted
from shared.platform.errors import StorageUnavailable
from shared.streams.events import EVENTS, topic_of

if TYPE_CHECKING:
    import pyarrow as pa

# Newest first by event time, then by place in the stream. It is total, and the same for a row wherever it
# stands, so that a flush between two pages moves nothing.
_ORDER = ("timestamp", "ingestion_time", "_seq", "_idx", "_partition", "event_type")
_ATTEMPTS = 10
# Segments that are read at the same time.
_PARALLEL = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventsWanted:
    """Which events: of one type or all, from `start` (inclusive) to `end` (exclusive), both aware."""

    event_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 100
    offset: int = 0

    @property
    def depth(self) -> int:
        """How many of the newest rows the page reaches down to."""
        return self.offset + self.limit

    def overlaps(self, earliest: int, latest: int) -> bool:
        """Whether something between `earliest` and `latest` (µs since 1970, inclusive) may be wanted."""
        return (self.start is None or latest >= microseconds(self.start)) and (
            self.end is None or earliest < microseconds(self.end)
        )


def microseconds(moment: datetime) -> int:
    """`moment` (aware) in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class EventHistory:
    """Queries over all events that were landed."""

    def __init__(self, segments: SegmentStore, lake: Lake) -> None:
        self._segments = segments
        self._lake = lake

    def newest(self, wanted: EventsWanted) -> pa.Table:
        """The page of rows that `wanted` asks for, in the schema of the events stream. Blocks.

        Raises StorageUnavailable when storage does not answer.
        """
        for _ in range(_ATTEMPTS):
            segments = self._segments_for(wanted)
            snapshot = self._lake.table(EVENTS).snapshot({s.source.app_id for s in segments})
            try:
                landed = self._landed(wanted, segments, snapshot)
            except BlobGone:
                continue
            committed = _committed(wanted, snapshot)
            return _newest([committed, landed], wanted.depth).slice(wanted.offset)
        raise StorageUnavailable("the buffer kept changing while it was read", retry_after=1)

    def _segments_for(self, wanted: EventsWanted) -> list[Segment]:
        segments = self._segments.list(EVENTS)
        if wanted.event_type is None:
            return segments
        topic = topic_of(wanted.event_type)
        return [segment for segment in segments if segment.source.topic == topic]

    def _landed(self, wanted: EventsWanted, segments: Sequence[Segment], snapshot: Snapshot) -> pa.Table:
        """The newest wanted rows that are landed but not in the snapshot."""
        import pyarrow as pa
        import pyarrow.compute as pc

        def read(item: tuple[Segment, int]) -> pa.Table:
            segment, covered = item
            rows = rows_above(self._segments.read(EVENTS, segment), covered)
            return _within(pa.Table.from_batches([rows]), wanted)

        found = row_schema(EVENTS).empty_table()
        fresh = [item for item in _fresh(segments, snapshot) if wanted.overlaps(*_span(item[0]))]
        fresh.sort(key=lambda item: item[0].latest, reverse=True)
        with ThreadPoolExecutor(_PARALLEL, "query-read") as pool:
            for start in range(0, len(fresh), _PARALLEL):
                if found.num_rows >= wanted.depth:
                    oldest = pc.min(found["timestamp"].cast(pa.int64())).as_py()
                    if fresh[start][0].latest < oldest:
                        break
                wave = pool.map(read, fresh[start : start + _PARALLEL])
                found = _newest([found, *wave], wanted.depth)
        return found


def _span(segment: Segment) -> tuple[int, int]:
    return segment.earliest, segment.latest


def _fresh(segments: Sequence[Segment], snapshot: Snapshot) -> Iterator[tuple[Segment, int]]:
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        yield from uncommitted(list(group), snapshot.progress(app_id))


def _within(rows: pa.Table, wanted: EventsWanted) -> pa.Table:
    import pyarrow.compute as pc

    for bound, compare in ((wanted.start, pc.greater_equal), (wanted.end, pc.less)):
        if bound is not None:
            rows = rows.filter(compare(rows["timestamp"], bound))
    return rows


def _newest(parts: Sequence[pa.Table], depth: int) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pa.concat_tables(parts)
    if rows.num_rows > depth:  # leave out by one column what need not be sorted by six
        latest = pc.select_k_unstable(rows, depth, [("timestamp", "descending")])
        oldest = pc.min(rows["timestamp"].take(latest))
        rows = rows.filter(pc.greater_equal(rows["timestamp"], oldest))
    return rows.sort_by([(column, "descending") for column in _ORDER]).slice(0, depth)


def _committed(wanted: EventsWanted, snapshot: Snapshot) -> pa.Table:
    """The newest wanted rows of the snapshot."""
    start, end = _bounds(wanted, snapshot.files())
    schema = row_schema(EVENTS)
    if start > end:
        return schema.empty_table()
    columns = ", ".join(f'"{name}"' for name in schema.names)
    order = ", ".join(f'"{name}" DESC' for name in _ORDER)
    conditions = [f'"timestamp" >= {_literal(start)}', f'"timestamp" <= {_literal(end)}']
    if wanted.event_type is not None:
        conditions.append(f"event_type = '{wanted.event_type}'")
    sql = (
        f"SELECT {columns} FROM rows WHERE {' AND '.join(conditions)} "  # noqa: S608
        f"ORDER BY {order} LIMIT {wanted.depth}"
    )
    return snapshot.select(sql).cast(schema)


def _bounds(wanted: EventsWanted, files: pa.Table) -> tuple[int, int]:
    """The narrowest span of time, in microseconds (inclusive), that must hold the newest wanted rows.

    The files' statistics tell: going back from the newest, as soon as whole files hold as many rows as are
    wanted, nothing older than the oldest of these can be among them. An empty span means no rows.
    """
    import numpy as np
    import pyarrow.compute as pc

    if wanted.event_type is not None:
        files = files.filter(pc.equal(files["event_type"], wanted.event_type))
    earliest, latest, rows = (files[name].to_numpy() for name in ("earliest", "latest", "rows"))
    wanted_start = None if wanted.start is None else microseconds(wanted.start)
    wanted_end = None if wanted.end is None else microseconds(wanted.end)
    overlapping = np.ones(len(rows), np.bool_)
    if wanted_start is not None:
        overlapping &= latest >= wanted_start
    if wanted_end is not None:
        overlapping &= earliest < wanted_end
    if not overlapping.any():
        return 1, 0
    earliest, latest, rows = earliest[overlapping], latest[overlapping], rows[overlapping]
    start = int(earliest.min()) if wanted_start is None else max(int(earliest.min()), wanted_start)
    end = int(latest.max()) if wanted_end is None else min(int(latest.max()), wanted_end - 1)
    inside = (earliest >= start) & (latest <= end)
    newest_first = np.argsort(-earliest[inside], kind="stable")
    enough = np.flatnonzero(np.cumsum(rows[inside][newest_first]) >= wanted.depth)
    if not enough.size:
        return start, end
    return int(earliest[inside][newest_first[enough[0]]]), end


def _literal(count: int) -> str:
    # A plain TIMESTAMP literal is read in nanoseconds, which end in the year 2262.
    return f"arrow_cast({count}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
