"""LAND on fakes: durable or raised, in bounded segments, under the hub's generation, with alarms."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from shared.ingest.decode_events import EventDecoder
from shared.ingest.land import Landing, LandingLimits, generation_of
from shared.ingest.models import MessageBatch
from shared.lake.segments import Segment, SegmentStore
from shared.platform.errors import BrokerUnavailable, StorageUnavailable
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from tests.fakes import MemoryBlobs, MemoryBroker, MemoryGenerations, MemoryNotices
from tests.fakes.seam import Seam, SeamBlobs
from tests.ingest.batches import TOPIC, batch_of

GOOD, BAD = b'{"data":{}}', b"no event"
PACK = b"[" + b",".join([GOOD] * 3) + b"]"
LIMITS = LandingLimits(segment_bytes=1000, segment_rows=10, bad_share=0.5, bad_minimum=3)


class World:
    """A landing over fakes; `at` is the call of storage that fails."""

    def __init__(self, at: int | None = None, limits: LandingLimits = LIMITS) -> None:
        self.blobs = MemoryBlobs()
        self.broker = MemoryBroker(EVENTS.topics)
        self.notices = MemoryNotices()
        self.seam = Seam(self._fail, at)
        self.landing = Landing(
            SegmentStore(SeamBlobs(self.blobs, self.seam)),
            self.broker,
            MemoryGenerations(),
            self.notices,
            cache(EventDecoder),
            limits,
        )

    def land(self, bodies: list[bytes], first: int = 0, partition: int = 0) -> None:
        asyncio.run(self.landing.land(batch_of(bodies, first=first, partition=partition)))

    def segments(self) -> list[Segment]:
        return SegmentStore(self.blobs).list(EVENTS)

    def dead_letters(self) -> list[Segment]:
        return SegmentStore(self.blobs).list(DEAD_LETTERS)

    def _fail(self) -> None:
        raise StorageUnavailable("struck")


def extents(segments: list[Segment]) -> list[tuple[int, int, int]]:
    return [(segment.first, segment.last, segment.rows) for segment in segments]


@pytest.mark.parametrize(
    ("bodies", "rows", "dead_letters"),
    [
        ([], [], []),
        ([GOOD], [(5, 5, 1)], []),
        ([BAD], [], [(5, 5, 1)]),
        ([GOOD, PACK, GOOD], [(5, 7, 5)], []),
        ([BAD, GOOD, BAD], [(5, 7, 1)], [(5, 7, 2)]),
        ([GOOD] * 25, [(5, 14, 10), (15, 24, 10), (25, 29, 5)], []),
        ([b" " * 600 + GOOD] * 3, [(5, 5, 1), (6, 6, 1), (7, 7, 1)], []),
        ([b" " * 400 + GOOD] * 3, [(5, 6, 2), (7, 7, 1)], []),
        ([b" " * 100_000 + GOOD, GOOD], [(5, 5, 1), (6, 6, 1)], []),
    ],
)
def test_batches_become_bounded_segments(
    bodies: list[bytes], rows: list[tuple[int, int, int]], dead_letters: list[tuple[int, int, int]]
) -> None:
    world = World()
    world.land(bodies, first=5)
    assert extents(world.segments()) == rows
    assert extents(world.dead_letters()) == dead_letters


def test_every_message_is_counted_as_rows_or_as_dead_letters_alone() -> None:
    """One that gave both counts with the rows."""
    world = World()
    mixed = b"[" + GOOD + b"," + BAD + b"]"
    world.land([GOOD, BAD, mixed, PACK, BAD])
    [rows], [dead] = world.segments(), world.dead_letters()
    assert (rows.messages, rows.alone) == (3, None)
    assert (dead.messages, dead.alone) == (3, 2)


def test_gaps_in_the_numbers_are_kept() -> None:
    """A compacted topic, or transactions, leave numbers out."""
    world = World()
    batch = MessageBatch(TOPIC, 0, [GOOD, GOOD], [3, 9], [10**15, 10**15])
    asyncio.run(world.landing.land(batch))
    assert extents(world.segments()) == [(3, 9, 2)]


def test_a_redelivery_writes_the_same_again() -> None:
    world = World()
    world.land([GOOD, BAD, PACK])
    before = dict(world.blobs.content)
    world.land([GOOD, BAD, PACK])
    assert world.blobs.content == before


@pytest.mark.parametrize("at", range(4))
def test_what_is_not_durable_raises_and_comes_again(at: int) -> None:
    bodies = [GOOD, BAD] * 10  # two segments of rows and two of dead letters
    world = World(at)
    with pytest.raises(StorageUnavailable, match="struck"):
        world.land(bodies)
    world.land(bodies)
    assert sum(segment.rows for segment in world.segments()) == 10
    assert sum(segment.rows for segment in world.dead_letters()) == 10


def test_a_broker_that_does_not_answer_lands_nothing() -> None:
    world = World()
    world.broker.down = True
    with pytest.raises(BrokerUnavailable):
        world.land([GOOD])
    assert world.segments() == []
    world.broker.down = False
    world.land([GOOD])
    world.broker.down = True
    world.land([GOOD], first=1)  # it goes on where it was: the hub is the same


def test_a_hub_made_anew_starts_a_generation_and_says_so() -> None:
    world = World()
    world.land([GOOD] * 3)
    world.broker.make(TOPIC)
    world.land([GOOD] * 2)
    generations = {segment.source.generation: segment.rows for segment in world.segments()}
    assert sorted(generations.values()) == [2, 3]
    [(kind, subject, message)] = world.notices.posted
    assert (kind, subject) == ("hub_made_anew", TOPIC)
    assert all(generation in message for generation in generations)


def test_a_hub_made_anew_while_its_first_batch_waits_is_not_taken_for_the_old() -> None:
    world = World(at=0)
    with pytest.raises(StorageUnavailable):
        world.land([GOOD])
    world.broker.make(TOPIC)
    world.land([GOOD])
    [segment] = world.segments()
    assert segment.source.generation == generation_of(world.broker.identity(TOPIC))


@pytest.mark.parametrize(
    ("bodies", "bad", "of"),
    [
        ([BAD] * 3, 3, 3),
        ([BAD] * 3 + [GOOD] * 3, 3, 6),
        ([b"[" + b",".join([b"7"] * 50) + b"]", PACK], 50, 53),
    ],
)
def test_bad_batches_raise_an_alarm(bodies: list[bytes], bad: int, of: int) -> None:
    world = World()
    world.land(bodies)
    assert world.notices.posted == [
        ("bad_batch", TOPIC, f"{bad} of {of} events in a batch of {TOPIC} became dead letters")
    ]


@pytest.mark.parametrize("bodies", [[GOOD], [BAD] * 2, [BAD] * 3 + [PACK, GOOD]])
def test_a_few_bad_events_raise_none(bodies: list[bytes]) -> None:
    world = World()
    world.land(bodies)
    assert world.notices.posted == []
