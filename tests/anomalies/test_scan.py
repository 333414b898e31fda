"""The scan: what it tells, and when."""

from __future__ import annotations

import pytest

from shared.anomalies.models import Anomaly
from shared.anomalies.scan import LEASE
from shared.anomalies.service import AnomaliesWanted
from shared.platform.errors import LeaseHeld, StorageUnavailable
from tests.anomalies.world import MINUTE, World
from tests.fakes.detectors import PlainDetectors


def all_of(world: World) -> list[Anomaly]:
    """Every anomaly, newest first."""
    return [anomaly for _, anomaly in world.anomalies().page(AnomaliesWanted(), "", 100)]


def usual(place: int) -> int:
    """About a hundred events a minute, in no order; never so far from it that it would be told."""
    return 98 + (place * 2_654_435_761 >> 7) % 5


def test_a_hundredfold_spike_is_told_while_its_minute_is_open() -> None:
    """After an hour of history that came just now."""
    world = World()
    world.history(60, usual)
    scan = world.instance()
    assert scan.run().told == 0
    world.clock.advance(seconds=10)
    world.minutes.add(world.clock(), 10_000)
    assert scan.run().told == 1
    [anomaly] = all_of(world)
    assert (anomaly.series.event_type, anomaly.series.region, anomaly.series.metric) == (
        "transaction",
        None,
        "count",
    )
    assert anomaly.value == 10_000
    assert 98 <= anomaly.expected <= 102
    assert anomaly.deviation == pytest.approx((10_000 - anomaly.expected) / anomaly.expected)
    assert anomaly.severity == "critical"
    assert anomaly.detected_at == world.clock()
    assert anomaly.window_start == world.clock().replace(second=0)
    assert anomaly.window_end == anomaly.window_start + MINUTE


@pytest.mark.parametrize("mean", [1.0, 42.5, -3.0])
@pytest.mark.parametrize("count", [1, 9])
def test_a_hundredfold_value_is_told_at_the_first_look(mean: float, count: int) -> None:
    """In the same scan as its history; the number of events is as it was."""
    world = World()
    for place in range(60):
        world.minutes.add(world.clock() - (60 - place) * MINUTE, count, mean * (1 + place % 3 / 20))
    world.minutes.add(world.clock(), count, mean * 100)
    assert world.instance().run().told == 1
    [anomaly] = all_of(world)
    assert anomaly.series.metric == "mean"
    assert anomaly.value == mean * 100
    assert anomaly.expected == pytest.approx(mean, rel=0.2)
    assert anomaly.deviation == pytest.approx(99, rel=0.2)


@pytest.mark.parametrize("count", [1, 100])
def test_a_series_that_never_moved_can_spike_too(count: int) -> None:
    world = World()
    world.history(60, lambda place: count)
    world.minutes.add(world.clock(), 100 * count)
    assert world.instance().run().told == 1


def test_a_fall_is_told_once_its_minute_is_closed() -> None:
    world = World()
    world.history(120, usual)
    scan = world.instance()
    told = []
    for _ in range(5):  # nothing comes any more
        told.append(scan.run().told)
        world.clock.advance(minutes=1)
    assert told[:2] == [0, 0]
    assert sum(told) == 1
    [anomaly] = all_of(world)
    assert anomaly.value == 0
    assert anomaly.deviation == -1


def test_the_figures_of_an_open_minute_become_those_of_the_closed_one() -> None:
    world = World()
    world.history(60, usual)
    world.minutes.add(world.clock(), 500)
    scan = world.instance()
    scan.run()
    [anomaly] = all_of(world)
    world.anomalies().acknowledge(anomaly.id, "somebody", None)
    world.minutes.add(world.clock(), 700)
    world.clock.advance(minutes=3)
    scan.run()
    [closed] = all_of(world)
    assert closed.id == anomaly.id
    assert closed.value == 1200
    assert closed.score > anomaly.score
    assert closed.acknowledged_by == "somebody"
    assert closed.detected_at == anomaly.detected_at


@pytest.mark.parametrize(("value", "told"), [(40.0, 0), (500.0, 1)])
def test_a_few_values_count_by_their_share(value: float, told: int) -> None:
    """Two of fifty values tell what their minute comes to at least, if the others are as usual."""
    world = World()
    for place in range(60):
        world.minutes.add(world.clock() - (60 - place) * MINUTE, 50, 10.0 + place % 3)
    world.minutes.add(world.clock(), 2, value)
    scan = world.instance()
    assert scan.run().told == told
    world.minutes.add(world.clock(), 48, 11.0)
    scan.run()
    assert len(all_of(world)) == told


def test_what_all_regions_do_is_told_once() -> None:
    world = World()
    for region in ("us-east", "eu-west", "ap-south"):
        world.history(60, usual, region=region)
        world.minutes.add(world.clock(), 900, region=region)
    world.instance().run()
    [anomaly] = all_of(world)
    assert anomaly.series.region is None
    assert anomaly.value == 2700


