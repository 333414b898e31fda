"""Judges the minutes of a pair: those that are closed once, in order, the ones still open on a copy."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from typing import get_args

from shared.anomalies.models import Alarm, Band, Metric, Pair, Series, next_severity
from shared.anomalies.ports import Detector, Detectors
from shared.anomalies.silence import STREAM, Silence
from shared.anomalies.states import MOST_BYTES, PairState
from shared.anomalies.window import Window
from shared.platform.logs import get_log

# An hour of history has 60 counts, less what its ends leave out, and not each of its minutes has a mean.
WARM_UP = 45
_WARM_UP_OF_MEANS = 30
_MINUTE_SECONDS = 60.0
METRICS: tuple[Metric, ...] = get_args(Metric.__value__)
# Fewer events in a minute are nothing to tell, however rare, nor a count so near to what was expected.
_FEWEST = 5
_LEAST_CHANGE = 0.1
# In a series of fewer minutes much is new that is not rare.
_YOUNG = 3 * 60
_YOUNG_FACTOR = 1.5
# So many values make the mean of an open minute, or as many as are usual; fewer count by their share.
_ENOUGH_VALUES = 5
# How far back the last values reach that an open minute is held against.
HOUR = 60
_log = get_log("anomalies")


class Judge:
    """Judges with detectors of one kind; keeps nothing. What is told has `least_score` or more, and half as
    much again in a young series."""

    def __init__(self, detectors: Detectors, least_score: float) -> None:
        self._detectors = detectors
        self._least_score = least_score

    def advance(
        self, pair: Pair, state: PairState, window: Window, closed: int, told: Container[tuple[Series, int]]
    ) -> tuple[PairState, list[Alarm]]:
        """The state after all minutes before `closed`, and what is to be told of them.

        The window has to begin where the state ends, or earlier. What is in `told` was an alarm while its
        minute was open, and is given again whatever it came to.
        """
        if closed <= state.judged_to:
            return state, []
        alarms: list[Alarm] = []
        after: dict[Metric, bytes] = {"count": state.count, "mean": state.mean}
        silence = state.silence
        for metric in METRICS:
            points = [*_points(pair, metric, window, state.judged_to, closed)]
            if not points:
                continue
            series = Series(*pair, metric)
            detector = self.detector(metric, after[metric])
            for minute, value in points:
                verdict = detector.judge(minute * _MINUTE_SECONDS, value)
                alarm = Alarm(
                    series, minute, value, verdict.expected, verdict.score, verdict.stream, open=False
                )
                told_of = verdict.alarm and self._worth_telling(alarm, state.age(minute))
                if told_of or (series, minute) in told:
                    alarms.append(alarm)
                if metric == "count":
                    silence = silence.after(value, verdict.expected)
                    alarms += self._of_silence(series, minute, silence)
            after[metric] = self._dumped(series, detector)
        return (
            PairState(
                judged_to=closed,
                seen=max(state.seen, window.last(pair) or 0),
                count=after["count"],
                mean=after["mean"],
                blocks=state.with_blocks(window.block_counts(pair, closed)),
                silence=silence,
            ),
            alarms,
        )

    def ahead(self, pair: Pair, state: PairState, window: Window, closed: int) -> list[Alarm]:
        """What is to be told of the minutes from `closed` on already, though more may come: counts above all
        of the last hour, for they only grow, and means beyond all of it, also if the rest of the minute is as
        usual."""
        alarms = []
        for metric in METRICS:
            kept = state.count if metric == "count" else state.mean
            standing = [*_outstanding(pair, metric, window, closed)] if kept else []
            detector = self.detector(metric, kept) if standing else None
            for minute, value, at_least in standing:
                assert detector is not None
                verdict = detector.judge(minute * _MINUTE_SECONDS, at_least)
                series = Series(*pair, metric)
                alarm = Alarm(
                    series, minute, value, verdict.expected, verdict.score, verdict.stream, open=True
                )
                if verdict.alarm and self._worth_telling(alarm, state.age(minute)):
                    alarms.append(alarm)
        return alarms

    def replay(
        self, series: Series, detector: Detector, window: Window, start: int, end: int
    ) -> list[tuple[float | None, Band | None]]:
        """The value of each minute from `start` to before `end` (None for a mean of nothing), and what was
        expected of it before `detector` learnt it."""
        table = window.counts if series.metric == "count" else window.means
        values = table[window.places[series.pair], start - window.start : max(end - window.start, 0)].tolist()
        points: list[tuple[float | None, Band | None]] = []
        for minute, value in enumerate(values, start):
            band = detector.band(minute * _MINUTE_SECONDS)
            if band and series.metric == "count":
                band = Band(*(max(one, 0.0) for one in (band.expected, band.low, band.high)))
            if not math.isnan(value):
                detector.judge(minute * _MINUTE_SECONDS, value)
            points.append((None if math.isnan(value) else value, band))
        return points

    def detector(self, metric: Metric, state: bytes) -> Detector:
        """The detector of that state; a new one where there is none, or one of another version."""
        loaded = self._detectors.load(state) if state else None
        return loaded or self._new(metric)

    def _of_silence(self, series: Series, minute: int, silence: Silence) -> Iterator[Alarm]:
        """The run of silent minutes that lasts up to `minute`, when it reaches the next severity. It is told
        as of its first minute."""
        if not silence.run or silence.usual < 1 or silence.points - silence.run < WARM_UP:
            return
        before, score = silence.score(silence.run - 1), silence.score(silence.run)
        due = self._least_score if before < self._least_score else next_severity(before)
        if score >= due:
            first = minute - silence.run + 1
            yield Alarm(series, first, 0.0, silence.usual, score, STREAM, open=False)

    def _worth_telling(self, alarm: Alarm, age: int) -> bool:
        if age < _YOUNG and alarm.score < _YOUNG_FACTOR * self._least_score:
            return False
        if alarm.series.metric == "mean":
            return True
        change = alarm.value - alarm.expected
        if abs(change) <= _LEAST_CHANGE * alarm.expected:
            return False
        return alarm.value >= _FEWEST if change > 0 else not alarm.open

    def _dumped(self, series: Series, detector: Detector) -> bytes:
        state = detector.dump()
        if len(state) <= MOST_BYTES:
            return state
        _log.error("state of a series too large", series=str(series), size=len(state))
        return self._new(series.metric).dump()

    def _new(self, metric: Metric) -> Detector:
        return self._detectors.new(_MINUTE_SECONDS, WARM_UP if metric == "count" else _WARM_UP_OF_MEANS)


def _points(pair: Pair, metric: Metric, window: Window, start: int, end: int) -> Iterator[tuple[int, float]]:
    """Minutes and values; a count for each minute, a mean where there is one."""
    place = window.places[pair]
    table = window.counts if metric == "count" else window.means
    values = table[place, start - window.start : end - window.start].tolist()
    for minute, value in enumerate(values, start):
        if not math.isnan(value):
            yield minute, value


def _outstanding(
    pair: Pair, metric: Metric, window: Window, closed: int
) -> Iterator[tuple[int, float, float]]:
    """The points from `closed` on that lie beyond all of the hour before it, and what is sure of each: what
    it comes to if the rest of its minute is as usual."""
    lately = [value for _, value in _points(pair, metric, window, max(closed - HOUR, window.start), closed)]
    if not lately:
        return
    lowest, highest, usual = min(lately), max(lately), sum(lately) / len(lately)
    current = window.end - 1
    for minute, value in _points(pair, metric, window, closed, window.end):
        share = _share(window, window.places[pair], closed) if metric == "mean" and minute == current else 1.0
        sure = usual + share * (value - usual)
        if sure > highest or (metric == "mean" and sure < lowest):
            yield minute, value, sure


def _share(window: Window, place: int, closed: int) -> float:
    """How much of the open minute's values are there, by how many there usually are; some are enough."""
    lately = window.values[place, max(closed - HOUR - window.start, 0) : closed - window.start]
    usual = lately.sum() / max((lately > 0).sum(), 1)
    values = window.values[place, -1]
    return 1.0 if values >= min(_ENOUGH_VALUES, usual) else float(values / usual)
