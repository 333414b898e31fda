"""What `/health` says of the pipeline: durable totals, the same for every instance."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.health.board import NoticeBoard
from shared.health.pipeline import LakeFacts, cleanup_facts
from shared.health.ports import CleanupFacts
from shared.jobs.context import JobContext
from shared.lake.segments import SegmentStore, Source, describe
from shared.platform.errors import BadRequest, StorageUnavailable
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.readings import READINGS
from tests.fakes import ManualClock, MemoryLake
from tests.jobs.world import JobWorld
from tests.lake.rows import land
from tests.lake.test_totals import readings
from tests.lake.world import World


def facts(world: World) -> LakeFacts:
    """Those of one instance."""
    lake = MemoryLake(world.lake.logs)
    return LakeFacts(
        lambda: SegmentStore(world.blobs),
        lambda: lake,
        lambda: NoticeBoard(world.blobs, ManualClock()),
        CleanupFacts,
    )


def test_before_anything_came() -> None:
    found = facts(World()).read()
    assert (found.messages_consumed, found.last_message_time) == (0, None)
    assert (found.total_files, found.total_size_bytes) == (0, 0)
    assert set(found.messages_by_topic or ()) >= {"sensor-data", "events.transaction"}


def test_totals_of_what_is_landed_and_flushed() -> None:
    world = World()
    rows = readings(0, [("a", "x", 0), ("a", "y", 1), ("b", "x", 2)])
    segment = describe(Source("sensor-data", 0, "g1"), rows, READINGS, 0, 2)
    asyncio.run(world.segments.write(READINGS, segment, rows))
    land(world.segments, range(5))
    first, second = facts(world), facts(world)
    landed = first.read()
    assert landed.messages_consumed == 3
    assert landed.messages_by_topic is not None
    assert landed.messages_by_topic["events.transaction"] == 5
    assert landed.last_message_time == datetime(2025, 9, 30, 12, 0, 0, 2, UTC)
    assert landed.total_files == 0
    world.flusher().flush_all()
    flushed = first.read()
    assert flushed == second.read()
    assert flushed.messages_by_topic == landed.messages_by_topic
    assert flushed.total_files == 4
    assert flushed.total_size_bytes == sum(
        len(content) for (_, name), content in world.blobs.content.items() if name.endswith(".parquet")
    )
    assert DEAD_LETTERS.name not in flushed.messages_by_topic


def clean(context: JobContext) -> None:
    """Deletes three files, or fails where it is told to."""
    context.save(state={}, outcome={"files_deleted": 3, "bytes_freed": 10})
    if context.job.parameters.get("fail"):
        raise BadRequest("told to")


def test_the_cleanups_facts() -> None:
    world = JobWorld(cleanup=clean)

    def told() -> CleanupFacts:
        return cleanup_facts(world.jobs(), world.clock)

    assert told() == CleanupFacts(healthy=True, running=True, files_deleted=0)
    world.jobs().start("cleanup")
    world.deliver()
    assert told() == CleanupFacts(healthy=True, running=True, files_deleted=3)
    world.clock.now += timedelta(hours=26)
    assert told() == CleanupFacts(healthy=False, running=False, files_deleted=3)
    world.jobs().start("cleanup", {"fail": True})
    assert told().running
    while world.deliver():
        pass
    assert told() == CleanupFacts(healthy=False, running=True, files_deleted=6)


def test_without_tables_the_cleanup_is_unknown() -> None:
    class Silent:
        def __getattr__(self, name: str) -> object:
            raise StorageUnavailable("no tables")

    world = JobWorld(cleanup=clean)
    silent: Any = Silent()
    assert cleanup_facts(world.jobs(silent), world.clock) == CleanupFacts()
