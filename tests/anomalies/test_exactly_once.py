"""Whatever dies, and whoever scans: each anomaly is told, and told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.anomalies.checkpoints import Checkpoints
from shared.anomalies.models import Series
from shared.anomalies.scan import AnomalyScan
from shared.anomalies.service import AnomaliesWanted
from shared.anomalies.stories import STORY
from shared.anomalies.window import minute_of
from shared.platform.errors import StorageUnavailable
from shared.platform.tables import Row
from tests.anomalies.test_scan import usual
from tests.anomalies.world import MINUTE, NOON, Killed, World
from tests.fakes.detectors import PlainDetectors


def spiky() -> World:
    """An hour of two regions, then a spike of one of them, now and a quarter of an hour ago; the hour is
    scanned."""
    world = World(PlainDetectors())
    for region in ("us-east", "eu-west"):
        world.history(75, usual, 5.0, region=region)
    world.instance().run()
    world.clock.advance(minutes=16)  # the next scan keeps a checkpoint
    for region in ("us-east", "eu-west"):
        world.history(16, usual, 5.0, region=region)
    for ago in (0, 15):
        world.minutes.add(world.clock() - ago * MINUTE, 3000, 700.0, region="us-east")
    return world


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_of_storage(after: bool) -> None:
    whole = spiky()
    whole.instance().run()
    expected = whole.found()
    assert len(expected) == 3
    for at in count():
        world = spiky()
        try:
            world.dying(at, after=after).run()
        except Killed:
            world.leases.held.clear()  # lapsed
            world.instance().run()
            assert world.found() == expected, at
            assert world.anomalies().total() == len(expected)
            continue
        break
    assert at > 20


@dataclass(frozen=True)
class Step:
    """Time passes, events come (`late` minutes ago), and an instance scans: perhaps one that is new, or that
    is killed at a call of storage before another does it."""

    seconds: int
    events: int
    late: int
    region: str | None
    who: int
    anew: bool
    killed_at: int | None


# Explaining a failure traces every line that runs.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
STEPS = st.builds(
    Step,
    seconds=st.integers(1, 200),
    events=st.sampled_from([0, 5, 5, 60, 3000]),
    late=st.sampled_from([0, 0, 0, 1, 2, 9, 40, 100]),
    region=st.sampled_from([None, "us-east"]),
    who=st.integers(0, 1),
    anew=st.booleans(),
    killed_at=st.none() | st.integers(0, 40),
)


def pass_time(world: World, seconds: int) -> None:
    """Lets time pass, in which the usual events come."""
    begun = world.clock()
    world.clock.advance(seconds=seconds)
    for minute in range(seconds // 60):
        world.minutes.add(begun + minute * MINUTE, usual(minute), 5.0, region="us-east")


def come(world: World, step: Step) -> None:
    """What comes in a step."""
    pass_time(world, step.seconds)
    world.minutes.add(world.clock() - step.late * MINUTE, step.events, 5.0, region=step.region)


def scan(world: World, instances: list[AnomalyScan], step: Step) -> None:
    """The scan of a step, with what is done to instances."""
    if step.anew:
        instances[step.who] = world.instance()
    if step.killed_at is not None:
        dying = world.dying(step.killed_at, after=step.anew)
        try:
            dying.run()
        except Killed:
            world.leases.held.clear()
    instances[step.who].run()


@given(st.lists(STEPS, min_size=1, max_size=12))
@settings(max_examples=20, phases=PHASES)
def test_two_instances_that_die_and_come_again_tell_what_one_tells(steps: list[Step]) -> None:
    # Without patience: what is withheld depends on when who looked.
    world, alone = (World(PlainDetectors(), patience=timedelta(0)) for _ in range(2))
    steady, instances = alone.instance(), [world.instance(), world.instance()]
    for place in (world, alone):
        place.history(70, usual, 5.0, region="us-east")
    for step in steps:
        for place in (world, alone):
            come(place, step)
        steady.run()
        scan(world, instances, step)
        assert world.found() == alone.found()
    assert world.anomalies().total() == len(world.found())


@given(st.lists(STEPS, min_size=1, max_size=12))
@settings(max_examples=20, phases=PHASES)
def test_nothing_is_missed_in_the_end(steps: list[Step]) -> None:
    """Each alarm of whoever goes over it all at once is told, or part of a story that is."""
    world = World(PlainDetectors())
    world.history(70, usual, 5.0, region="us-east")
    instances = [world.instance(), world.instance()]
    for step in steps:
        come(world, step)
        scan(world, instances, step)
    for _ in range(4):
        pass_time(world, 100)
        instances[0].run()
    world.found()
    told = [anomaly for _, anomaly in world.anomalies().page(AnomaliesWanted(), "", 1000)]
    for alarm in world.alarms():
        event_type, region, metric = alarm.series
        stories = {Series(event_type, region, metric), Series(event_type, None, metric)}
        assert any(
            one.series in stories and abs(minute_of(one.window_start) - alarm.minute) <= STORY for one in told
        )


def test_a_new_instance_comes_to_the_same_states() -> None:
    """From a checkpoint and the minutes since."""
    world = World()
    scan = world.instance()
    world.history(90, usual, 5.0)
    for place in range(40):
        world.minutes.add(world.clock(), usual(place), 5.0 + place % 4)
        scan.run()
        world.clock.advance(minutes=1)
    again = world.instance()
    scan.run()
    _, kept = Checkpoints(world.blobs, world.clock).newest()
    assert kept
    again.run()
    assert again.states() == scan.states()
    assert again.states() != kept


def test_an_instance_knows_what_another_told_meanwhile() -> None:
    """Though what was told came to nothing, what follows is the same story."""
    world = World(PlainDetectors())
    first, second = world.instance(), world.instance()
    world.history(70, usual, 5.0)
    first.run()
    world.minutes.add(world.clock(), 10, 900.0)
    assert second.run().told == 1
    world.minutes.add(world.clock(), 90, 5.0)
    world.minutes.add(world.clock(), 10, -890.0)
    world.clock.advance(minutes=1)
    world.minutes.add(world.clock(), 10, 900.0)
    assert first.run().told == 0
    assert len(world.found()) == 1


def test_what_could_not_be_told_is_told_by_the_next_scan() -> None:
    """The minute is closed, and its state went on."""
    world = World()
    scan = world.instance()
    world.history(70, usual)
    scan.run()
    world.minutes.add(world.clock(), 9000)
    world.clock.advance(minutes=3)
    world.history(2, usual)
    insert = world.tables.insert

    def fails(table: str, row: Row) -> Row:
        raise StorageUnavailable(table)

    world.tables.insert = fails  # type: ignore[method-assign]
    with pytest.raises(StorageUnavailable):
        scan.run()
    assert scan.states() == {}
    world.tables.insert = insert  # type: ignore[method-assign]
    assert scan.run().told == 1


def test_a_checkpoint_that_knew_other_events_is_nothing_to_go_back_to() -> None:
    world, at_once = World(), World()
    scan = world.instance()
    for place in (world, at_once):
        place.history(100, usual, 5.0)
    scan.run()  # keeps a checkpoint
    for late in (NOON - 50 * MINUTE, NOON + 2 * MINUTE):  # before what it knows, then after
        for place in (world, at_once):
            place.clock.advance(minutes=10)
            place.history(10, usual, 5.0)
            place.minutes.add(late, 40, 6.0)
        scan.run()
    fresh = at_once.instance()
    fresh.run()
    assert scan.states() == fresh.states()


def test_states_of_another_version_are_made_anew() -> None:
    world = World()
    world.history(200, usual)
    world.instance().run()
    for name, content in world.blobs.content.items():
        if name[1].startswith("anomalies/"):
            world.blobs.content[name] = b"\x92\x63" + content[2:]
    world.minutes.add(world.clock(), 1000)
    assert world.instance().run().told == 1
