"""The flush, on fakes: bounded commits, each row once, whatever fails and whoever else is at work."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.models import DeadLetter, Reason
from shared.lake.flush import FlushLimits
from shared.lake.ports import CommitConflict
from shared.lake.segments import Source, describe
from shared.platform.errors import LeaseHeld, StorageUnavailable
from shared.streams import STREAMS
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from tests.fakes.seam import Seam
from tests.ingest.batches import batch_of
from tests.lake.rows import NOON, TOPIC, event_rows, land
from tests.lake.world import Where, World, once, sweep


def fail() -> None:
    raise StorageUnavailable("struck")


def rows_at(numbers: range, partition: int = 0, key: str = "transaction") -> set[Where]:
    return {(key, partition, seq, 0) for seq in numbers}


def land_dead_letters(world: World, numbers: range) -> None:
    batch = batch_of([b"x"] * len(numbers), first=numbers.start)
    letters = [DeadLetter(i, 0, 1, Reason.NOT_JSON, "x", b"x") for i in range(len(numbers))]
    rows = dead_letter_rows(batch, letters)
    segment = describe(Source(TOPIC, 0, "g1"), rows, DEAD_LETTERS, numbers[0], numbers[-1])
    asyncio.run(world.segments.write(DEAD_LETTERS, segment, rows))


def land_packs(world: World, numbers: range, rows_each: int) -> None:
    rows = event_rows([(seq, idx) for seq in numbers for idx in range(rows_each)])
    segment = describe(Source(TOPIC, 0, "g1"), rows, EVENTS, numbers[0], numbers[-1])
    asyncio.run(world.segments.write(EVENTS, segment, rows))


def busy_world() -> World:
    """Segments of two partitions that overlap, one without a new row, and dead letters; some committed."""
    world = World()
    land(world.segments, range(10))
    world.flusher().flush_all()
    land(world.segments, range(5, 10))  # all committed
    land(world.segments, range(8, 20))  # half of it
    land(world.segments, range(15, 25))  # overlaps the one before
    land(world.segments, range(20, 30), rows_in=[22, 23, 24])  # adds messages, but no row
    land(world.segments, range(30, 33))
    land(world.segments, range(4), partition=1)
    land(world.segments, range(3), topic="events.error")
    land_dead_letters(world, range(3))
    return world


BUSY = (
    rows_at(range(25))
    | rows_at(range(30, 33))
    | rows_at(range(4), partition=1)
    | rows_at(range(3), key="error")
)
DEAD = {("events.transaction", 0, seq, 0) for seq in range(3)}


def test_a_flush_commits_each_row_once_and_deletes_what_it_took() -> None:
    world = busy_world()
    report = world.flusher().flush_all()
    assert once(world.committed()) == BUSY
    assert once(world.committed(DEAD_LETTERS)) == DEAD
    assert world.segments.list(EVENTS) == world.segments.list(DEAD_LETTERS) == []
    assert report.rows == len(BUSY) - 10 + len(DEAD)
    assert all(world.blobs.get(*name.split("/", 1)) for name in report.files)
    assert world.flusher().flush_all().commits == 0


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_the_notes_of_the_commits_add_up_to_what_came(rows: int) -> None:
    """Each message counts once, however its batches overlapped, and packs count as one."""
    world = busy_world()
    land_packs(world, range(40, 44), rows_each=3)
    world.flusher(FlushLimits(rows=rows, bytes=2**30)).flush_all()
    notes = {
        stream: [commit.notes for commit in world.lake.logs[stream.container].commits]
        for stream in (EVENTS, DEAD_LETTERS)
    }
    assert {note["kind"] for noted in notes.values() for note in noted} == {"flush"}
    assert sum(note["rows"] for note in notes[EVENTS]) == len(BUSY) + 12
    assert sum((Counter(note["messages"]) for note in notes[EVENTS]), Counter()) == {
        TOPIC: 25 + 3 + 4 + 4,
        "events.error": 3,
    }
    assert max(note["last_message"] for note in notes[EVENTS]) == NOON + 43
    assert sum((Counter(note["messages"]) for note in notes[DEAD_LETTERS]), Counter()) == {TOPIC: 3}


@pytest.mark.parametrize("rows", [7, 1000])
def test_any_failure_leaves_a_state_that_the_next_flush_finishes(rows: int) -> None:
    limits = FlushLimits(rows=rows, bytes=2**30)

    def run(at: int | None, after: bool) -> list[str]:
        world = busy_world()
        seam = Seam(fail, at, after)
        if at is None:
            world.flusher(limits, seam).flush_all()
        else:
            with pytest.raises(StorageUnavailable, match="struck"):
                world.flusher(limits, seam).flush_all()
        assert once(world.visible()) == BUSY, seam.calls[-1]
        assert once(world.visible(DEAD_LETTERS)) == DEAD, seam.calls[-1]
        land(world.segments, range(25, 35))  # a redelivery with other boundaries, and more
        land_dead_letters(world, range(2, 3))
        world.flusher(limits).flush_all()
        assert once(world.committed()) >= BUSY - rows_at(range(30, 33)), seam.calls[-1]
        assert once(world.committed()) - BUSY <= rows_at(range(25, 35)), seam.calls[-1]
        assert once(world.committed(DEAD_LETTERS)) == DEAD, seam.calls[-1]
        assert world.segments.list(EVENTS) == world.segments.list(DEAD_LETTERS) == []
        return seam.calls

    sweep(run)


@pytest.mark.parametrize(
    ("limits", "commits"),
    [
        (FlushLimits(rows=1000, bytes=2**30), 1),
        (FlushLimits(rows=20, bytes=2**30), 5),
        (FlushLimits(rows=25, bytes=2**30), 5),
        (FlushLimits(rows=1, bytes=2**30), 10),
        (FlushLimits(rows=1000, bytes=1), 10),
    ],
)
def test_commits_are_bounded(limits: FlushLimits, commits: int) -> None:
    world = World()
    for start in range(0, 100, 10):
        land(world.segments, range(start, start + 10))
    report = world.flusher(limits).flush_all()
    assert (report.commits, report.rows) == (commits, 100)
    assert once(world.committed()) == rows_at(range(100))
    sizes = [sum(f.rows for f in commit.files) for commit in world.lake.logs[EVENTS.container].commits]
    assert all(size <= max(limits.rows, 10) for size in sizes)


def test_a_hub_made_anew_counts_from_zero_again() -> None:
    world = World()
    land(world.segments, range(10), generation="old")
    world.flusher().flush_all()
    land(world.segments, range(10, 12), generation="old")
    land(world.segments, range(5), generation="new")
    world.flusher().flush_all()
    counts = world.committed()
    assert {place: count for place, count in counts.items() if count > 1} == dict.fromkeys(
        rows_at(range(5)), 2
    )
    assert set(counts) == rows_at(range(12))


def test_nothing_to_do_takes_no_lease() -> None:
    world = World()
    seam = Seam(fail)
    assert world.flusher(seam=seam).flush_all().commits == 0
    assert [call.split()[0] for call in seam.calls] == ["list"] * len(STREAMS)


def test_a_lease_that_another_holds_is_left_alone() -> None:
    world = busy_world()
    with world.leases.hold("flush-events", wait_seconds=0), pytest.raises(LeaseHeld):
        world.flusher().flush(EVENTS)
    assert once(world.visible()) == BUSY
    world.flusher().flush(EVENTS)
    assert once(world.committed()) == BUSY


def test_a_flush_waits_for_another_at_work() -> None:
    world = busy_world()
    with world.leases.hold("flush-events", wait_seconds=0):
        waiting = threading.Thread(target=world.flusher().flush, args=[EVENTS], kwargs={"wait_seconds": 30})
        waiting.start()
    waiting.join()
    assert once(world.committed()) == BUSY


def test_a_lease_lost_before_the_commit_holds_it_back() -> None:
    world = busy_world()
    seam = Seam(lambda: world.leases.lapse("flush-events"))
    world.flusher(seam=seam)
    # The lapse comes before the check, which is the call before the commit.
    plan = Seam(fail)
    busy_world().flusher(seam=plan).flush(EVENTS)
    seam.at = next(i for i, call in enumerate(plan.calls) if call == "check flush-events")
    with pytest.raises(LeaseHeld, match="was lost"):
        world.flusher(seam=seam).flush(EVENTS)
    assert once(world.visible()) == BUSY
    world.flusher().flush(EVENTS)
    assert once(world.committed()) == BUSY


def test_a_writer_that_was_overtaken_commits_nothing() -> None:
    """Its lease lapsed after the check, and another writer took everything."""
    plan = Seam(fail)
    busy_world().flusher(seam=plan).flush(EVENTS)
    world = busy_world()

    def overtake() -> None:
        world.leases.lapse("flush-events")
        world.flusher().flush(EVENTS)

    seam = Seam(overtake, next(i for i, call in enumerate(plan.calls) if call.startswith("commit")))
    with pytest.raises(LeaseHeld, match="another writer committed") as held:
        world.flusher(seam=seam).flush(EVENTS)
    assert isinstance(held.value.__cause__, CommitConflict)
    assert once(world.committed()) == BUSY


def test_a_writer_whose_segments_are_gone_leaves_the_work() -> None:
    plan = Seam(fail)
    busy_world().flusher(seam=plan).flush(EVENTS)
    world = busy_world()

    def overtake() -> None:
        world.leases.lapse("flush-events")
        world.flusher().flush(EVENTS)

    seam = Seam(overtake, next(i for i, call in enumerate(plan.calls) if call.startswith("snapshot")), True)
    with pytest.raises(LeaseHeld, match="another writer took"):
        world.flusher(seam=seam).flush(EVENTS)
    assert once(world.committed()) == BUSY


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8), st.booleans()), min_size=1, max_size=8),
    st.integers(1, 10),
)
def test_any_deliveries_and_flushes_in_between_give_each_row_once(
    deliveries: list[tuple[int, int, bool]], rows: int
) -> None:
    """As the trigger does, a delivery starts anywhere in what was sent before and may go beyond it."""
    world = World()
    flusher = world.flusher(FlushLimits(rows=rows, bytes=2**30))
    reached = 0
    for back, count, flush in deliveries:
        start = max(reached - back, 0)
        land(world.segments, range(start, start + count + 1))
        reached = max(reached, start + count + 1)
        if flush:
            flusher.flush(EVENTS)
        assert once(world.visible()) == rows_at(range(reached))
    flusher.flush(EVENTS)
    assert once(world.committed()) == rows_at(range(reached))
