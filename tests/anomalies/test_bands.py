"""Series with what was expected of them."""

from __future__ import annotations

from datetime import timedelta

from shared.anomalies.bands import Bands, Point
from shared.anomalies.checkpoints import Checkpoints
from shared.anomalies.detector import SurpriseDetectors
from shared.anomalies.judge import WARM_UP, Judge
from shared.anomalies.models import Series
from shared.anomalies.service import AnomaliesWanted
from tests.anomalies.test_scan import usual
from tests.anomalies.world import MINUTE, SCORE, World

COUNT = Series("transaction", None, "count")
MEAN = Series("transaction", None, "mean")
HOUR = timedelta(hours=1)


def bands_of(world: World) -> Bands:
    """As a new process would have them."""
    checkpoints = Checkpoints(world.blobs, world.clock)
    return Bands(world.minutes, checkpoints, Judge(SurpriseDetectors(SCORE), SCORE), world.clock)


def points_of(world: World, series: Series = COUNT, hours: float = 3) -> list[Point]:
    return bands_of(world).points(series, world.clock() - hours * HOUR, world.clock() + MINUTE)


def test_each_minute_since_the_first_event_has_its_value() -> None:
    world = World()
    world.history(100, usual)
    world.minutes.add(world.clock(), 3)
    points = points_of(world)
    assert [point.value for point in points] == [*map(usual, range(100)), 3]
    assert points[0].time == world.clock() - 100 * MINUTE
    assert [point.complete for point in points] == [True] * 100 + [False]


def test_the_band_begins_after_the_warm_up_and_holds_what_is_usual() -> None:
    world = World()
    world.history(600, usual)
    world.minutes.add(world.clock() - MINUTE, 9_900)
    points = points_of(world, hours=10)
    assert [point.band is None for point in points].index(False) == WARM_UP
    known = [point for point in points if point.band]
    within = [point.band.low <= (point.value or 0) <= point.band.high for point in known if point.band]
    assert sum(within) >= 0.98 * len(within)
    assert not within[-2]
    assert all(0 <= point.band.low <= point.band.expected for point in known if point.band)


def test_a_mean_of_nothing_is_none_and_expected_all_the_same() -> None:
    world = World()
    world.history(100, lambda place: place % 2, 5.0)
    points = points_of(world, MEAN)
    assert {point.value for point in points} == {None, 5.0}
    assert points[-1].band is not None
    assert points[-1].band.expected == 5.0


def test_what_was_expected_is_what_the_scan_expected() -> None:
    """Whatever process looks, and when: before the anomaly, after it, and from a later start."""
    world = World()
    world.history(30 * 60, usual)
    scan = world.instance()
    scan.run()
    early = bands_of(world)
    early.points(COUNT, world.clock() - 2 * HOUR, world.clock())
    for place in range(40):
        world.minutes.add(world.clock(), 700 if place == 20 else usual(place))
        world.clock.advance(minutes=1)
        scan.run()
    [(_, anomaly)] = world.anomalies().page(AnomaliesWanted(), "", 10)
    for bands in (early, bands_of(world), bands_of(world)):
        for hours in (0.5, 0.6, 0.4):
            points = bands.points(COUNT, world.clock() - hours * HOUR, world.clock())
            [point] = [point for point in points if point.time == anomaly.window_start]
            assert point.value == anomaly.value
            assert point.band is not None
            assert point.band.expected == anomaly.expected


def test_late_events_are_in_what_was_looked_at_before() -> None:
    world = World()
    world.history(120, usual)
    bands = bands_of(world)
    wanted = (COUNT, world.clock() - HOUR, world.clock())
    before = bands.points(*wanted)
    world.minutes.add(world.clock() - 30 * MINUTE, 50)
    after = bands.points(*wanted)
    assert after[30].value == (before[30].value or 0) + 50
    assert after == bands_of(world).points(*wanted)


def test_late_events_before_the_first_one_are_there_too() -> None:
    """As a backfill comes: the newest of it may be looked at before the rest has landed."""
    world = World()
    world.history(10, usual)
    bands = bands_of(world)
    wanted = (COUNT, world.clock() - 2 * HOUR, world.clock())
    assert len(bands.points(*wanted)) == 10
    world.minutes.add(world.clock() - 90 * MINUTE, 4)
    after = bands.points(*wanted)
    assert (len(after), after[0].value) == (90, 4)
    assert after == bands_of(world).points(*wanted) == bands.points(*wanted)


def test_a_span_without_events_has_no_points() -> None:
    world = World()
    world.history(10, usual)
    bands = bands_of(world)
    assert bands.points(Series("error", None, "count"), world.clock() - HOUR, world.clock()) == []
    assert bands.points(COUNT, world.clock() - 3 * HOUR, world.clock() - 2 * HOUR) == []
    assert bands.points(COUNT, world.clock() + HOUR, world.clock() + 2 * HOUR) == []


def test_a_look_again_goes_over_the_new_minutes_alone() -> None:
    judged: list[float] = []

    class Counting(SurpriseDetectors):
        def load(self, state: bytes):  # type: ignore[no-untyped-def]
            detector = super().load(state)
            return detector and self._counted(detector)

        def new(self, interval: float, warm_up: int):  # type: ignore[no-untyped-def]
            return self._counted(super().new(interval, warm_up))

        def _counted(self, detector):  # type: ignore[no-untyped-def]
            class Counted:
                band, dump = detector.band, detector.dump

                def judge(self, time: float, value: float):  # type: ignore[no-untyped-def]
                    judged.append(time)
                    return detector.judge(time, value)

            return Counted()

    world = World()
    world.history(300, usual)
    checkpoints = Checkpoints(world.blobs, world.clock)
    bands = Bands(world.minutes, checkpoints, Judge(Counting(), SCORE), world.clock)
    for _ in range(3):
        judged.clear()
        bands.points(COUNT, world.clock() - 6 * HOUR, world.clock())
        world.clock.advance(seconds=30)
    assert len(judged) <= 3
