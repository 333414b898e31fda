"""Totals and buffers: the same before and after a flush, whatever was delivered twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lake.buffered import Buffered, BufferGauge
from shared.lake.flush import FlushLimits
from shared.lake.ports import BlobGone
from shared.lake.readings_totals import readings_totals
from shared.lake.schema import row_schema
from shared.lake.segments import SegmentStore, Source, describe
from shared.lake.totals import totals_of
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER
from shared.streams.readings import READINGS
from tests.lake.rows import NOON, SECOND, event_rows
from tests.lake.rows import land as land_events
from tests.lake.world import World

TOPIC = "sensor-data"
MINUTE = 60 * SECOND

# Asset, sensor, and seconds after noon.
type Reading = tuple[str, str, int]


def readings(first: int, given: Sequence[Reading]) -> pa.RecordBatch:
    """A row for each reading, of the messages from `first` on."""
    columns: dict[str, list[object]] = {name: [None] * len(given) for name in row_schema(READINGS).names}
    columns |= {
        "asset_id": [asset for asset, _, _ in given],
        "sensor_id": [sensor for _, sensor, _ in given],
        "timestamp": [NOON + seconds * SECOND for _, _, seconds in given],
        "ingestion_time": [NOON + first + number for number in range(len(given))],
        "_partition": [0] * len(given),
        "_seq": [first + number for number in range(len(given))],
        "_idx": [0] * len(given),
    }
    schema = row_schema(READINGS)
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def land(segments: SegmentStore, first: int, given: Sequence[Reading]) -> None:
    rows = readings(first, given)
    last = first + len(given) - 1
    segment = describe(Source(TOPIC, 0, "g1"), rows, READINGS, first, last)
    asyncio.run(segments.write(READINGS, segment, rows))


def gauge(world: World) -> BufferGauge:
    return BufferGauge(READINGS, world.segments, world.lake)


def test_messages_are_counted_from_landing_on_and_once() -> None:
    world = World()
    land_events(world.segments, range(10), rows_in=[0, 1, 2, 4, 9])
    land_events(world.segments, range(5, 15))
    land_events(world.segments, range(3), partition=1)
    asyncio.run(_land_pack(world))
    before = totals_of(EVENTS, world.segments, world.lake)
    # The second delivery overlaps the first by five messages; the pack is one message of four rows.
    assert before.messages == {"events.transaction": 5 + 5 + 3, "events.error": 1}
    world.flusher().flush(EVENTS)
    after = totals_of(EVENTS, world.segments, world.lake)
    assert after.messages == before.messages
    assert after.last_message == before.last_message == datetime(2025, 9, 30, 12, 0, 0, 14, UTC)
    assert before.table.files == 0
    assert after.table.files == 2


async def _land_pack(world: World) -> None:
    rows = event_rows([(7, idx) for idx in range(4)], topic="events.error")
    segment = describe(Source("events.error", 0, "g1"), rows, EVENTS, 7, 7)
    await world.segments.write(EVENTS, segment, rows)


def test_nothing_landed_is_nothing() -> None:
    world = World()
    found = totals_of(EVENTS, world.segments, world.lake)
    assert (found.messages, found.last_message, found.table.version) == ({}, None, -1)
    assert gauge(world).read()[0] == Buffered()


def test_a_buffer_for_each_asset_and_sensor() -> None:
    world = World()
    land(world.segments, 0, [("a", "x", 0), ("a", "x", 59), ("a", "x", 60), ("a", "y", 30), ("b", "x", 0)])
    land(world.segments, 5, [("a", "x", 119), ("a", "y", 10), ("b", "x", -1)])
    found, table = gauge(world).read()
    # Newest minutes: a/x the second (two rows), a/y the first (two), b/x the first (one).
    assert found == Buffered(buffers=3, rows=8, minute_buffers=3, minute_rows=5)
    assert table.version == -1
    world.flusher().flush(READINGS)
    found, table = gauge(world).read()
    assert found == Buffered()
    assert {key: share.files for key, share in (table.keys or {}).items()} == {"a": 2, "b": 2}


def test_the_gauge_follows_what_lands_and_is_flushed() -> None:
    world = World()
    measured = gauge(world)
    land(world.segments, 0, [("a", "x", 0), ("a", "x", 1)])
    assert measured.read()[0].rows == 2
    land(world.segments, 1, [("a", "x", 1), ("a", "z", 2)])  # overlaps by one message
    assert measured.read()[0] == Buffered(buffers=2, rows=3, minute_buffers=2, minute_rows=3)
    world.flusher(FlushLimits(rows=1, bytes=1)).flush(READINGS)
    assert measured.read()[0] == Buffered()


class CountingBlobs:
    """Blobs of a world that count what is read, and can lose one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reads: list[str] = []
        self.flush_first = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._world.blobs, name)

    def get(self, container: str, name: str) -> bytes:
        if container == LANDING_CONTAINER:
            self.reads.append(name)
            if self.flush_first:
                self.flush_first = False
                self._world.flusher().flush(READINGS)
                raise BlobGone(name)
        return self._world.blobs.get(container, name)


