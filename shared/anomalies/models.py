"""What a detector says of a point, and what becomes of it: series, alarms, anomalies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

type Metric = Literal["count", "mean"]
type Severity = Literal["low", "medium", "high", "critical"]

# The least score of each severity; docs/anomalies.md says how often noise reaches them.
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((100.0, "critical"), (30.0, "high"), (15.0, "medium"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much a point surprises.

    `score` is on a scale of -log10 probabilities, 0 during the warm-up; `alarm`: the point is to be reported;
    `quiet`: it follows an alarm closely, and is part of the same story. `expected` is the value that the past
    leads to expect, in the unit of the series. `stream` names what spoke loudest, empty during the warm-up.
    """

    score: float
    alarm: bool
    quiet: bool
    expected: float
    stream: str


@dataclass(frozen=True, slots=True)
class Band:
    """The value that is expected of a point, and from where to where one would be nothing rare."""

    expected: float
    low: float
    high: float


class Pair(NamedTuple):
    """Whose events are counted together: a type's in one region, or (None) in all and in none."""

    event_type: str
    region: str | None


class Series(NamedTuple):
    """One series: of a pair the number of events a minute, or the mean of their values."""

    event_type: str
    region: str | None
    metric: Metric

    @property
    def pair(self) -> Pair:
        """Whose events they are."""
        return Pair(self.event_type, self.region)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A minute of a series that is to be told; `minute` is in minutes since 1970.

    `open`: the minute was not closed, so the value may still change.
    """

    series: Series
    minute: int
    value: float
    expected: float
    score: float
    stream: str
    open: bool


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomaly, as it is kept. Times are aware, in UTC; those of an acknowledgement are None before it."""

    id: str
    series: Series
    detected_at: datetime
    window_start: datetime
    window_end: datetime
    score: float
    stream: str
    value: float
    expected: float
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None

    @property
    def severity(self) -> Severity:
        """By the score."""
        return severity_of(self.score)

    @property
    def deviation(self) -> float | None:
        """(value - expected) / expected; None where that is no number."""
        if not self.expected:
            return None
        deviation = (self.value - self.expected) / self.expected
        return deviation if abs(deviation) < float("inf") else None


def next_severity(score: float) -> float:
    """The least score of the severity above that of `score`; infinite for the highest."""
    return min((least for least, _ in _SEVERITIES if least > score), default=math.inf)


def severity_of(score: float) -> Severity:
    """The severity of an anomaly with this score."""
    return next((severity for least, severity in _SEVERITIES if score >= least), "low")
