"""A flush by hand waits for what the broker has, and not for ever."""

from __future__ import annotations

import asyncio
import json

import pytest

from shared.ingest.catch_up import CatchUp
from shared.ingest.decode_events import EventDecoder
from shared.ingest.land import Landing, LandingLimits
from shared.ingest.models import MessageBatch
from shared.ingest.ports import OutgoingMessage
from shared.lake.segments import SegmentStore
from shared.platform.errors import Unavailable
from shared.streams import STREAMS, all_topics
from shared.streams.events import EVENTS
from tests.fakes import MemoryBlobs, MemoryBroker, MemoryGenerations, MemoryLake, MemoryNotices

TOPIC = EVENTS.topics[0]
LIMITS = LandingLimits(segment_bytes=1 << 20, segment_rows=1000, bad_share=0.5, bad_minimum=10)
BODIES = [json.dumps({"data": {"n": 1}}).encode(), b"no event"]


class World:
    """A broker with messages, and processes that land them."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(all_topics())
        self.segments = SegmentStore(MemoryBlobs())
        self.lake = MemoryLake()

    def process(self) -> tuple[Landing, CatchUp]:
        landing = Landing(
            self.segments, self.broker, MemoryGenerations(), MemoryNotices(), EventDecoder, LIMITS
        )
        return landing, CatchUp(self.broker, self.broker, landing, self.segments, self.lake)

    async def send(self) -> None:
        await self.broker.publish([OutgoingMessage(TOPIC, 2, None, body) for body in BODIES])


@pytest.fixture
def world() -> World:
    return World()


def batch() -> MessageBatch:
    return MessageBatch(TOPIC, 2, BODIES, range(len(BODIES)), [1_700_000_000_000_000] * len(BODIES))


async def test_nothing_to_wait_for(world: World) -> None:
    _, catch_up = world.process()
    assert await catch_up.wait([EVENTS], 0)


async def test_it_waits_until_the_messages_are_landed(world: World) -> None:
    landing, catch_up = world.process()
    await world.send()
    waiting = asyncio.create_task(catch_up.wait([EVENTS], 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await landing.land(batch())
    assert await waiting


async def test_what_another_process_landed_counts(world: World) -> None:
    """Its last message is a dead letter: segments of both streams tell how far it came."""
    landing, _ = world.process()
    await world.send()
    await landing.land(batch())
    assert await world.process()[1].wait([EVENTS], 0)


async def test_it_gives_up(world: World) -> None:
    _, catch_up = world.process()
    await world.send()
    assert not await catch_up.wait([EVENTS], 0)


async def test_a_broker_that_does_not_answer_stops_no_flush(world: World) -> None:
    _, catch_up = world.process()
    world.broker.down = True
    assert not await catch_up.wait([EVENTS], 60)


async def test_the_lag_is_what_nobody_landed(world: World) -> None:
    landing, catch_up = world.process()
    assert catch_up.lag(STREAMS) == {"events": 0, "readings": 0}
    await world.send()
    await world.send()
    assert catch_up.lag(STREAMS) == {"events": 2 * len(BODIES), "readings": 0}
    await landing.land(batch())
    # Another process knows it from storage, though the last message gave no row.
    assert catch_up.lag(STREAMS) == world.process()[1].lag(STREAMS) == {"events": len(BODIES), "readings": 0}


async def test_the_lag_is_unknown_while_the_broker_is_silent(world: World) -> None:
    world.broker.down = True
    with pytest.raises(Unavailable):
        world.process()[1].lag(STREAMS)
