"""Roll-ups made anew from the events' table, on real storage: they agree with those that the flush made."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from shared.dead_letters.intents import ReplayStore
from shared.jobs.context import JobContext
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Follower
from shared.lake.segments import SegmentStore, Source, describe
from shared.platform.clock import utc_now
from shared.rollups.files import count_windows
from shared.rollups.partials import KEYS
from shared.rollups.reader import Rollups
from shared.rollups.recompute import Recompute
from shared.rollups.table import RollupTable
from shared.streams.events import EVENTS, topic_of
from shared.streams.rollups import ROLLUPS
from tests.jobs.world import JobWorld
from tests.place import Place
from tests.rollups.world import END, START, check, count_again, events, reader, rollup_table

DAY = 86_400.0


class RealWorld:
    """A place on real storage."""

    def __init__(self, place: Place, regions: int = 3) -> None:
        self.place = place
        self.regions = regions
        self.jobs = JobWorld()
        self.landed: list[dict[str, Any]] = []

    def land(self, rows: pa.RecordBatch) -> None:
        source = Source(topic_of(rows["event_type"][0].as_py()), rows["_partition"][0].as_py(), "g1")
        segment = describe(source, rows, EVENTS, rows["_seq"][0].as_py(), rows["_seq"][-1].as_py())
        asyncio.run(SegmentStore(self.place.blobs()).write(EVENTS, segment, rows))
        self.landed += rows.to_pylist()

    def follower(self) -> RollupTable:
        place = self.place
        return rollup_table(place.blobs(), place.lake(), place.leases(), self.regions)

    def flusher(self, *, following: bool = True) -> Flusher:
        place, blobs = self.place, self.place.blobs()
        followers: dict[str, Follower] = {EVENTS.name: self.follower()} if following else {}
        limits = FlushLimits(rows=1000, bytes=2**30)
        return Flusher(SegmentStore(blobs), blobs, place.lake(), place.leases(), limits, utc_now, followers)

    def rollups(self) -> Rollups:
        return reader(self.place.blobs(), self.place.lake(), self.regions)

    def recompute(self, settle: Callable[[JobContext], object] = lambda context: None) -> Recompute:
        place, blobs = self.place, self.place.blobs()
        return Recompute(
            SegmentStore(blobs),
            self.flusher(),
            self.follower(),
            place.lake(),
            place.leases(),
            ReplayStore(blobs),
            settle,
        )

    def run(self, handler: Callable[[JobContext], None], **parameters: Any) -> Any:
        self.jobs.handlers["recompute"] = handler
        job = self.jobs.jobs().start("recompute", parameters).job
        self.jobs.deliver()
        return self.jobs.jobs().get(job.id)


@pytest.fixture
def world(storage_connection_string: str) -> RealWorld:
    return RealWorld(Place(storage_connection_string, f"u{uuid.uuid4().hex[:10]}").make())


def land_three_days(world: RealWorld) -> None:
    regions = ("north", "south", None, "east", "west")  # one more than are counted apart
    world.land(events(0, [0, 10, 70, DAY, DAY + 5, -DAY], regions=regions))
    world.land(events(6, [11, 12, 400, DAY, 2 * DAY], regions=regions))
    world.land(events(0, [5, 6, -DAY], event_type="error", partition=1, regions=regions))


def ordered(minutes: pa.Table) -> list[dict[str, Any]]:
    return list(minutes.sort_by([(key, "ascending") for key in KEYS]).to_pylist())


def test_they_agree_with_those_of_the_flush(world: RealWorld) -> None:
    land_three_days(world)
    world.flusher().flush_all()
    world.land(events(11, [13, DAY + 6]))
    before = ordered(world.rollups().minutes(START, END))
    version = world.place.lake().table(ROLLUPS).snapshot().version
    job = world.run(world.recompute().handle)
    assert (job.status, job.outcome["dates"]) == ("succeeded", 4)
    assert world.place.lake().table(ROLLUPS).snapshot().version >= version + 4
    assert ordered(world.rollups().minutes(START, END)) == before
    world.land(events(13, [14]))  # and the flush goes on from there
    world.flusher().flush_all()
    assert sum(world.rollups().minutes(START, END)["count"].to_pylist()) == len(world.landed)


def test_what_was_never_rolled_up_is(world: RealWorld) -> None:
    """Such as events from before there were roll-ups; the job ends between two dates, and goes on."""
    land_three_days(world)
    world.regions = 10
    world.flusher(following=False).flush_all()
    assert world.rollups().minutes(START, END).num_rows == 0
    slices = world.jobs

    def interrupted(context: JobContext) -> None:
        recompute = world.recompute(settle=lambda _: slices.clock.advance(minutes=3))
        recompute.handle(context)

    job = world.run(interrupted)
    for _ in range(5):
        slices.clock.advance(minutes=5)
        slices.jobs().resume()
        slices.deliver()
    job = slices.jobs().get(job.id)
    assert job.status == "succeeded"
    assert job.outcome["dates"] == 4
    check(world.rollups().minutes(START, END), count_again(world.landed))
    minutes = world.rollups().minutes(START, END)
    assert world.rollups().count_windows() == count_windows(minutes)


def test_one_date(world: RealWorld) -> None:
    land_three_days(world)
    world.flusher(following=False).flush_all()
    day = world.landed[0]["timestamp"].date()
    job = world.run(world.recompute().handle, start_date=day.isoformat(), end_date=day.isoformat())
    assert job.outcome["dates"] == 1
    wanted = [row for row in world.landed if row["timestamp"].date() == day]
    found = world.rollups().minutes(START, END)
    assert sum(found["count"].to_pylist()) == len(wanted)
    assert {minute.date() for minute in found["minute"].to_pylist()} == {day}
    assert found["minute"][-1].as_py() - found["minute"][0].as_py() < timedelta(days=1)
