"""Anomalies as they are listed, acknowledged and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.anomalies.models import Alarm, Anomaly, Metric, Series, severity_of
from shared.anomalies.records import LISTED
from shared.anomalies.service import Anomalies, AnomaliesWanted
from shared.anomalies.stories import Stories
from shared.anomalies.window import minute_of
from shared.identity.sweep import sweep
from shared.platform.errors import NotFound
from shared.platform.state_tables import ANOMALIES, ANOMALY_CLAIMS
from shared.platform.tables import Row
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEPT = timedelta(days=90)


class Found:
    """Anomalies that were found one after the other, an hour apart."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.tables = MemoryTables()
        self.stories = Stories(self.tables, self.clock, KEPT)
        self.anomalies = Anomalies(self.tables, self.clock)

    def tell(
        self,
        event_type: str = "transaction",
        region: str | None = None,
        metric: Metric = "count",
        score: float = 20.0,
        expected: float = 10.0,
    ) -> None:
        """One that is found now, of the minute before."""
        series = Series(event_type, region, metric)
        minute = minute_of(self.clock()) - 1
        assert self.stories.tell(Alarm(series, minute, 100.0, expected, score, "season", open=False))
        self.clock.advance(hours=1)

    def page(self, wanted: AnomaliesWanted, after: str = "", limit: int = 100) -> list[Anomaly]:
        return [anomaly for _, anomaly in self.anomalies.page(wanted, after, limit)]


@pytest.fixture
def found() -> Found:
    made = Found()
    made.tell("transaction")
    made.tell("error", "us-east", "mean", score=40)
    made.tell("transaction", "eu-west", "mean", score=200)
    return made


@pytest.mark.parametrize(
    ("wanted", "hours"),
    [
        (AnomaliesWanted(), [2, 1, 0]),
        (AnomaliesWanted(event_type="transaction"), [2, 0]),
        (AnomaliesWanted(region="us-east"), [1]),
        (AnomaliesWanted(metric="mean"), [2, 1]),
        (AnomaliesWanted(severity="critical"), [2]),
        (AnomaliesWanted(severity="medium", event_type="error"), []),
        (AnomaliesWanted(acknowledged=True), []),
        (AnomaliesWanted(acknowledged=False), [2, 1, 0]),
        (AnomaliesWanted(start=NOON + timedelta(hours=1)), [2, 1]),
        (AnomaliesWanted(end=NOON + timedelta(hours=1)), [0]),
        (AnomaliesWanted(start=NOON, end=NOON), []),
        (AnomaliesWanted(start=datetime.min.replace(tzinfo=UTC), end=datetime.max.replace(tzinfo=UTC)),
         [2, 1, 0]),
    ],
)  # fmt: skip
def test_they_are_listed_newest_first(found: Found, wanted: AnomaliesWanted, hours: list[int]) -> None:
    listed = [anomaly.detected_at for anomaly in found.page(wanted)]
    assert listed == [NOON + timedelta(hours=hour) for hour in hours]


def test_a_list_goes_on_behind_a_place(found: Found) -> None:
    wanted = AnomaliesWanted(end=NOON + timedelta(days=1))
    [(place, newest)] = found.anomalies.page(wanted, "", 1)
    rest = found.page(wanted, place)
    assert [newest, *rest] == found.page(wanted)


def test_the_first_acknowledgement_stays(found: Found) -> None:
    anomaly = found.page(AnomaliesWanted())[0]
    first = found.anomalies.acknowledge(anomaly.id, "ada", "seen")
    found.clock.advance(hours=1)
    assert found.anomalies.acknowledge(anomaly.id, "grace", None) == first
    assert (first.acknowledged_by, first.note) == ("ada", "seen")
    assert found.page(AnomaliesWanted(acknowledged=True)) == [first]
    assert found.anomalies.get(anomaly.id) == first


