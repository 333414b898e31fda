"""Every aggregate equals a recount by DuckDB over what was acknowledged, whatever failed when."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lake.flush import FlushLimits
from shared.platform.errors import LeaseHeld, StorageUnavailable
from shared.rollups import table as rollup_table
from shared.rollups.windows import WindowsWanted, aggregates
from shared.streams.events import EVENTS
from shared.streams.rollups import ROLLUPS
from tests.fakes.seam import Seam
from tests.lake.rows import NOON
from tests.lake.world import sweep
from tests.rollups.world import END, START, RollupWorld, check, events, reader

MINUTE, HOUR, DAY = 60, 3600, 86_400


def fail() -> None:
    raise StorageUnavailable("struck")


def check_all(world: RollupWorld) -> None:
    """One who read before and one who starts anew see the same: each acknowledged event once."""
    minutes = world.rollups.minutes(START, END)
    check(minutes, world.counted_again())
    anew = reader(world.blobs, world.lake)
    check(anew.minutes(START, END), world.counted_again())
    windows = {
        (row["minute"].timestamp() // 300, row["event_type"])
        for row in minutes.select(["minute", "event_type"]).to_pylist()
    }
    assert world.rollups.count_windows() == anew.count_windows() == len(windows)


@dataclass(frozen=True)
class Batch:
    """A delivery: how far it goes back behind what came before, and the seconds of its events."""

    partition: int
    event_type: str
    back: int
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Flush:
    """A flush that dies at a call, or does not."""

    rows: int
    at: int | None
    after: bool


def moments() -> st.SearchStrategy[float]:
    """Mostly of the moment, sometimes hours or days late, or early."""
    near = st.floats(0, 10 * MINUTE, allow_nan=False)
    return st.one_of(near, near, st.floats(-3 * DAY, 2 * HOUR, allow_nan=False))


BATCHES = st.builds(
    Batch,
    st.integers(0, 1),
    st.sampled_from(["transaction", "error"]),
    st.integers(0, 4),
    st.lists(moments(), min_size=1, max_size=12).map(tuple),
)
FLUSHES = st.builds(
    Flush, st.sampled_from([3, 1000]), st.one_of(st.none(), st.integers(0, 45)), st.booleans()
)


@settings(max_examples=20)
@given(st.lists(st.one_of(BATCHES, BATCHES, FLUSHES), min_size=1, max_size=12))
def test_aggregates_are_what_was_acknowledged(story: list[Batch | Flush]) -> None:
    world = RollupWorld()
    reached: dict[tuple[str, int], list[float]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollup_table, "MERGED_AT", 2)
        for step in story:
            if isinstance(step, Batch):
                before = reached.setdefault((step.event_type, step.partition), [])
                first = max(0, len(before) - step.back)
                again = before[first:]  # redelivered, with what came since in one batch
                before += step.seconds
                world.land(
                    events(
                        first,
                        [*again, *step.seconds],
                        event_type=step.event_type,
                        partition=step.partition,
                    )
                )
            else:
                flush(world, step)
            check_all(world)
        world.flusher().flush_all()
    check_all(world)
    assert world.segments.list(EVENTS) == []


def flush(world: RollupWorld, step: Flush) -> None:
    limits = FlushLimits(rows=step.rows, bytes=2**30)
    with suppress(StorageUnavailable, LeaseHeld):
        world.flusher(limits, Seam(fail, step.at, step.after)).flush(EVENTS)
    world.end_leases()
    world.following_cleaner().clean(EVENTS)  # takes nothing that one of the tables misses


def busy_world() -> RollupWorld:
    world = RollupWorld()
    world.land(events(0, [0, 10, 70, 80, -HOUR]))
    world.flusher().flush_all()
    world.land(events(3, [80, -HOUR, 200, 210]))  # overlaps what is committed
    world.land(events(6, [210, 3 * MINUTE]))  # and what is not
    world.land(events(0, [5, 6, -2 * DAY], event_type="error", partition=1))
    return world


@pytest.mark.parametrize("rows", [3, 1000])
def test_a_failure_at_any_call(rows: int) -> None:
    """Seen right after it, after the clean-up, and after the next flush."""

    def run(at: int | None, after: bool) -> list[str]:
        world = busy_world()
        seam = Seam(fail, at, after)
        if at is None:
            world.flusher(FlushLimits(rows=rows, bytes=2**30), seam).flush(EVENTS)
        else:
            flush(world, Flush(rows, at, after))
            seam.calls.append("")
        check_all(world)
        world.flusher().flush_all()
        check_all(world)
        assert world.segments.list(EVENTS) == []
        return seam.calls

    sweep(run)


def test_another_writer_at_the_roll_ups() -> None:
    """Both took the same segments; the second one's roll-up is refused, and the events count once."""
    world = busy_world()
    other = world.flusher()

    first = world.flusher()
    follower = first._followers[EVENTS.name]
    commit = follower.commit

    def late(*given: Any) -> None:
        world.leases.lapse("flush-events")
        other.flush(EVENTS)
        commit(*given)

    follower.commit = late  # type: ignore[method-assign]
    with pytest.raises(LeaseHeld):
        first.flush(EVENTS)
    check_all(world)


def test_files_of_a_date_become_one() -> None:
    world = RollupWorld()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollup_table, "MERGED_AT", 3)
        for number in range(7):
            world.land(events(number, [number * 20]))
            world.flusher().flush_all()
            assert len(world.paths(ROLLUPS)) <= 3
            check_all(world)
    notes = [commit.notes for commit in world.lake.logs[ROLLUPS.container].commits]
    assert [note["merged"] for note in notes] == [0, 0, 0, 3, 0, 0, 3]


@pytest.mark.parametrize("seconds", [60, 300, 3600, DAY])
@pytest.mark.parametrize("by_region", [True, False])
def test_windows(seconds: int, by_region: bool) -> None:
    """Newest first, then by type and region; landed and committed events together."""
    world = busy_world()
    found = aggregates(world.rollups, WindowsWanted(seconds=seconds, limit=1000, by_region=by_region))
    again = world.counted_again(seconds, by_region=by_region)
    # Stable sorts, the last one first: regions ascend with none at the end, types ascend, windows descend.
    again.sort(key=lambda row: (row["region"] is None, row["region"] or ""))
    again.sort(key=lambda row: row["event_type"])
    again.sort(key=lambda row: row["window"], reverse=True)
    assert [
        (one.window_start, one.event_type, one.region, one.count, one.highest, one.lowest) for one in found
    ] == [
        (row["window"], row["event_type"], row["region"], row["count"], row["max"], row["min"])
        for row in again
    ]
    assert [one.total for one in found] == pytest.approx([row["sum"] for row in again])
    limited = aggregates(world.rollups, WindowsWanted(seconds=seconds, limit=3, by_region=by_region))
    assert limited == found[:3]


def test_a_date_that_is_over_comes_to_have_one_file() -> None:
    """One date a commit, oldest first, by whatever is flushed next."""
    world = RollupWorld()
    for number in range(3):
        world.land(events(2 * number, [number * 20, DAY + number * 20]))
        world.flusher().flush_all()
    world.clock.advance(days=10_000)
    for number in (6, 7):
        world.land(events(number, [(world.clock().timestamp()) - NOON / 1e6]))
        world.flusher().flush_all()
        check_all(world)
    assert len(world.paths(ROLLUPS)) == 1 + 1 + 2
