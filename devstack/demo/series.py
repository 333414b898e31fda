"""What the demo replays: measured series where they lie beside the project, else generated ones."""

from __future__ import annotations

import csv
import heapq
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devstack.tools import PROJECT

DEFAULT_FOLDER = PROJECT.parent / "shared" / "data" / "nab"
_STEP = timedelta(minutes=5)
_GENERATED = 24


class SeriesError(Exception):
    """A file does not hold a series."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One point of a series; `time` is aware."""

    time: datetime
    series: str
    value: float


def read_series(folder: Path) -> list[list[Reading]]:
    """Every CSV file of `timestamp,value` below `folder`; none where there is no such folder.

    Raises SeriesError for a file of another kind.
    """
    found = [_read(folder, path) for path in sorted(folder.rglob("*.csv"))]
    return [series for series in found if series]


def generate_series(points: int, end: datetime) -> list[list[Reading]]:
    """Servers whose load swings by the day, `points` or a few more in all, the same at every call."""
    length = -(-points // _GENERATED)
    return [_generate(f"generated/server_{number:02}", length, end, number) for number in range(_GENERATED)]


def newest(all_series: Iterable[Sequence[Reading]], points: int, end: datetime | None) -> list[Reading]:
    """The newest `points` readings of all series together, oldest first.

    Every series ends at `end`, its own spacing kept; where `end` is None each keeps its own times. Which
    readings these are is the same either way.
    """
    ends = {series[-1].series: series[-1].time for series in all_series if series}
    everything = (reading for series in all_series for reading in series)
    chosen = heapq.nsmallest(points, everything, key=lambda one: ends[one.series] - one.time)
    if end is not None:
        chosen = [Reading(end - (ends[r.series] - r.time), r.series, r.value) for r in chosen]
    return sorted(chosen, key=lambda one: (one.time, one.series))


def _read(folder: Path, path: Path) -> list[Reading]:
    name = str(path.relative_to(folder).with_suffix(""))
    with path.open(newline="") as file:
        try:
            rows = csv.DictReader(file)
            return [Reading(_time(row["timestamp"]), name, float(row["value"])) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise SeriesError(f"{path} is no series of timestamp,value: {error!r}") from error


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _generate(name: str, length: int, end: datetime, seed: int) -> list[Reading]:
    noise = random.Random(seed)  # noqa: S311
    base, swing = noise.uniform(20, 60), noise.uniform(5, 20)
    readings = []
    for step in reversed(range(length)):
        time = end - step * _STEP
        day = (time.hour * 60 + time.minute) / 1440
        value = base - swing * math.cos(2 * math.pi * day) + noise.gauss(0, 1)
        readings.append(Reading(time, name, round(value, 3)))
    return readings
