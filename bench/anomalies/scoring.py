"""The scores of the Numenta Anomaly Benchmark.

Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015: the first alarm in a labelled
window counts the more the earlier it comes; an alarm outside counts against, the more the farther behind the
window before it; a window without an alarm counts against. One threshold holds for all series. A score of 0
is that of a detector that never speaks, 100 of one that speaks at each window's first point and never else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.anomalies.series import Series


@dataclass(frozen=True, slots=True)
class Profile:
    """The weights of false positives and of missed windows; a true positive weighs 1."""

    name: str
    false_positive: float
    missed: float


STANDARD = Profile("standard", 0.11, 1.0)
LOW_FP = Profile("low FP", 0.22, 1.0)
LOW_FN = Profile("low FN", 0.11, 2.0)
PROFILES = (STANDARD, LOW_FP, LOW_FN)


@dataclass(frozen=True, slots=True)
class _Point:
    """What an alarm here counts: in `window`, or against (then `window` is None)."""

    score: float
    window: tuple[str, int] | None
    counts: float


def best(scored: Iterable[tuple[Series, Sequence[float]]], profile: Profile) -> tuple[float, float]:
    """The normalized score under the threshold that gives the best one, and that threshold."""
    found = max(_sweep(scored, profile), key=lambda item: item[1])
    return found[1], found[0]


def at_threshold(
    scored: Iterable[tuple[Series, Sequence[float]]], profile: Profile, threshold: float
) -> float:
    """The normalized score when each point with `threshold` and more is an alarm."""
    return [score for lowest, score in _sweep(scored, profile) if lowest >= threshold][-1]


def _sweep(scored: Iterable[tuple[Series, Sequence[float]]], profile: Profile) -> list[tuple[float, float]]:
    """Each threshold that makes a difference, from infinity down, with its normalized score."""
    points: list[_Point] = []
    windows = 0
    for series, scores in scored:
        points += _points(series, scores, profile)
        windows += len(series.windows or ())
    points.sort(key=lambda point: -point.score)
    lowest, perfect = -profile.missed * windows, float(windows)
    earned: dict[tuple[str, int], float] = {}
    total = lowest
    found = [(math.inf, total)]
    for threshold, alarms in groupby(points, key=lambda point: point.score):
        for alarm in alarms:
            if alarm.window is None:
                total += alarm.counts
                continue
            before = earned.get(alarm.window, -profile.missed)
            earned[alarm.window] = max(before, alarm.counts)
            total += earned[alarm.window] - before
        found.append((threshold, total))
    if not windows:
        raise ValueError("no series has a labelled window: there is nothing to score")
    return [(threshold, 100 * (total - lowest) / (perfect - lowest)) for threshold, total in found]


def _points(series: Series, scores: Sequence[float], profile: Profile) -> list[_Point]:
    """What each point after the probation counts."""
    points = []
    windows = list(series.windows or ())
    for place in range(series.probation, len(scores)):
        number = next((i for i, (first, last) in enumerate(windows) if first <= place <= last), None)
        if number is not None:
            first, last = windows[number]
            earliness = -(last - place + 1) / (last - first + 1)
            counts = _sigmoid(earliness) / _sigmoid(-1.0)
            points.append(_Point(scores[place], (series.name, number), counts))
            continue
        before = [window for window in windows if window[1] < place]
        counts = -1.0
        if before:
            first, last = before[-1]
            counts = _sigmoid((place - last) / max(last - first, 1))
        points.append(_Point(scores[place], None, counts * profile.false_positive))
    return points


def _sigmoid(place: float) -> float:
    """From 1 far before a window's end (0) to -1 far behind it; as good as -1 from 3 widths on."""
    return -1.0 if place > 3.0 else 2.0 / (1.0 + math.exp(5.0 * place)) - 1.0
