"""Counters and histograms of this process, cheap enough for every request.

They hold numbers and nothing else: no library is imported for them, for that would be part of every cold
start. `shared/telemetry/catalogue.py` declares each one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Literal

type Labels = tuple[str, ...]
# A counter's value, or a histogram's sum followed by its counts: one for each bound, one for what is above.
type Numbers = list[float]

# Series beyond this many are counted as one whose labels are all `other`.
MOST_SERIES = 500
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric is called and means; `bounds` are a histogram's buckets, in its unit."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: Labels = ()
    bounds: tuple[float, ...] = ()


class Instrument:
    """A metric that this process counts; thread-safe."""

    def __init__(self, metric: Metric, started: Callable[[], None]) -> None:
        """`started` is called whenever a series begins, which is rare."""
        self.metric = metric
        self._started = started
        self._series: dict[Labels, Numbers] = {}
        self._lock = Lock()

    def read(self) -> dict[Labels, Numbers]:
        """The numbers of now, by labels."""
        with self._lock:
            return {labels: numbers.copy() for labels, numbers in self._series.items()}

    def _numbers(self, labels: Labels) -> Numbers:
        """The series of `labels`, begun where it is missing."""
        if len(labels) != len(self.metric.labels):
            raise TypeError(f"{self.metric.name} has the labels {self.metric.labels}")
        with self._lock:
            if len(self._series) >= MOST_SERIES and labels not in self._series:
                labels = (OTHER,) * len(labels)
            numbers = self._series.setdefault(labels, [0.0] * _width(self.metric))
        self._started()
        return numbers


class Counter(Instrument):
    """Only ever grows."""

    def add(self, amount: float, *labels: str) -> None:
        """Adds `amount`, which is not negative, to the series of `labels`."""
        numbers = self._series.get(labels) or self._numbers(labels)
        with self._lock:
            numbers[0] += amount


class Histogram(Instrument):
    """Counts observations by size."""

    def observe(self, value: float, *labels: str) -> None:
        """Takes in `value`, in the metric's unit."""
        numbers = self._series.get(labels) or self._numbers(labels)
        bucket = 1 + bisect_left(self.metric.bounds, value)
        with self._lock:
            numbers[0] += value
            numbers[bucket] += 1


def _width(metric: Metric) -> int:
    return len(metric.bounds) + 2 if metric.kind == "histogram" else 1


def has_width(metric: Metric, numbers: Numbers) -> bool:
    """Whether `numbers` can be one of the metric's series; an older release may have had other bounds."""
    return len(numbers) == _width(metric)


type Totals = Mapping[str, Mapping[Labels, Numbers]]
"""Numbers of many metrics, by name and labels."""
