"""What happened of late, in whole minutes: the current one and all that a span reaches back into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.platform.clock import Clock
from shared.rollups.partials import between
from shared.rollups.reader import Rollups, of_types
from shared.streams.events import EVENT_TYPES

if TYPE_CHECKING:
    import pyarrow as pa

_MINUTE = timedelta(minutes=1)
_WINDOW = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RecentCounts:
    """Events by type, zero included: of the last 24 hours, of the windows of five minutes that began within
    the last hour, and of the last five minutes; as of `now`."""

    now: datetime
    day: Mapping[str, int]
    hour_windows: Mapping[str, int]
    five_minutes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LastHour:
    """Events of one type within the last hour, and how many of them had which region; as of `now`."""

    now: datetime
    count: int
    regions: Mapping[str, int]


class Recent:
    """Looks at the last minutes. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, rollups: Rollups, clock: Clock) -> None:
        self._rollups = rollups
        self._clock = clock

    def counts(self) -> RecentCounts:
        """Of all types, as of one moment."""
        now = self._clock()
        end = _floor(now, _MINUTE) + _MINUTE
        parts = self._rollups.parts(_floor(now - DAY, _MINUTE), end, by_region=False)

        def since(start: datetime) -> Mapping[str, int]:
            return _by_type([between(part, start, end) for part in parts])

        return RecentCounts(
            now, _by_type(parts), since(_ceiling(now - HOUR, _WINDOW)), since(_floor(now - _WINDOW, _MINUTE))
        )

    def last_hour(self, event_type: str) -> LastHour:
        """Of one type."""
        now = self._clock()
        parts = self._rollups.parts(_floor(now - HOUR, _MINUTE), _floor(now, _MINUTE) + _MINUTE)
        regions = _counted(of_types(parts, [event_type]), "region")
        count = sum(regions.values())
        regions.pop(None, None)
        return LastHour(now, count, {str(name): regions[name] for name in sorted(map(str, regions))})


def _by_type(parts: list[pa.Table]) -> Mapping[str, int]:
    found = _counted(parts, "event_type")
    return {event_type: found.get(event_type, 0) for event_type in EVENT_TYPES}


def _counted(parts: list[pa.Table], key: str) -> dict[str | None, int]:
    import pyarrow as pa

    if not parts:
        return {}
    whole = pa.concat_tables([part.select([key, "count"]) for part in parts])
    return {
        row[key]: row["count_sum"] for row in whole.group_by(key).aggregate([("count", "sum")]).to_pylist()
    }


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step


def _ceiling(moment: datetime, step: timedelta) -> datetime:
    floor = _floor(moment, step)
    return floor if floor == moment else floor + step
