"""Aggregates by window: roll-ups of minutes put together on the clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.query.wanted import microseconds
from shared.rollups.partials import merged
from shared.rollups.reader import Rollups, of_types

if TYPE_CHECKING:
    import pyarrow as pa

DAY_SECONDS = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsWanted:
    """The newest `limit` windows of `seconds` each, a whole number of minutes of which whole numbers make a
    day, that begin from `start` (inclusive) to `end` (exclusive) and have events: of one event type or each
    apart, and `by_region` each region apart."""

    seconds: int
    limit: int
    event_type: str | None = None
    by_region: bool = False
    start: datetime | None = None
    end: datetime | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What tells aggregates apart."""
        return ("window", "event_type", "region") if self.by_region else ("window", "event_type")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What the events of a window add up to; the values are None where no event had one, or where doubles
    are too small for the sum. `region` is None for events without one, and where regions are together."""

    window_start: datetime
    event_type: str
    region: str | None
    count: int
    total: float | None
    average: float | None
    highest: float | None
    lowest: float | None


def aggregates(rollups: Rollups, wanted: WindowsWanted) -> list[Aggregate]:
    """The aggregates, newest window first, then by type and region. Blocks; raises StorageUnavailable."""
    start = None if wanted.start is None else _next_window(wanted.start, wanted.seconds)
    end = None if wanted.end is None else _next_window(wanted.end, wanted.seconds)

    def newest(days: Iterator[list[pa.Table]]) -> list[Aggregate]:
        found: list[Aggregate] = []
        for parts in days:  # no window spans two dates
            found += _aggregates_in(parts, wanted, wanted.limit - len(found))
            if len(found) >= wanted.limit:
                break
        return found

    return rollups.back(start, end, newest, by_region=wanted.by_region)


def _aggregates_in(parts: list[pa.Table], wanted: WindowsWanted, limit: int) -> list[Aggregate]:
    kept = of_types(parts, None if wanted.event_type is None else [wanted.event_type])
    whole = merged([_windowed(part, wanted.seconds) for part in kept], wanted.keys)
    rest = [(key, "ascending") for key in wanted.keys[1:]]
    ordered = whole.sort_by([("window", "descending"), *rest]).slice(0, limit)
    return [_aggregate(row, wanted.seconds) for row in ordered.to_pylist()]


def _windowed(part: pa.Table, seconds: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    minutes = part["minute"].cast(pa.int64()).to_numpy()
    return part.append_column("window", pa.array(np.floor_divide(minutes, seconds * 1_000_000)))


def _aggregate(row: dict[str, Any], seconds: int) -> Aggregate:
    return Aggregate(
        window_start=_EPOCH + timedelta(seconds=row["window"] * seconds),
        event_type=row["event_type"],
        region=row.get("region"),
        count=row["count"],
        total=_finite(row["sum"]),
        average=_finite(row["sum"] / row["values"]) if row["values"] else None,
        highest=row["max"],
        lowest=row["min"],
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _next_window(moment: datetime, seconds: int) -> datetime | None:
    """The first window that begins at `moment` or later; None beyond what dates can name."""
    windows = -(-microseconds(moment) // (seconds * 1_000_000))
    try:
        return _EPOCH + timedelta(seconds=windows * seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
