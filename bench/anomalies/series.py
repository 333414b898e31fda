"""Series with labelled windows, laid out as in the Numenta Anomaly Benchmark."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

WINDOWS = "anomaly_windows.json"


@dataclass(frozen=True, slots=True)
class Series:
    """A series: `name` is its file's path within the folder, `times` are seconds since 1970.

    `windows` are the labelled anomalies as first and last place of a point, None where the folder has no
    labels for it. `texts` are times and values as the file has them.
    """

    name: str
    times: Sequence[float]
    values: Sequence[float]
    texts: Sequence[tuple[str, str]]
    windows: Sequence[tuple[int, int]] | None

    @property
    def probation(self) -> int:
        """The points at the beginning that do not count: 15%, at most 750."""
        return min(int(0.15 * len(self.times)), 750)

    @property
    def interval(self) -> float:
        """The usual time between two points of the probation, in seconds."""
        early = self.times[: max(self.probation, 2)]
        return median(after - before for before, after in pairwise(early))


def read_folder(folder: Path) -> list[Series]:
    """Every series in `folder`; raises ValueError with the reason where one cannot be read."""
    labels_file = folder / WINDOWS
    labels = json.loads(labels_file.read_text()) if labels_file.exists() else {}
    found = [_read(path, folder, labels) for path in sorted(folder.rglob("*.csv"))]
    if not found:
        raise ValueError(
            f"{folder} holds no .csv file: give a folder laid out like the benchmark's, DATA=<folder>"
        )
    return found


def _read(path: Path, folder: Path, labels: dict[str, list[list[str]]]) -> Series:
    name = path.relative_to(folder).as_posix()
    try:
        with path.open(newline="") as file:
            texts = [(row["timestamp"], row["value"]) for row in csv.DictReader(file)]
        times, values = [_seconds(time) for time, _ in texts], [float(value) for _, value in texts]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no series of `timestamp,value`: {error!r}") from error
    if len(times) < 2:
        raise ValueError(f"{path} has fewer than two points")
    windows = None if name not in labels else [_places(times, window) for window in labels[name]]
    return Series(name, times, values, texts, windows)


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _places(times: Sequence[float], window: Sequence[str]) -> tuple[int, int]:
    start, end = map(_seconds, window)
    inside = [place for place, time in enumerate(times) if start <= time <= end]
    if not inside:
        raise ValueError(f"the window {window} holds no point")
    return inside[0], inside[-1]
