"""Totals survive restarts, are summed over instances, and are folded exactly once, whatever happens."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

import pytest

from devstack.provision import make_tables
from shared.adapters.table_storage import TableStorage
from shared.platform.state_tables import METRICS
from shared.platform.tables import Row, Tables
from shared.telemetry.instruments import Counter, Histogram, Metric, Totals
from shared.telemetry.last_minute import Minute, Produced
from shared.telemetry.recorder import Recorder, fold
from shared.telemetry.reports import BASE, REPORTS, read_base
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.place import account_of

NAME = "things_total"


class OwnTable:
    """A table of the test's own in the place of the real one, on real storage."""

    def __init__(self, tables: Tables, name: str) -> None:
        self._tables = tables
        self._name = name

    def get(self, table: str, partition: str, key: str) -> Row:
        return self._tables.get(self._name, partition, key)

    def insert(self, table: str, row: Row) -> Row:
        return self._tables.insert(self._name, row)

    def replace(self, table: str, row: Row) -> Row:
        return self._tables.replace(self._name, row)

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        self._tables.delete(self._name, partition, key, etag)

    def query(self, table: str, partition: str, *, after: str = "", limit: int = 1000) -> list[Row]:
        return self._tables.query(self._name, partition, after=after, limit=limit)


class Instance:
    """A process with one counter."""

    def __init__(self, tables: Tables, clock: ManualClock) -> None:
        self.counter = Counter(Metric(NAME, "counter", "Things.", ("kind",)), lambda: None)
        self.produced = Minute()
        self.recorder = Recorder(lambda: tables, self._counted, lambda: self.produced, clock)

    def _counted(self) -> Totals:
        series = self.counter.read()
        return {NAME: series} if series else {}

    def count(self, amount: float, kind: str = "small") -> None:
        self.counter.add(amount, kind)

    def sees(self) -> dict[str, float]:
        """What all instances counted, by kind."""
        series = self.recorder.seen().totals.get(NAME, {})
        return {labels[0]: numbers[0] for labels, numbers in series.items()}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "azurite"])
def tables(request: pytest.FixtureRequest) -> Iterator[object]:
    if request.param == "memory":
        return MemoryTables()
    connection_string: str = request.getfixturevalue("storage_connection_string")
    name = f"metrics{uuid.uuid4().hex[:12]}"
    make_tables(connection_string, [name])
    return OwnTable(TableStorage(account_of(connection_string)), name)


def reports_in(tables: Tables) -> int:
    return len(tables.query(METRICS, REPORTS))


def test_instances_see_what_all_of_them_counted(tables: Tables, clock: ManualClock) -> None:
    one, other = Instance(tables, clock), Instance(tables, clock)
    one.count(2)
    one.count(5, "large")
    other.count(3)
    other.recorder.write()
    assert one.sees() == {"small": 5, "large": 5}
    assert other.sees() == {"small": 5, "large": 5}


def test_totals_outlive_the_process(tables: Tables, clock: ManualClock) -> None:
    first = Instance(tables, clock)
    first.count(4)
    first.recorder.write()
    second = Instance(tables, clock)
    second.count(1)
    assert second.sees() == {"small": 5}


def test_nothing_is_written_while_nothing_changes(clock: ManualClock) -> None:
    tables = MemoryTables()
    one = Instance(tables, clock)
    one.count(1)
    assert one.recorder.write()
    calls = len(tables.calls)
    assert not one.recorder.write()
    assert len(tables.calls) == calls


def test_the_gone_are_folded_once_and_forgotten(tables: Tables, clock: ManualClock) -> None:
    gone, here = Instance(tables, clock), Instance(tables, clock)
    gone.count(7)
    gone.recorder.write()
    clock.advance(minutes=16)
    here.count(1)
    here.recorder.write()
    assert fold(tables, clock) == 1
    assert fold(tables, clock) == 0
    assert reports_in(tables) == 1
    assert here.sees() == {"small": 8}


def test_an_instance_that_only_slept_goes_on_counting(tables: Tables, clock: ManualClock) -> None:
    sleeper, other = Instance(tables, clock), Instance(tables, clock)
    sleeper.count(7)
    sleeper.recorder.write()
    clock.advance(minutes=20)
    fold(tables, clock)
    sleeper.count(2)
    assert sleeper.sees() == {"small": 9}
    assert other.sees() == {"small": 9}
    clock.advance(minutes=20)
    fold(tables, clock)
    sleeper.count(1)
    assert sleeper.sees() == {"small": 10}


def test_a_sleeper_wakes_between_closing_and_folding(clock: ManualClock) -> None:
    """Its row is closed, so what it counts goes to another one."""

    class Waking(MemoryTables):
        def get(self, table: str, partition: str, key: str) -> Row:
            return super().get(table, partition, key)

        def insert(self, table: str, row: Row) -> Row:
            if row.partition == BASE:
                sleeper.count(5)
                assert sleeper.sees() == {"small": 12}
            return super().insert(table, row)

    tables = Waking()
    sleeper = Instance(tables, clock)
    sleeper.count(7)
    sleeper.recorder.write()
    clock.advance(minutes=20)
    assert fold(tables, clock) == 1
    assert sleeper.sees() == {"small": 12}


def test_histograms_are_summed_by_bucket(clock: ManualClock) -> None:
    tables = MemoryTables()
    metric = Metric("waits_seconds", "histogram", "Waits.", (), (0.1, 1.0))
    both = []
    for values in ([0.05, 0.5], [0.1, 7.0]):
        histogram = Histogram(metric, lambda: None)
        for value in values:
            histogram.observe(value)
        recorder = Recorder(
            lambda: tables,
            lambda histogram=histogram: {metric.name: histogram.read()},  # type: ignore[misc]
            Minute,
            clock,
        )
        recorder.write()
        both.append(recorder)
    assert both[0].seen().totals == {metric.name: {(): [pytest.approx(7.65), 2, 1, 1]}}


def test_rates_are_those_of_the_last_minute_whenever_an_instance_reported(clock: ManualClock) -> None:
    tables = MemoryTables()
    early, late = Instance(tables, clock), Instance(tables, clock)
    early.produced = Minute({0: Produced(10, 1, 0.5, 1000), 25: Produced(5, 0, 0.5, 5)})
    late.produced = Minute({59: Produced(20, 2, 1.5, 20)})
    early.count(1)
    early.recorder.write()
    clock.advance(seconds=34)
    late.count(1)
    assert late.recorder.seen().produced == Produced(35, 3, 2.5, 1025)
    assert late.recorder.seen().instances == 2
    clock.advance(seconds=1)
    late.count(1)
    assert late.recorder.seen().produced == Produced(30, 3, 2.0, 1020)
    clock.advance(seconds=25)
    late.count(1)
    assert late.recorder.seen().produced == Produced(20, 2, 1.5, 20)
    assert late.recorder.seen().instances == 1


def test_large_totals_fit_into_a_row(tables: Tables, clock: ManualClock) -> None:
    one = Instance(tables, clock)
    chance = random.Random(1)
    for number in range(400):
        one.count(chance.random(), f"{number}-{chance.randbytes(100).hex()}")
    assert len(one.sees()) == 400
    clock.advance(minutes=16)
    fold(tables, clock)
    assert len(read_base(tables).totals[NAME]) == 400
