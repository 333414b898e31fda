"""Alarms that wait until their events are complete.

While a backfill comes, a scan in the middle of it sees series that end too early, and means of half the
values. So of a pair that new or late events came to, only what more events cannot undo is told at once:
counts that are too high, and what is judged while its minute is open. The rest waits for a scan in which the
pair has the same events as before, but no longer than the patience lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.anomalies.models import Alarm, Pair, Series


@dataclass(frozen=True, slots=True)
class _Waiting:
    since: datetime
    alarm: Alarm


class Withheld:
    """Of one instance; another that takes over judges the pairs anew, for no checkpoint has their states."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience
        self._waiting: dict[Pair, dict[tuple[Series, int], _Waiting]] = {}

    @property
    def pairs(self) -> Set[Pair]:
        """Those of which something waits."""
        return self._waiting.keys()

    def clear(self) -> None:
        """Forgets all."""
        self._waiting.clear()

    def changed(self, pair: Pair, alarms: Iterable[Alarm], now: datetime) -> list[Alarm]:
        """Of `alarms`, which are all that a pair gives rise to whose events changed, those to be told now."""
        before = self._waiting.pop(pair, {})
        told: list[Alarm] = []
        kept: dict[tuple[Series, int], _Waiting] = {}
        for alarm in alarms:
            key = (alarm.series, alarm.minute)
            since = before[key].since if key in before else now
            too_high = alarm.series.metric == "count" and alarm.value > alarm.expected
            if alarm.open or too_high or now - since >= self._patience:
                told.append(alarm)
            else:
                kept[key] = _Waiting(since, alarm)
        if kept:
            self._waiting[pair] = kept
        return told

    def still(self, pair: Pair) -> list[Alarm]:
        """What waited of a pair whose events are as they were."""
        return [waiting.alarm for waiting in self._waiting.pop(pair, {}).values()]
