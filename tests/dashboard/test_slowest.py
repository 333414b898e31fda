"""The slowest operations, by histograms: where quantiles lie, and of which span they are."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.catalogue import HTTP_DURATION
from shared.telemetry.instruments import Labels, Numbers, Totals
from shared.telemetry.slowest import SPAN, Slowest, quantile
from tests.fakes import ManualClock

BOUNDS = HTTP_DURATION.metric.bounds
QUICK, SLOW = ("query_events", "GET", "/api/events"), ("trigger_upload", "POST", "/upload/trigger")


def histogram(*durations: float) -> Numbers:
    """The numbers that a histogram of these durations (s) has."""
    counts = [0.0] * (len(BOUNDS) + 1)
    for duration in durations:
        counts[bisect_left(BOUNDS, duration)] += 1
    return [sum(durations), *counts]


class Instances:
    """What all instances counted, which only grows."""

    def __init__(self) -> None:
        self.durations: dict[Labels, list[float]] = {}
        self.clock = ManualClock()
        self.slowest = Slowest(self.totals, self.clock)

    def answer(self, labels: Labels, *durations: float) -> None:
        self.durations.setdefault(labels, []).extend(durations)

    def totals(self) -> Totals:
        series = {labels: histogram(*durations) for labels, durations in self.durations.items()}
        return {HTTP_DURATION.metric.name: series}


@given(st.lists(st.floats(0, 29), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(durations: list[float], share: float) -> None:
    found = quantile(share, BOUNDS, histogram(*durations)[1:])
    true = sorted(durations)[max(0, -(-int(share * 100) * len(durations) // 100) - 1)]
    bucket = bisect_left(BOUNDS, true)
    assert (0, *BOUNDS)[bucket] <= found <= BOUNDS[bucket]


def test_a_quantile_of_even_durations_is_near_the_true_one() -> None:
    durations = [number / 1000 for number in range(1, 1000)]
    found = quantile(0.5, BOUNDS, histogram(*durations)[1:])
    assert found == pytest.approx(statistics.median(durations), rel=0.02)


def test_what_is_beyond_the_last_bound_is_told_as_that() -> None:
    assert quantile(0.99, BOUNDS, histogram(0.1, 400)[1:]) == BOUNDS[-1]


def test_the_slowest_come_first_and_no_more_than_asked_for() -> None:
    instances = Instances()
    instances.answer(QUICK, *[0.002] * 99, 0.2)
    instances.answer(SLOW, 0.7)
    found = instances.slowest.read(10)
    assert [(one.name, one.method, one.endpoint, one.count) for one in found.operations] == [
        (*SLOW, 1),
        (*QUICK, 100),
    ]
    assert 500 < found.operations[0].p50 <= 1000
    assert 1 <= found.operations[1].p50 <= 2.5
    assert [one.name for one in instances.slowest.read(1).operations] == [SLOW[0]]


def test_of_late_is_since_the_first_look_and_at_most_the_span() -> None:
    instances = Instances()
    begun = instances.clock()
    instances.answer(SLOW, 9)
    assert instances.slowest.read(10).since is None
    instances.clock.advance(seconds=20)
    instances.answer(QUICK, 0.01)
    assert {one.name for one in instances.slowest.read(10).operations} == {SLOW[0], QUICK[0]}
    instances.clock.advance(minutes=2)
    found = instances.slowest.read(10)
    assert (found.since, [one.name for one in found.operations]) == (begun, [QUICK[0]])
    for _ in range(20):
        instances.clock.advance(minutes=1)
        found = instances.slowest.read(10)
    assert found.since is not None
    assert timedelta(0) < instances.clock() - found.since <= SPAN
    assert found.operations == []


def test_after_a_long_silence_it_tells_of_all_that_was_counted() -> None:
    instances = Instances()
    instances.answer(SLOW, 1)
    instances.slowest.read(10)
    instances.clock.advance(hours=3)
    found = instances.slowest.read(10)
    assert (found.since, [one.count for one in found.operations]) == (None, [1])


def test_what_other_bounds_counted_is_left_out() -> None:
    slowest = Slowest(
        lambda: {HTTP_DURATION.metric.name: {QUICK: [1.0, 2.0], SLOW: histogram(1)}}, ManualClock()
    )
    assert [one.name for one in slowest.read(10).operations] == [SLOW[0]]