def test_a_segment_is_opened_once() -> None:
    world = World()
    blobs = CountingBlobs(world)
    measured = BufferGauge(READINGS, SegmentStore(blobs), world.lake)  # type: ignore[arg-type]
    for first in range(3):
        land(world.segments, first, [("a", "x", first)])
        assert measured.read()[0].rows == first + 1
    assert len(blobs.reads) == len(set(blobs.reads)) == 3


def test_a_flush_while_the_buffer_is_read() -> None:
    world = World()
    blobs = CountingBlobs(world)
    measured = BufferGauge(READINGS, SegmentStore(blobs), world.lake)  # type: ignore[arg-type]
    land(world.segments, 0, [("a", "x", 0)])
    blobs.flush_first = True
    found, table = measured.read()
    assert (found.rows, table.files) == (0, 1)


def test_digests_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.lake.digests._KEPT_LINES", 2)
    world = World()
    blobs = CountingBlobs(world)
    measured = BufferGauge(READINGS, SegmentStore(blobs), world.lake)  # type: ignore[arg-type]
    for first in range(4):
        land(world.segments, first, [("a", f"s{first}", 0)])
    for _ in range(2):
        assert measured.read()[0].rows == 4
    assert 4 < len(blobs.reads) <= 8


_sent = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from("xyz"), st.integers(-90, 200)),
        min_size=1,
        max_size=6,
    ),
    max_size=5,
)


@given(_sent)
def test_buffers_as_counted_by_hand(sent: list[list[Reading]]) -> None:
    world = World()
    first = 0
    for given_readings in sent:
        land(world.segments, first, given_readings)
        first += len(given_readings)
    rows = [reading for batch in sent for reading in batch]
    newest = {(a, s): max(t // 60 for x, y, t in rows if (x, y) == (a, s)) for a, s, _ in rows}
    count = Counter((a, s) for a, s, _ in rows)
    in_minute = sum(t // 60 == newest[a, s] for a, s, t in rows)
    found, _ = gauge(world).read()
    assert found == Buffered(len(count), len(rows), len(count), in_minute)


def test_the_readings_figures_together() -> None:
    """Five messages: two readings, one of a reading and a dead letter, and two that gave none."""
    world = World()
    land(world.segments, 0, [("a", "x", 0), ("a", "y", 1), ("a", "y", 2)])
    dead = [2, 3, 4]
    letters = {name: [None] * len(dead) for name in row_schema(DEAD_LETTERS).names} | {
        "topic": [TOPIC] * len(dead),
        "reason": ["not_json"] * len(dead),
        "body": [b"{"] * len(dead),
        "items": [1] * len(dead),
        "ingestion_time": [NOON] * len(dead),
        "_partition": [0] * len(dead),
        "_seq": dead,
        "_idx": [0] * len(dead),
    }
    schema = row_schema(DEAD_LETTERS)
    rows = pa.RecordBatch.from_arrays([pa.array(letters[f.name], f.type) for f in schema], schema=schema)
    segment = describe(Source(TOPIC, 0, "g1"), rows, DEAD_LETTERS, 0, 4, alone=2)
    asyncio.run(world.segments.write(DEAD_LETTERS, segment, rows))
    for flushed in (False, True):
        if flushed:
            world.flusher().flush_all()
        found = readings_totals(gauge(world), world.segments, world.lake)
        assert (found.messages_consumed, found.messages_failed) == (5, 3)
        assert found.last_message == datetime(2025, 9, 30, 12, 0, 0, 2, UTC)
        assert (found.buffered.rows, found.table.files) == ((0, 2) if flushed else (3, 0))
