"""Counting in one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.telemetry.instruments import MOST_SERIES, OTHER, Counter, Histogram, Metric
from shared.telemetry.last_minute import LastMinute, Minute, Produced
from shared.telemetry.totals import added, decode, encode, without


def counter(*labels: str) -> Counter:
    return Counter(Metric("things_total", "counter", "Things.", labels), lambda: None)


def test_threads_lose_no_count() -> None:
    things = counter("kind")

    def work(_: int) -> None:
        for _ in range(5000):
            things.add(1, "a")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert things.read() == {("a",): [20_000]}


def test_series_are_bounded() -> None:
    things = counter("kind")
    for number in range(MOST_SERIES + 10):
        things.add(1, str(number))
    things.add(1, "0")
    read = things.read()
    assert len(read) == MOST_SERIES + 1
    assert read[OTHER,] == [10]
    assert read["0",] == [2]


def test_wrong_labels_are_refused() -> None:
    with pytest.raises(TypeError, match="things_total"):
        counter("kind").add(1)


def test_the_first_use_is_told() -> None:
    told: list[int] = []
    things = Counter(Metric("things_total", "counter", "Things."), lambda: told.append(1))
    things.add(1)
    things.add(1)
    assert told == [1]


def test_a_bound_belongs_to_its_bucket() -> None:
    waits = Histogram(Metric("waits", "histogram", "Waits.", (), (1.0, 2.0)), lambda: None)
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        waits.observe(value)
    assert waits.read() == {(): [7.5, 2, 2, 1]}


def test_totals_survive_writing_and_are_subtracted() -> None:
    totals = {"a": {("x", "y"): [1.5], ("x", "ü"): [2]}, "b": {(): [3.0, 1, 2]}}
    assert decode(encode(totals)) == totals
    assert without(added([totals, totals]), totals) == totals
    assert without(totals, totals) == {}


def test_a_minute_passes() -> None:
    now = [100.0]
    minute = LastMinute(lambda: now[0])
    minute.add(2, 1, 0.5, 200)
    now[0] = 130.0
    minute.add(1, 0, 0.25, 1)
    assert minute.read() == Minute({0: Produced(1, 0, 0.25, 1), 30: Produced(2, 1, 0.5, 200)})
    now[0] = 159.9
    assert minute.read().left() == Produced(3, 1, 0.75, 201)
    assert minute.read().left(0.9) == Produced(3, 1, 0.75, 201)
    assert minute.read().left(1.0) == Produced(1, 0, 0.25, 1)
    now[0] = 160.0
    assert minute.read().left() == Produced(1, 0, 0.25, 1)
    now[0] = 400.0
    assert minute.read() == Minute()