def test_what_one_region_alone_does_is_told_of_it() -> None:
    world = World()
    world.history(60, lambda place: 5000 + place * 377 % 1000, region="us-east")
    world.history(60, lambda place: 3, region="eu-west")
    world.minutes.add(world.clock(), 5000, region="us-east")
    world.minutes.add(world.clock(), 300, region="eu-west")
    world.instance().run()
    [anomaly] = all_of(world)
    assert anomaly.series.region == "eu-west"


def test_late_events_are_judged_and_told() -> None:
    """Into a minute that was judged long ago, beyond what each scan looks at."""
    world = World()
    world.history(20 * 60, usual)
    scan = world.instance()
    assert scan.run().told == 0
    world.minutes.add(world.clock() - 5 * 60 * MINUTE, 2000)
    world.clock.advance(minutes=11)
    for place in range(11):
        world.minutes.add(world.clock() - (place + 1) * MINUTE, usual(place))
    assert scan.run().told == 1
    [anomaly] = all_of(world)
    assert anomaly.window_start == world.clock() - (5 * 60 + 11) * MINUTE
    assert scan.run().told == 0


def test_history_that_comes_later_than_the_present_counts() -> None:
    """The series began a moment ago; then an hour from before comes, then the spike."""
    world = World()
    scan = world.instance()
    world.minutes.add(world.clock(), 1)
    scan.run()
    world.clock.advance(minutes=3)
    scan.run()
    world.history(60, usual)
    assert scan.run().told == 0
    world.minutes.add(world.clock(), 1000)
    assert scan.run().told == 1


def test_a_silent_series_is_forgotten_after_a_day() -> None:
    world = World()
    world.history(60, usual)
    scan = world.instance()
    series = [scan.run().series]
    for _ in range(26):
        world.clock.advance(hours=1)
        series.append(scan.run().series)
    assert series[0] > 0
    assert series[-1] == 0


def test_only_one_instance_scans_at_a_time() -> None:
    world = World()
    with world.leases.hold(LEASE, wait_seconds=0), pytest.raises(LeaseHeld):
        world.instance().run()


def test_nothing_is_told_by_one_who_lost_the_lease() -> None:
    world = World()
    world.history(60, usual)
    world.minutes.add(world.clock(), 1000)
    read = world.minutes.minutes

    def slow(*wanted: object) -> object:
        world.leases.held[LEASE].lost = True
        return read(*wanted)  # type: ignore[arg-type]

    scan = world.instance()
    world.minutes.minutes = slow  # type: ignore[method-assign,assignment]
    with pytest.raises(LeaseHeld):
        scan.run()
    assert world.found() == []
    world.minutes.minutes = read  # type: ignore[method-assign]
    assert scan.run().told == 1


def test_what_storage_did_not_take_is_told_the_next_time() -> None:
    world = World()
    world.history(60, usual)
    scan = world.instance()
    scan.run()
    world.minutes.add(world.clock(), 1000)
    world.tables.broken = StorageUnavailable("down")
    with pytest.raises(StorageUnavailable):
        scan.run()
    world.tables.broken = None
    assert scan.run().told == 1
    assert len(world.found()) == 1


def test_nothing_that_ever_came_is_nothing_to_tell() -> None:
    world = World()
    scan = world.instance()
    outcome = scan.run()
    assert (outcome.series, outcome.told) == (0, 0)
    assert scan.states() == {}


@pytest.mark.parametrize("region", [None, "us-east"])
def test_silence_is_told_though_spikes_came_before(region: str | None) -> None:
    """And grows louder as it lasts, as one anomaly."""
    world = World()
    world.history(5 * 60, lambda place: 900 if 100 < place < 112 else usual(place), region=region)
    scan = world.instance()
    scan.run()
    told = len(all_of(world))
    severities = []
    for _ in range(15):
        world.clock.advance(minutes=1)
        scan.run()
        severities += [anomaly.severity for anomaly in all_of(world)[: -told or None]]
    assert len(all_of(world)) == told + 1
    silence = all_of(world)[0]
    assert silence.stream == "silence"
    assert (silence.value, silence.deviation) == (0, -1)
    assert silence.window_start == world.clock() - 15 * MINUTE
    assert list(dict.fromkeys(severities)) == ["low", "medium", "high"]


def test_what_is_often_silent_may_be() -> None:
    world = World()
    world.history(5 * 60, lambda place: usual(place) % 3)
    scan = world.instance()
    scan.run()
    for _ in range(12):
        world.clock.advance(minutes=1)
        scan.run()
    assert all_of(world) == []


def test_a_young_series_is_told_of_what_is_clear_alone() -> None:
    """A score that counts after three hours does not yet."""
    old, young = World(PlainDetectors()), World(PlainDetectors())
    old.history(4 * 60, usual)
    young.history(2 * 60, usual)
    for count, told in ((1200, [1, 0]), (1700, [0, 1])):
        for world in (old, young):
            world.minutes.add(world.clock(), count - world.minutes.count(world.clock()))
        assert [world.instance().run().told for world in (old, young)] == told


def test_a_value_every_other_minute_is_history_enough() -> None:
    world = World()
    world.history(62, lambda place: place % 2, 40.0)
    world.minutes.add(world.clock(), 1, 4000.0)
    assert world.instance().run().told == 1
