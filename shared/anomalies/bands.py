"""A series by minute, with the band of what was expected: the detector goes over the roll-ups once more.

Where a checkpoint of the scan lies before the span, it begins there, and comes to what the scan saw; else a
day before the span. What was gone over is kept for the next look at the same series.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from shared.anomalies.checkpoints import Checkpoints
from shared.anomalies.judge import Judge
from shared.anomalies.models import Band, Series
from shared.anomalies.ports import Minutes
from shared.anomalies.scan import GRACE
from shared.anomalies.states import BLOCK, DAY
from shared.anomalies.window import Window, minute_of, next_minute, time_of
from shared.platform.clock import Clock

_SERIES_KEPT = 64
_KEPT_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Point:
    """A minute of a series: its value (None where no event had one), and what was expected of it (None during
    the warm-up). `complete`: the minute is over."""

    time: datetime
    value: float | None
    band: Band | None
    complete: bool


@dataclass(frozen=True, slots=True)
class _Replay:
    """The closed minutes from `begin` to before `end`, good for spans from `first` on: what they were and
    what was expected, and the detector's state after.

    `counts` are what it was made of, from `sought` on: where no checkpoint lies before it, that is where the
    first event was looked for, and an earlier one may still come.
    """

    first: int
    at: datetime
    sought: int
    begin: int
    end: int
    state: bytes
    points: tuple[tuple[float | None, Band | None], ...] = ()
    counts: tuple[float, ...] = ()


class Bands:
    """One instance serves all threads. Its method blocks, and raises StorageUnavailable."""

    def __init__(self, minutes: Minutes, checkpoints: Checkpoints, judge: Judge, clock: Clock) -> None:
        self._minutes = minutes
        self._checkpoints = checkpoints
        self._judge = judge
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[Series, _Replay] = OrderedDict()

    def points(self, series: Series, start: datetime, end: datetime) -> list[Point]:
        """The minutes of `series` that begin from `start` (inclusive) to `end` (exclusive), from the series'
        first event in reach on, up to the current one."""
        now = self._clock()
        current = minute_of(now)
        first, last = next_minute(start), min(next_minute(end), current + 1)
        if first >= last:
            return []
        replay = self._find(series, first, now) or self._begin(series, first, now)
        window = self._window(series, replay.sought, last)
        if replay.counts != _counts(series, window, replay.sought, min(replay.end, last)):
            replay = self._begin(series, first, now)  # late events came
            window = self._window(series, replay.sought, last)
        replay = self._extended(replay, series, window, min(minute_of(now - GRACE), last))
        self._keep(series, replay)
        detector = self._judge.detector(series.metric, replay.state)
        ahead = self._judge.replay(series, detector, window, replay.end, last)
        return [
            Point(time_of(minute), value, band, minute < current)
            for minute, (value, band) in enumerate((*replay.points, *ahead), replay.begin)
            if first <= minute < last
        ]

    def _find(self, series: Series, first: int, now: datetime) -> _Replay | None:
        with self._lock:
            replay = self._kept.get(series)
        return replay if replay and replay.first <= first and now - replay.at < _KEPT_FOR else None

    def _keep(self, series: Series, replay: _Replay) -> None:
        with self._lock:
            self._kept[series] = replay
            self._kept.move_to_end(series)
            while len(self._kept) > _SERIES_KEPT:
                self._kept.popitem(last=False)

    def _begin(self, series: Series, first: int, now: datetime) -> _Replay:
        for checkpoint in self._checkpoints.names():
            state = self._checkpoints.state(checkpoint, series.pair)
            detector = state and (state.count if series.metric == "count" else state.mean)
            if state and detector and first - DAY <= state.judged_to <= first:
                return _Replay(first, now, state.judged_to, state.judged_to, state.judged_to, detector)
        return _Replay(first, now, first - DAY, first - DAY, first - DAY, b"")

    def _window(self, series: Series, start: int, end: int) -> Window:
        start = start // BLOCK * BLOCK
        rows = self._minutes.minutes(time_of(start), time_of(end), [series.event_type])
        return Window(rows, start, end, [series.pair])

    def _extended(self, replay: _Replay, series: Series, window: Window, closed: int) -> _Replay:
        """`replay` with the minutes before `closed`; one without a state begins at the first event."""
        if not replay.state:
            begin = window.first(series.pair)
            begin = window.end if begin is None else begin
            replay = replace(replay, begin=begin, end=begin)
        if closed <= replay.end:
            return replay
        detector = self._judge.detector(series.metric, replay.state)
        return replace(
            replay,
            end=closed,
            points=(*replay.points, *self._judge.replay(series, detector, window, replay.end, closed)),
            counts=_counts(series, window, replay.sought, closed),
            state=detector.dump(),
        )


def _counts(series: Series, window: Window, start: int, end: int) -> tuple[float, ...]:
    place = window.places[series.pair]
    return tuple(window.counts[place, start - window.start : max(end - window.start, 0)].tolist())
