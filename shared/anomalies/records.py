"""Anomalies as rows: one that is listed by the time it was found, and one that claims its series' minute.

The claim is written first, under a key that follows from series and minute alone, so each is told once,
whoever finds it how often. It holds all that the other row holds, which can so be made up for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from shared.anomalies.models import Alarm, Anomaly, Metric, Series, severity_of
from shared.anomalies.window import time_of
from shared.platform.tables import Row, Tables, Value

# The partition that lists all anomalies, newest first.
LISTED = "listed"
MINUTE = timedelta(minutes=1)
_EPOCH = time_of(0)
_LATEST = 10**17 - 2
_MOST = 10**12 - 1
_DIGEST = 12
_PAGE = 1000


def claim_key(series: Series, minute: int) -> str:
    """The key of the claim, in the partition of its event type; keys sort by minute."""
    name = "*" if series.region is None else f"={series.region}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{_stamp(minute)}-{series.metric}-{digest}"


def first_key(minute: int) -> str:
    """What all claims from that minute on sort after, and none before."""
    return _stamp(minute)


def listed_key(moment: datetime, number: int, anomaly_id: str) -> str:
    """The key of the anomaly found at `moment` as number `number` of all; later ones sort before earlier
    ones."""
    return f"{_LATEST - _microseconds(moment):017}-{_MOST - number:012}-{anomaly_id}"


def bound_key(moment: datetime) -> str:
    """What anomalies found at `moment` or later sort before, and earlier ones after."""
    return f"{_LATEST - _microseconds(moment) + 1:017}-"


def id_of(series: Series, minute: int) -> str:
    """The anomaly's id: always the same for a series and a minute."""
    return f"{series.event_type}-{claim_key(series, minute)}"


def claim_of(anomaly_id: str) -> tuple[str, str]:
    """Partition and key of the claim of the anomaly that is called so."""
    event_type, _, key = anomaly_id.partition("-")
    return event_type, key


def claim_row(alarm: Alarm, number: int, now: datetime, retention: timedelta) -> Row:
    """The claim of `alarm`, which is the anomaly number `number` of all."""
    series = alarm.series
    anomaly_id = id_of(series, alarm.minute)
    values: dict[str, Value] = {
        "listed_key": listed_key(now, number, anomaly_id),
        "anomaly_id": anomaly_id,
        "number": number,
        "event_type": series.event_type,
        "metric": series.metric,
        "detected_at": now,
        "window_start": time_of(alarm.minute),
        "acknowledged": False,
        "expires_at": now + retention,
        **figures(alarm),
    }
    if series.region is not None:
        values["region"] = series.region
    return Row(series.event_type, claim_key(series, alarm.minute), values)


def figures(alarm: Alarm) -> dict[str, Value]:
    """What may still change while the minute is open."""
    return {
        "value": alarm.value,
        "expected": alarm.expected,
        "score": alarm.score,
        "severity": severity_of(alarm.score),
        "stream": alarm.stream,
        "open": alarm.open,
    }


def listed_row(claim: Row) -> Row:
    """The row that lists what `claim` claims."""
    return Row(LISTED, claim.text("listed_key"), claim.values)


def series_of(row: Row) -> Series:
    """Whose anomaly a row is."""
    region = row.values.get("region")
    assert region is None or isinstance(region, str)
    return Series(row.text("event_type"), region, cast(Metric, row.text("metric")))


def number_of(row: Row) -> int:
    """The how-manieth of all anomalies a row's is."""
    return int(cast(int, row.values["number"]))


def anomaly_of(row: Row) -> Anomaly:
    """The anomaly that a row lists."""
    start = _time(row, "window_start")
    return Anomaly(
        id=row.text("anomaly_id"),
        series=series_of(row),
        detected_at=_time(row, "detected_at"),
        window_start=start,
        window_end=start + MINUTE,
        score=_number(row.values, "score"),
        stream=row.text("stream"),
        value=_number(row.values, "value"),
        expected=_number(row.values, "expected"),
        acknowledged_at=row.time("acknowledged_at"),
        acknowledged_by=row.text("acknowledged_by") or None,
        note=row.text("note") or None,
    )


def pages(tables: Tables, table: str, partition: str, *, after: str = "", before: str = "") -> Iterator[Row]:
    """All rows of a partition with keys above `after`, and below `before` where that is given, in order.
    Blocks; raises StorageUnavailable."""
    while True:
        rows = tables.query(table, partition, after=after, before=before, limit=_PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].key


def _stamp(minute: int) -> str:
    time = time_of(minute)
    return f"{time.year:04}{time:%m%dT%H%M}"


def _microseconds(moment: datetime) -> int:
    return min(max((moment - _EPOCH) // timedelta(microseconds=1), 0), _LATEST)


def _time(row: Row, name: str) -> datetime:
    moment = row.time(name)
    assert moment is not None, name
    return moment


def _number(values: Mapping[str, Value], name: str) -> float:
    return float(cast(float, values[name]))