def test_an_acknowledgement_does_not_undo_what_was_written_meanwhile(found: Found) -> None:
    anomaly = found.page(AnomaliesWanted())[0]
    replace, written = found.tables.replace, []

    def slow(table: str, row: Row) -> Row:
        if not written:
            written.append(found.tables.get(ANOMALIES, LISTED, row.key))
            replace(table, Row(LISTED, row.key, {**written[0].values, "value": 700.0}, written[0].etag))
        return replace(table, row)

    found.tables.replace = slow  # type: ignore[method-assign]
    assert found.anomalies.acknowledge(anomaly.id, "ada", None).value == 700


@pytest.mark.parametrize("anomaly_id", ["", "x", "transaction", "transaction-", "none-x", "transaction-x/y"])
def test_one_that_is_none_is_not_found(found: Found, anomaly_id: str) -> None:
    with pytest.raises(NotFound):
        found.anomalies.acknowledge(anomaly_id, "ada", None)


def test_they_are_counted(found: Found) -> None:
    counted = [found.anomalies.count_since(NOON + timedelta(hours=hour)) for hour in (-1, 0, 1, 2, 3)]
    assert counted == [3, 3, 2, 1, 0]
    assert found.anomalies.total() == 3
    assert Found().anomalies.total() == Found().anomalies.count_since(NOON) == 0


def test_several_at_one_moment_are_counted_too() -> None:
    found = Found()
    for region in ("c", "a", "b"):
        found.tell(region=region)
        found.clock.now = NOON
    assert found.anomalies.total() == found.anomalies.count_since(NOON) == 3
    found.clock.advance(hours=1)
    found.tell()
    assert found.anomalies.count_since(NOON + timedelta(minutes=1)) == 1


def test_of_two_that_tell_the_same_one_does() -> None:
    """Each knows nothing of the other, as when a lease was lost."""
    found = Found()
    other = Stories(found.tables, found.clock, KEPT)
    alarm = Alarm(Series("error", None, "count"), minute_of(NOON), 100.0, 1.0, 20.0, "season", open=False)
    assert [stories.tell(alarm) for stories in (other, found.stories)] == [True, False]
    later = replace(alarm, minute=alarm.minute + 1)
    assert not found.stories.tell(later)
    assert found.anomalies.total() == len(found.page(AnomaliesWanted())) == 1


def test_they_are_kept_as_long_as_said_and_counted_for_ever(found: Found) -> None:
    found.clock.now = NOON + KEPT + timedelta(hours=2.5)
    sweep(found.tables, found.clock)
    assert len(found.page(AnomaliesWanted())) == 1
    assert found.anomalies.total() == 3
    assert {table for table, *_ in found.tables.rows} == {ANOMALIES, ANOMALY_CLAIMS}


def test_those_of_a_series_come_by_their_minutes(found: Found) -> None:
    found.tell("transaction")
    series = Series("transaction", None, "count")
    minutes = [anomaly.window_start for anomaly in found.anomalies.of_series(series, NOON, found.clock())]
    assert minutes == [NOON + timedelta(hours=3, minutes=-1)]
    start = NOON - timedelta(minutes=1)
    assert len(found.anomalies.of_series(series, start, found.clock())) == 2
    assert len(found.anomalies.of_series(series, start, start + timedelta(seconds=1))) == 1
    assert found.anomalies.of_series(series, start, start) == []


@pytest.mark.parametrize(
    ("score", "severity"),
    [(10, "low"), (14.9, "low"), (15, "medium"), (30, "high"), (99, "high"), (100, "critical")],
)
def test_the_severity_follows_the_score(score: float, severity: str) -> None:
    assert severity_of(score) == severity


@pytest.mark.parametrize(
    ("expected", "deviation"), [(10.0, 9.0), (-10.0, -11.0), (0.0, None), (5e-324, None)]
)
def test_the_deviation_is_signed_and_a_number(expected: float, deviation: float | None) -> None:
    found = Found()
    found.tell(expected=expected)
    [anomaly] = found.page(AnomaliesWanted())
    assert anomaly.deviation == deviation
