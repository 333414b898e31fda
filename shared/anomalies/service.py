"""Anomalies as those see them who ask: listed, acknowledged, counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.anomalies.models import Anomaly, Metric, Series, Severity
from shared.anomalies.records import (
    LISTED,
    anomaly_of,
    bound_key,
    claim_of,
    first_key,
    number_of,
    pages,
    series_of,
)
from shared.anomalies.window import next_minute
from shared.platform.clock import Clock
from shared.platform.errors import NotFound
from shared.platform.state_tables import ANOMALIES, ANOMALY_CLAIMS
from shared.platform.tables import Row, RowChanged, RowGone, Tables
from shared.streams.events import EVENT_TYPES


@dataclass(frozen=True, slots=True)
class AnomaliesWanted:
    """Which anomalies; all where nothing is given. `start` (inclusive) and `end` (exclusive) are of the time
    when they were found."""

    event_type: str | None = None
    region: str | None = None
    metric: Metric | None = None
    severity: Severity | None = None
    acknowledged: bool | None = None
    start: datetime | None = None
    end: datetime | None = None

    def values(self) -> dict[str, str | bool]:
        """What a row has to have."""
        wanted = {
            "event_type": self.event_type,
            "region": self.region,
            "metric": self.metric,
            "severity": self.severity,
            "acknowledged": self.acknowledged,
        }
        return {name: value for name, value in wanted.items() if value is not None}


class Anomalies:
    """Every method blocks, and raises StorageUnavailable."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def page(self, wanted: AnomaliesWanted, after: str, limit: int) -> list[tuple[str, Anomaly]]:
        """The newest `limit` of those wanted, by when they were found, each with its place in the list; only
        those behind the place `after` where that is given."""
        newest = "" if wanted.end is None else bound_key(wanted.end)
        oldest = "" if wanted.start is None else bound_key(wanted.start)
        rows = self._tables.query(
            ANOMALIES,
            LISTED,
            after=max(after, newest),
            before=oldest,
            where=wanted.values(),
            limit=limit,
        )
        return [(row.key, anomaly_of(row)) for row in rows]

    def get(self, anomaly_id: str) -> Anomaly:
        """The anomaly; raises NotFound."""
        return anomaly_of(self._row(anomaly_id))

    def acknowledge(self, anomaly_id: str, by: str, note: str | None) -> Anomaly:
        """Notes who has seen the anomaly; of several the first one stays. Raises NotFound."""
        while True:
            row = self._row(anomaly_id)
            if row.values["acknowledged"]:
                return anomaly_of(row)
            values = {
                **row.values,
                "acknowledged": True,
                "acknowledged_at": self._clock(),
                "acknowledged_by": by,
                **({"note": note} if note else {}),
            }
            try:
                return anomaly_of(
                    self._tables.replace(ANOMALIES, Row(row.partition, row.key, values, row.etag))
                )
            except (RowChanged, RowGone):
                continue

    def of_series(self, series: Series, start: datetime, end: datetime) -> list[Anomaly]:
        """Those of one series whose minute lies between `start` (inclusive) and `end` (exclusive), in order
        of the minutes."""
        found = (claim for claim in self._claims(series, start, end) if series_of(claim) == series)
        return [anomaly for claim in found if (anomaly := self._listed(claim)) is not None]

    def total(self) -> int:
        """How many were ever found."""
        newest = self._tables.query(ANOMALIES, LISTED, limit=1)
        return number_of(newest[0]) if newest else 0

    def count_since(self, moment: datetime) -> int:
        """How many were found at `moment` or later."""
        older = self._tables.query(ANOMALIES, LISTED, after=bound_key(moment), limit=1)
        if older:
            return self.total() - number_of(older[0])
        return sum(1 for _ in pages(self._tables, ANOMALIES, LISTED, before=bound_key(moment)))

    def _row(self, anomaly_id: str) -> Row:
        event_type, key = claim_of(anomaly_id)
        if event_type in EVENT_TYPES and key:
            try:
                claim = self._tables.get(ANOMALY_CLAIMS, event_type, key)
                return self._tables.get(ANOMALIES, LISTED, claim.text("listed_key"))
            except RowGone:
                pass
        raise NotFound("There is no such anomaly", details={"id": anomaly_id})

    def _listed(self, claim: Row) -> Anomaly | None:
        try:
            return anomaly_of(self._tables.get(ANOMALIES, LISTED, claim.text("listed_key")))
        except RowGone:  # just claimed, or past its retention
            return None

    def _claims(self, series: Series, start: datetime, end: datetime) -> Iterator[Row]:
        first, last = first_key(next_minute(start)), first_key(next_minute(end))
        return pages(self._tables, ANOMALY_CLAIMS, series.event_type, after=first, before=last)
