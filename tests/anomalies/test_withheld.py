"""What later events could undo is told once they are there, or do not come."""

from __future__ import annotations

from itertools import count

import pytest

from tests.anomalies.test_scan import all_of, usual
from tests.anomalies.world import MINUTE, Killed, World
from tests.fakes.detectors import PlainDetectors


def backfill(world: World, start: int, end: int) -> None:
    """Events of the minutes from `start` to before `end` ago."""
    for ago in range(start, end, -1):
        world.minutes.add(world.clock() - ago * MINUTE, usual(ago), 5.0)


def test_a_backfill_that_is_half_there_is_no_silence() -> None:
    world = World()
    scan = world.instance()
    for ago in range(300, 0, -60):
        backfill(world, ago, ago - 60)
        world.minutes.add(world.clock() - (ago - 60) * MINUTE, 1, 5.0)  # the rest of that minute is to come
        assert scan.run().told == 0
        world.clock.advance(seconds=5)
    for _ in range(3):
        world.clock.advance(seconds=5)
        assert scan.run().told == 0


def with_a_gap() -> World:
    """Half a day in which nothing came for eight minutes; it all came just now."""
    world = World(PlainDetectors())
    backfill(world, 700, 300)
    backfill(world, 292, 0)
    return world


def test_a_fall_in_what_came_at_once_is_told_by_the_next_scan() -> None:
    world = with_a_gap()
    scan = world.instance()
    assert scan.run().told == 0
    world.clock.advance(seconds=20)
    assert scan.run().told == 1
    assert scan.run().told == 0
    [anomaly] = all_of(world)
    assert anomaly.value == 0


def test_late_events_that_never_end_hold_nothing_back_for_long() -> None:
    world = with_a_gap()
    scan = world.instance()
    told = []
    for _ in range(7):
        told.append(scan.run().told)
        world.clock.advance(seconds=20)
        world.minutes.add(world.clock() - 30 * MINUTE, 1, 5.0)
    assert sum(told[:4]) == 0
    assert sum(told) == 1


@pytest.mark.parametrize("after", [False, True])
def test_what_waits_is_told_whoever_dies(after: bool) -> None:
    for at in count():
        world = with_a_gap()
        world.instance().run()
        try:
            world.dying(at, after=after).run()
        except Killed:
            world.leases.held.clear()
            scan = world.instance()
            assert scan.run().told + scan.run().told <= 1
            assert len(world.found()) == 1
            continue
        break
    assert at > 8
