"""The state of the pipeline: measured while somebody looks, and never waited for by more than a moment."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.dashboard.models import (
    Commit,
    DeadLetterCounts,
    PipelineState,
    RunningJob,
    SlowestOperations,
    SlowOperation,
    TableState,
)
from shared.dashboard.tables import TableFacts, age_in_seconds, made_at
from shared.dead_letters.standing import Standing
from shared.health.watch import Watch
from shared.jobs.models import Job
from shared.platform.clock import Clock, utc_now
from shared.streams import StreamDefinition
from shared.telemetry.slowest import Slow

# What is older is measured anew when somebody asks.
FRESH_SECONDS = 2.0
# What is older says nothing any more.
STALE_SECONDS = 12.0
# How long whoever asks waits for what is being measured: a moment where there is something to tell already.
_MOMENT_SECONDS = 1.0
_PATIENCE_SECONDS = 4.0
# Then a measurement is given up. A broker may be asked for each partition in turn.
_TIMEOUT_SECONDS = 15.0


class Sources:
    """Where the parts of the state come from. All block, and raise where their source does not answer.

    `lag` gives by stream how many messages are not landed, `tables` the facts by table.
    """

    def __init__(
        self,
        *,
        tables: Callable[[], Mapping[str, TableFacts]],
        lag: Callable[[], Mapping[str, int]],
        dead_letters: Callable[[], Standing],
        jobs: Callable[[], Sequence[Job]],
        slowest: Callable[[], Slow],
    ) -> None:
        self.tables = tables
        self.lag = lag
        self.dead_letters = dead_letters
        self.jobs = jobs
        self.slowest = slowest


class _Part[T]:
    """One measurement and its age."""

    def __init__(self, name: str, check: Callable[[], T], ticks: Callable[[], float]) -> None:
        self._watch = Watch(f"pipeline-{name}", check, _TIMEOUT_SECONDS)
        self._ticks = ticks
        self._measured = float("-inf")
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> asyncio.Task[None] | None:
        """Measures anew where it is time to; what is being measured now, if anything is."""
        if self._running is None and self._age > FRESH_SECONDS:
            self._running = asyncio.create_task(self._measure())
        return self._running

    async def _measure(self) -> None:
        await self._watch.refresh()
        self._measured, self._running = self._ticks(), None

    @property
    def _age(self) -> float:
        return self._ticks() - self._measured

    @property
    def stale(self) -> bool:
        """Whether there is nothing to tell."""
        return self._age > STALE_SECONDS

    @property
    def value(self) -> T | None:
        """What was measured last; None where the source did not answer, or that is too long ago."""
        return None if self.stale else self._watch.value


class PipelineService:
    """One for each process, whatever the number of those who look. `ticks` are monotonic seconds."""

    def __init__(
        self,
        sources: Sources,
        streams: Sequence[StreamDefinition],
        *,
        clock: Clock = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._streams = streams
        self._clock = clock
        self._tables = _Part("tables", sources.tables, ticks)
        self._lag = _Part("lag", sources.lag, ticks)
        self._letters = _Part("dead-letters", sources.dead_letters, ticks)
        self._jobs = _Part("jobs", sources.jobs, ticks)
        self._slowest = _Part("slowest", sources.slowest, ticks)

    async def report(self) -> PipelineState:
        """The state within the last seconds; parts whose source is silent are None."""
        parts: list[_Part[Any]] = [self._tables, self._lag, self._letters, self._jobs, self._slowest]
        running = [task for part in parts if (task := part.begin())]
        if running:
            patience = _PATIENCE_SECONDS if any(part.stale for part in parts) else _MOMENT_SECONDS
            await asyncio.wait(running, timeout=patience)
        jobs, slowest = self._jobs.value, self._slowest.value
        return PipelineState(
            tables=[self._table(stream) for stream in self._streams],
            jobs=None if jobs is None else list(map(_running, jobs)),
            slowest=None if slowest is None else _slowest(slowest),
            timestamp=self._clock(),
        )

    def _table(self, stream: StreamDefinition) -> TableState:
        state = TableState(
            name=stream.name,
            lag_messages=(self._lag.value or {}).get(stream.name),
            dead_letters=_letters_of(stream, self._letters.value),
        )
        if (facts := (self._tables.value or {}).get(stream.name)) is not None:
            # The roll-ups' rows wait in the segments of the events.
            state.buffered_rows = None if stream.derived else facts.buffered_rows
            state.buffer_age_seconds = age_in_seconds(facts.buffered_since, self._clock)
            state.version = facts.version
            state.last_commit = _commit(facts)
        return state


def _commit(facts: TableFacts) -> Commit | None:
    last = facts.last_commit
    if last is None:
        return None
    return Commit(version=last.version, time=made_at(last), kind=last.kind, rows=last.rows)


def _letters_of(stream: StreamDefinition, standing: Standing | None) -> DeadLetterCounts | None:
    if standing is None or not stream.topics:
        return None

    def of_topics(counts: Counter[str]) -> int:
        return sum(counts[topic] for topic in stream.topics)

    return DeadLetterCounts(last_24h=of_topics(standing.recent), total=of_topics(standing.total))


def _running(job: Job) -> RunningJob:
    return RunningJob(
        id=job.id,
        kind=job.kind,
        status=job.status.value,
        done=job.done,
        total=job.total,
        unit=job.unit or None,
        started_at=job.started_at,
    )


def _slowest(slow: Slow) -> SlowestOperations:
    return SlowestOperations(
        since=slow.since,
        until=slow.until,
        operations=[
            SlowOperation(
                operation=one.name,
                method=one.method,
                endpoint=one.endpoint,
                count=one.count,
                p50_ms=one.p50,
                p99_ms=one.p99,
            )
            for one in slow.operations
        ],
    )
