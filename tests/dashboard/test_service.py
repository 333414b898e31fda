"""The state of the pipeline over fakes: true or null, measured seldom, and never waited for by long."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.dashboard import service
from shared.dashboard.models import PipelineState
from shared.dashboard.service import FRESH_SECONDS, STALE_SECONDS, PipelineService, Sources
from shared.dashboard.tables import TableFacts
from shared.dead_letters.standing import Standing
from shared.jobs.models import Job, Status
from shared.lake.summary import LastCommit
from shared.streams import TABLES
from shared.telemetry.slowest import Operation, Slow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AT = int(NOW.timestamp() * 1000) - 9000
FACTS = TableFacts(7, NOW - timedelta(seconds=3), 41, LastCommit(40, AT, "flush", 1000))
JOB = Job("upload-1", "upload", Status.RUNNING, NOW, NOW, started_at=NOW, done=3, total=9, unit="files")
OPERATION = Operation("query_events", "GET", "/api/events", 12, 4.5, 90.0)


class World:
    """Sources that answer, fail or hang as told, and ticks that pass when told."""

    def __init__(self) -> None:
        self.ticks = 1000.0
        self.asked: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.hanging = threading.Event()
        self.hangs: set[str] = set()
        standing = Standing(Counter({"events.error": 5, "sensor-data": 2}), Counter({"events.error": 1}))
        sources = Sources(
            tables=self.source("tables", {"events": FACTS, "rollups": TableFacts(0, None, 3, None)}),
            lag=self.source("lag", {"events": 12, "readings": 0}),
            dead_letters=self.source("dead letters", standing),
            jobs=self.source("jobs", [JOB]),
            slowest=self.source("slowest", Slow(None, NOW, [OPERATION])),
        )
        self.service = PipelineService(sources, TABLES, clock=lambda: NOW, ticks=lambda: self.ticks)

    def source(self, name: str, answer: Any) -> Any:
        def read() -> Any:
            self.asked[name] += 1
            if name in self.hangs:
                self.hanging.wait(30)
            if name in self.broken:
                raise ConnectionError(name)
            return answer

        return read

    async def after(self, seconds: float) -> PipelineState:
        self.ticks += seconds
        return await self.service.report()


@pytest.fixture
def world() -> World:
    return World()


def told(state: PipelineState, table: str) -> dict[str, Any]:
    """What is said of one table."""
    return next(one for one in state.tables if one.name == table).model_dump()


async def test_it_tells_what_its_sources_say(world: World) -> None:
    state = await world.service.report()
    assert [table.name for table in state.tables] == [table.name for table in TABLES]
    assert told(state, "events") == {
        "name": "events",
        "lag_messages": 12,
        "buffered_rows": 7,
        "buffer_age_seconds": 3.0,
        "version": 41,
        "last_commit": {"version": 40, "time": NOW - timedelta(seconds=9), "kind": "flush", "rows": 1000},
        "dead_letters": {"last_24h": 1, "total": 5},
    }
    assert told(state, "readings")["dead_letters"] == {"last_24h": 0, "total": 2}
    # What lands nowhere has neither lag nor buffer, and what was not told is not zero.
    assert (told(state, "rollups")["lag_messages"], told(state, "rollups")["buffered_rows"]) == (None, None)
    assert told(state, "dead-letters")["version"] is None
    assert state.jobs is not None
    assert (state.jobs[0].kind, state.jobs[0].done, state.jobs[0].total) == ("upload", 3, 9)
    assert state.slowest is not None
    assert (state.slowest.since, state.slowest.operations[0].p99_ms) == (None, 90.0)


async def test_many_who_look_measure_once(world: World) -> None:
    await asyncio.gather(*(world.service.report() for _ in range(5)))
    await world.after(FRESH_SECONDS / 2)
    assert set(world.asked.values()) == {1}
    await world.after(FRESH_SECONDS)
    assert set(world.asked.values()) == {2}


async def test_what_does_not_answer_is_null_and_the_rest_is_there(world: World) -> None:
    world.broken = {"lag", "jobs", "slowest"}
    state = await world.service.report()
    assert (told(state, "events")["lag_messages"], state.jobs, state.slowest) == (None, None, None)
    assert told(state, "events")["buffered_rows"] == 7
    world.broken = {"tables", "dead letters"}
    state = await world.after(FRESH_SECONDS + 1)
    events = told(state, "events")
    assert (events["buffered_rows"], events["last_commit"], events["dead_letters"]) == (None, None, None)
    assert events["lag_messages"] == 12


async def test_a_slow_source_keeps_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said before is told for a while, then nothing."""
    for patience in ("_MOMENT_SECONDS", "_PATIENCE_SECONDS"):
        monkeypatch.setattr(service, patience, 0.05)
    await world.service.report()
    world.hangs = {"lag"}
    assert told(await world.after(FRESH_SECONDS + 1), "events")["lag_messages"] == 12
    assert told(await world.after(STALE_SECONDS), "events")["lag_messages"] is None
    assert world.asked["lag"] == 2
    world.hanging.set()
