"""Roll-ups out of their table and the landing segments together, each acknowledged event once.

The order of reading makes it so, as for rows (`shared.query.history`): the segments are listed first, then
the newest version is taken, then the rows of segments above its progress are rolled up and added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from shared.lake.digests import SegmentDigests
from shared.lake.ports import BlobGone, Lake, Snapshot
from shared.lake.segments import Segment, SegmentStore
from shared.lake.totals import fresh
from shared.platform.errors import StorageUnavailable
from shared.query.wanted import microseconds
from shared.rollups.days import CommittedDays, Paths, files_by_date
from shared.rollups.files import by_date, count_windows
from shared.rollups.partials import SOURCE_COLUMNS, between, merged, no_partials, roll_up
from shared.rollups.regions import Regions, RegionStore
from shared.streams.events import EVENTS
from shared.streams.rollups import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class _View:
    """One version of the table, and what is landed above it."""

    snapshot: Snapshot
    landed: Sequence[tuple[Segment, int]]


class Rollups:
    """Queries over roll-ups. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, segments: SegmentStore, lake: Lake, days: CommittedDays, regions: RegionStore) -> None:
        self._segments = segments
        self._lake = lake
        self._days = days
        self._regions = regions
        self._digests = SegmentDigests(EVENTS, segments, SOURCE_COLUMNS, roll_up)
        self._known: tuple[int, Regions] | None = None

    def minutes(self, start: datetime, end: datetime, event_types: Sequence[str] | None = None) -> pa.Table:
        """One row for each minute, type and region that has events, sorted by minute, from `start` on
        to `end` (exclusive), both aware and on whole minutes."""
        return merged(of_types(self.parts(start, end), event_types))

    def parts(self, start: datetime, end: datetime, *, by_region: bool = True) -> list[pa.Table]:
        """The same in parts, each sorted by minute, which add up: cheaper for whoever groups them anyway.

        Without `by_region` all regions are one, and null: what it costs does not follow their number then.
        """

        def read(view: _View) -> list[pa.Table]:
            dates = files_by_date(view.snapshot, _dates(view.snapshot, start, end))
            days = [between(day, start, end) for day in self._days.of(dates, by_region=by_region)]
            return [*days, between(self._landed(view, start, end), start, end)]

        return self._read(read)

    def back[Answer](
        self,
        start: datetime | None,
        end: datetime | None,
        answer: Callable[[Iterator[list[pa.Table]]], Answer],
        *,
        by_region: bool = True,
    ) -> Answer:
        """What `answer` makes of the parts of each date (UTC) that has events, newest date first; it need not
        go through all. It may be called again, and must begin anew then. See `parts` for `by_region`."""

        def days(view: _View) -> Iterator[list[pa.Table]]:
            dates, landed = self._all_dates(view, start, end)
            for day in sorted({*dates, *landed}, reverse=True):
                committed = self._days.of({day: dates[day]}, by_region=by_region) if day in dates else []
                yield [between(part, start, end) for part in (*committed, landed.get(day, no_partials()))]

        return self._read(lambda view: answer(days(view)))

    def count_windows(self) -> int:
        """How many windows of five minutes, by event type, have events."""

        def read(view: _View) -> int:
            dates, landed = self._all_dates(view, None, None)
            known = self._days.count_windows(
                {day: paths for day, paths in dates.items() if day not in landed}
            )
            both = []
            for day, part in landed.items():
                committed = self._days.of({day: dates[day]}, by_region=False) if day in dates else []
                both.append(merged([*committed, part]))
            return known + sum(map(count_windows, both))

        return self._read(read)

    def _all_dates(
        self, view: _View, start: datetime | None, end: datetime | None
    ) -> tuple[Mapping[str, Paths], Mapping[str, pa.Table]]:
        dates = files_by_date(view.snapshot, _dates(view.snapshot, start, end))
        landed = between(self._landed(view, start, end), start, end)
        return dates, {day.isoformat(): part for day, part in by_date(landed)}

    def _landed(self, view: _View, start: datetime | None, end: datetime | None) -> pa.Table:
        """What is landed above the snapshot and may lie between, under the names that it would get now."""
        first = None if start is None else microseconds(start)
        last = None if end is None else microseconds(end)
        wanted = [
            (segment, covered)
            for segment, covered in view.landed
            if (first is None or segment.latest >= first) and (last is None or segment.earliest < last)
        ]
        if not wanted:
            return no_partials()
        landed = merged(self._digests.of(wanted))
        regions = self._regions_at(view.snapshot.version).copy()
        regions.admit(landed)
        return merged([regions.named(landed)])

    def _regions_at(self, version: int) -> Regions:
        known = self._known
        if known is None or known[0] != version:
            known = self._known = (version, self._regions.read())
        return known[1]

    def _read[Answer](self, answer: Callable[[_View], Answer]) -> Answer:
        """What `answer` makes of the newest version and what is landed above it. It is called again when a
        file or a segment that it opens is gone: a newer version has what was in it."""
        for _ in range(_ATTEMPTS):
            segments = self._segments.list(EVENTS)
            app_ids = {segment.source.app_id for segment in segments}
            snapshot = self._lake.table(ROLLUPS).snapshot(app_ids)
            progress = {app_id: snapshot.progress(app_id) for app_id in app_ids}
            try:
                return answer(_View(snapshot, [*fresh(segments, progress)]))
            except BlobGone:
                continue
        raise StorageUnavailable("the roll-ups kept changing while they were read", retry_after=1)


def of_types(parts: Sequence[pa.Table], event_types: Sequence[str] | None) -> list[pa.Table]:
    """`parts` with nothing but these event types; all where that is None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if event_types is None:
        return [*parts]
    wanted = pa.array(event_types, pa.string())
    return [part.filter(pc.is_in(part["event_type"], value_set=wanted)) for part in parts]


def _dates(snapshot: Snapshot, start: datetime | None, end: datetime | None) -> list[str]:
    """The dates (ISO) that the table has and that may have minutes between."""
    import pyarrow.compute as pc

    first = date.min if start is None else start.date()
    last = date.max if end is None else end.date()
    known = pc.unique(snapshot.files()["date"]).to_pylist()
    return [day for day in known if first.isoformat() <= day <= last.isoformat()]
