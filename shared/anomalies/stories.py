"""Tells each anomaly once: what was told already, and what is another part of the same story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.anomalies.detector import LOUDER, QUIET
from shared.anomalies.judge import WARM_UP
from shared.anomalies.models import Alarm, Metric, Series, severity_of
from shared.anomalies.records import (
    LISTED,
    anomaly_of,
    bound_key,
    claim_key,
    claim_row,
    figures,
    first_key,
    id_of,
    listed_row,
    number_of,
    pages,
)
from shared.anomalies.states import DAY
from shared.anomalies.window import minute_of
from shared.platform.clock import Clock
from shared.platform.logs import get_log
from shared.platform.state_tables import ANOMALIES, ANOMALY_CLAIMS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables
from shared.streams.events import EVENT_TYPES
from shared.telemetry.catalogue import ANOMALIES_TOLD

# What lies so close to something told, in minutes, is part of the same story: the detector's quiet time.
STORY = int(QUIET * WARM_UP)
# Between these parts of what all regions together rose or fell by, a region's own is no other story.
_LEAST_SHARE = 0.2
_LARGEST_SHARE = 2.0
# Minutes that may still be judged, and what lies around them.
_REMEMBERED = DAY + 2 * 60
_log = get_log("anomalies")


@dataclass(frozen=True, slots=True)
class _Told:
    """An anomaly that was told: `score` is the highest it ever had, `change` its value less what was
    expected."""

    region: str | None
    minute: int
    score: float
    change: float
    open: bool


class Stories:
    """What was told of the last day. One scan at a time uses it; `load` before the first use and whenever
    another may have told something. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, tables: Tables, clock: Clock, retention: timedelta) -> None:
        self._tables = tables
        self._clock = clock
        self._retention = retention
        self._told: dict[tuple[str, Metric], list[_Told]] = defaultdict(list)
        self._number = 0

    def load(self) -> None:
        """Reads what was told, and lists what was claimed and not listed, because its teller died."""
        self._told.clear()
        now = self._clock()
        start = minute_of(now) - _REMEMBERED
        newest = self._tables.query(ANOMALIES, LISTED, limit=1)
        self._number = number_of(newest[0]) if newest else 0
        since = bound_key(now - timedelta(minutes=_REMEMBERED))
        listed = {row.key: row for row in pages(self._tables, ANOMALIES, LISTED, before=since)}
        for event_type in EVENT_TYPES:
            for claim in pages(self._tables, ANOMALY_CLAIMS, event_type, after=first_key(start)):
                row = listed.get(claim.text("listed_key"))
                self._remember(claim, row or claim)
                if row is None:
                    self._list(claim)

    def open_ones(self) -> Container[tuple[Series, int]]:
        """Series and minutes that were told while their minute was open."""
        return {
            (Series(event_type, told.region, metric), told.minute)
            for (event_type, metric), known in self._told.items()
            for told in known
            if told.open
        }

    def tell(self, alarm: Alarm) -> bool:
        """Keeps `alarm` as an anomaly; False where it, or the story that it is part of, was told before. One
        that was told while its minute was open gets the figures of the closed one, and one that has become
        louder those."""
        known = self._told[alarm.series.event_type, alarm.series.metric]
        region = alarm.series.region
        for place, told in enumerate(known):
            if told.region == region and told.minute == alarm.minute:
                if not alarm.open and (told.open or alarm.score > told.score):
                    self._close(alarm)
                    score = max(alarm.score, told.score)
                    known[place] = _Told(region, alarm.minute, score, alarm.value - alarm.expected, False)
                return False
        if any(_same_story(told, alarm) for told in known):
            return False
        claim = claim_row(alarm, self._number + 1, self._clock(), self._retention)
        try:
            self._tables.insert(ANOMALY_CLAIMS, claim)
        except RowExists:  # another instance was faster; it lists what it claimed
            claim = self._tables.get(ANOMALY_CLAIMS, claim.partition, claim.key)
            self._remember(claim, claim)
            return False
        self._remember(claim, claim)
        self._list(claim)
        ANOMALIES_TOLD.add(1, alarm.series.event_type, severity_of(alarm.score))
        _log.info("anomaly", anomaly=id_of(alarm.series, alarm.minute), score=round(alarm.score, 1))
        return True

    def forget(self) -> None:
        """Drops what is too old to matter."""
        start = minute_of(self._clock()) - _REMEMBERED
        for known in self._told.values():
            known[:] = [told for told in known if told.minute >= start]

    def _remember(self, claim: Row, row: Row) -> None:
        """`row` is what became of the anomaly since it was claimed."""
        anomaly = anomaly_of(row)
        series = anomaly.series
        told = _Told(
            series.region,
            minute_of(anomaly.window_start),
            max(anomaly_of(claim).score, anomaly.score),
            anomaly.value - anomaly.expected,
            row.values["open"] is True,
        )
        self._told[series.event_type, series.metric].append(told)
        self._number = max(self._number, number_of(claim))

    def _list(self, claim: Row) -> None:
        with suppress(RowExists):
            self._tables.insert(ANOMALIES, listed_row(claim))

    def _close(self, alarm: Alarm) -> None:
        key = claim_key(alarm.series, alarm.minute)
        while True:
            try:
                claim = self._tables.get(ANOMALY_CLAIMS, alarm.series.event_type, key)
                row = self._tables.get(ANOMALIES, LISTED, claim.text("listed_key"))
                closed = {**row.values, **figures(alarm)}
                self._tables.replace(ANOMALIES, Row(row.partition, row.key, closed, row.etag))
            except RowChanged:  # somebody acknowledged it meanwhile
                continue
            except RowGone:  # its retention is over
                pass
            return


def _same_story(told: _Told, alarm: Alarm) -> bool:
    """Whether an alarm of the same type and metric is another part of what was told: of the same series, or
    in a region what was told of all regions together, close by and not clearly louder; or its share of it."""
    if told.region not in (alarm.series.region, None) or abs(told.minute - alarm.minute) > STORY:
        return False
    share = (alarm.value - alarm.expected) / told.change if told.change else 0.0
    is_share = (
        alarm.series.metric == "count"
        and told.region != alarm.series.region
        and _LEAST_SHARE <= share <= _LARGEST_SHARE
    )
    return is_share or alarm.score < LOUDER * told.score
