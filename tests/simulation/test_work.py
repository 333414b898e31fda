"""Simulations as jobs: every event is sent, whatever dies, and what is sent twice has the same id."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from shared.ingest.publish import EventIntake, PublishLimits
from shared.jobs.models import Status
from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import JOBS_QUEUE
from shared.simulation.models import CHUNK, Simulation
from shared.simulation.work import Simulator
from shared.streams.events import EVENTS
from tests.fakes.broker import MemoryBroker
from tests.fakes.seam import Seam, SeamTables
from tests.jobs.world import JobWorld
from tests.simulation.made import WEEK, texts

SMALL = replace(WEEK, events=2 * CHUNK + 100, end=WEEK.start + timedelta(hours=1), incidents=1)


class _Named(msgspec.Struct):
    event_id: str


_read = msgspec.json.Decoder(list[_Named] | _Named).decode


class Killed(BaseException):
    """The process is gone."""


class World:
    """Jobs that simulate into a broker in memory; `seam` is around tables and broker."""

    def __init__(self, seam: Seam | None = None) -> None:
        self.seam = seam or Seam(lambda: None)
        self.jobs = JobWorld(simulate=self.simulator().handle)
        self.broker = MemoryBroker(EVENTS.topics)

    def simulator(self) -> Simulator:
        """As a new process has it."""
        limits = PublishLimits(event_bytes=10_000, batch_events=1_000, pack_bytes=256 * 1024)
        return Simulator(EventIntake(_Struck(self), limits, lambda: self.jobs.clock()), 1_000)

    def begin(self, simulation: Simulation) -> str:
        """Starts the job and runs it once, as far as it gets."""
        job = self.jobs.jobs().start("simulate", simulation.parameters()).job
        for job_id in self.jobs.queues.take(JOBS_QUEUE):
            with suppress(Killed, StorageUnavailable):
                self.jobs.runner("one", SeamTables(self.jobs.tables, self.seam)).run(job_id)
        return job.id

    def sent(self) -> Counter[str]:
        """How often each event was sent, by id."""
        found: Counter[str] = Counter()
        for partitions in self.broker.messages.values():
            for message in (message for partition in partitions for message in partition):
                read = _read(message.value)
                found.update(event.event_id for event in (read if isinstance(read, list) else [read]))
        return found


class _Struck:
    """The world's broker, behind its seam."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def partitions(self, topic: str) -> int:
        return await self._world.broker.partitions(topic)

    async def publish(self, messages):  # type: ignore[no-untyped-def]
        with self._world.seam.call("publish"):
            return await self._world.broker.publish(messages)


def ids(simulation: Simulation) -> set[str]:
    return {
        event.event_id for text in texts(simulation) for event in msgspec.json.decode(text, type=list[_Named])
    }


def test_a_job_sends_each_event_once_and_tells_how_far_it_is() -> None:
    world = World()
    job = world.jobs.jobs().get(world.begin(SMALL))
    assert (job.status, job.done, job.total) == (Status.SUCCEEDED, SMALL.events, SMALL.events)
    assert job.outcome == {"events_generated": SMALL.events}
    assert world.sent() == Counter(ids(SMALL))


async def test_in_place_it_is_the_same() -> None:
    world = World()
    await world.simulator().run(SMALL)
    assert world.sent() == Counter(ids(SMALL))


@pytest.mark.parametrize("error", [Killed, StorageUnavailable], ids=["kill", "failure"])
def test_a_job_that_dies_anywhere_sends_all_and_little_twice(error: type[BaseException]) -> None:
    expected = ids(SMALL)

    def survive(at: int | None) -> list[str]:
        def strike() -> None:
            raise error("struck")

        world = World(Seam(strike, at))
        begun = world.begin(SMALL)
        job = world.jobs.finished(world.jobs.jobs().get(begun))
        assert job.status is Status.SUCCEEDED
        sent = world.sent()
        assert sent.keys() == expected
        assert sent.total() - len(sent) <= CHUNK
        assert max(sent.values()) <= 2
        assert world.jobs.jobs().totals("simulate")["events_generated"] == SMALL.events
        return world.seam.calls

    calls = survive(None)
    assert calls.count("publish") == 11
    # A batch in the first and in the second chunk, and every write between the two.
    batches = [at for at, call in enumerate(calls) if call == "publish"]
    writes = [at for at, call in enumerate(calls) if call.startswith(("replace", "insert"))]
    for at in [batches[2], batches[7], *(writes if error is Killed else writes[1:3])]:
        survive(at)


def test_while_the_broker_is_away_the_job_waits() -> None:
    world = World()
    world.broker.down = True
    begun = world.begin(SMALL)
    waiting = world.jobs.jobs().get(begun)
    assert waiting.status is Status.QUEUED
    assert "broker" in (waiting.error or "")
    world.broker.down = False
    assert world.jobs.finished(waiting).status is Status.SUCCEEDED
    assert world.sent() == Counter(ids(SMALL))


def test_what_was_sent_before_it_was_cancelled_stays_counted() -> None:
    world = World()

    def cancel() -> None:
        world.jobs.jobs().cancel(job_id)

    world.seam.strike, world.seam.at = cancel, 4
    job_id = world.jobs.jobs().start("simulate", SMALL.parameters()).job.id
    for one in world.jobs.queues.take(JOBS_QUEUE):
        world.jobs.runner("one", SeamTables(world.jobs.tables, world.seam)).run(one)
    job = world.jobs.jobs().get(job_id)
    assert job.status is Status.CANCELLED
    assert world.seam.calls[4] == "publish"
    assert job.outcome["events_generated"] == world.sent().total() == CHUNK
