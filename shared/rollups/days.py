"""The committed roll-ups, date by date, held in memory as far as there is room: files never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.lake.ports import Blobs, Snapshot
from shared.rollups.files import count_windows, read_file, windows_in
from shared.rollups.partials import merged, without_regions

if TYPE_CHECKING:
    import pyarrow as pa

_PARALLEL = 8
_LEAST_DATES = 2

type Paths = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Day:
    """What some files of a date hold: with each region apart, and with all of them as one."""

    paths: Paths
    regions: pa.Table
    together: pa.Table

    @property
    def nbytes(self) -> int:
        return int(self.regions.nbytes + self.together.nbytes)


class CommittedDays:
    """Reads dates of the table, each as one table of partials. One instance serves all threads."""

    def __init__(self, blobs: Blobs, most_bytes: int) -> None:
        """`most_bytes`: how much is kept, in Arrow's bytes; the last 24 hours, two dates, are kept anyway."""
        self._blobs = blobs
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._days: OrderedDict[str, _Day] = OrderedDict()
        self._bytes = 0
        # Small, and there are few dates with several files: of all of them.
        self._counts: dict[str, tuple[Paths, int]] = {}

    def of(self, wanted: Mapping[str, Paths], *, by_region: bool = True) -> list[pa.Table]:
        """For each date (ISO) of `wanted` what its files hold, sorted by minute; see `files_by_date`. Without
        `by_region` all regions are one, and null.

        A look at a date again reads only the files that are new. Blocks; raises BlobGone where one of them is
        gone, and StorageUnavailable.
        """
        days = [self._day(date, paths) for date, paths in wanted.items()]
        return [day.regions if by_region else day.together for day in days]

    def count_windows(self, wanted: Mapping[str, Paths]) -> int:
        """How many windows of five minutes, by event type, have events; files are read only of dates that
        have several."""
        alone = [next(iter(paths)) for paths in wanted.values() if len(paths) == 1]
        several = {date: paths for date, paths in wanted.items() if len(paths) > 1}
        return sum(map(windows_in, alone)) + sum(self._windows(date, several[date]) for date in several)

    def _windows(self, date: str, paths: Paths) -> int:
        known = self._counts.get(date)
        if known is None or known[0] != paths:
            [day] = self.of({date: paths}, by_region=False)
            known = self._counts[date] = (paths, count_windows(day))
        return known[1]

    def _day(self, date: str, paths: Paths) -> _Day:
        with self._lock:
            day = self._days.get(date)
            if day is not None:
                self._days.move_to_end(date)
                if day.paths == paths:
                    return day
        # What a date was made of may have become one file: then it is read anew, whole.
        kept = day if day is not None and day.paths < paths else None
        new = paths if kept is None else paths - kept.paths
        with ThreadPoolExecutor(_PARALLEL, "rollup-read") as pool:
            read = [*pool.map(lambda path: read_file(self._blobs, path), sorted(new))]
        regions = merged([*([kept.regions] if kept else []), *read]).combine_chunks()
        day = _Day(paths, regions, without_regions(regions).combine_chunks())
        self._keep(date, day)
        return day

    def _keep(self, date: str, day: _Day) -> None:
        with self._lock:
            before = self._days.pop(date, None)
            self._bytes += day.nbytes - (before.nbytes if before is not None else 0)
            self._days[date] = day
            while self._bytes > self._most_bytes and len(self._days) > _LEAST_DATES:
                _, oldest = self._days.popitem(last=False)
                self._bytes -= oldest.nbytes


def files_by_date(snapshot: Snapshot, dates: Iterable[str] | None = None) -> dict[str, Paths]:
    """The paths of the files of each date (ISO) that has any, of `dates` or all, in no order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    files = snapshot.files().select(["path", "date"])
    if dates is not None:
        files = files.filter(pc.is_in(files["date"], value_set=pa.array([*dates], pa.string())))
    grouped = files.group_by("date").aggregate([("path", "list")])
    found: list[dict[str, Any]] = grouped.to_pylist()
    return {row["date"]: frozenset(row["path_list"]) for row in found}
