"""Segments: their names, and which of their rows count."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lake.ports import BlobGone, BlobInfo
from shared.lake.segments import (
    Segment,
    SegmentStore,
    Source,
    decode,
    describe,
    encode,
    parse_name,
    rows_above,
    uncommitted,
)
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER
from tests.fakes import MemoryBlobs
from tests.lake.rows import NOON, TOPIC, event_rows, land

_EXTENT = (7, 19, 5, -62_135_596_800_000_000, 253_402_300_799_999_999, 42)
SEGMENT = Segment(Source(TOPIC, 3, "ab12cd34"), *_EXTENT, messages=4, arrived=99)
DEAD = Segment(Source(TOPIC, 3, "ab12cd34"), *_EXTENT, messages=4, arrived=99, alone=0)
# Named before names told messages and their arrival.
EARLIER = Segment(Source(TOPIC, 3, "ab12cd34"), *_EXTENT)


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (EVENTS, f"{TOPIC}/3/ab12cd34/"),
        (DEAD_LETTERS, f"dead-letters/{TOPIC}/3/ab12cd34/"),
    ],
)
def test_names_tell_where_and_when(stream: object, name: str) -> None:
    extent = f"{name}00000000000000000007-00000000000000000019.5.-62135596800000000.253402300799999999"
    told = {SEGMENT: f"{extent}.4.99.arrow", DEAD: f"{extent}.4.99.0.arrow", EARLIER: f"{extent}.arrow"}
    for segment, text in told.items():
        assert segment.name(stream) == text  # type: ignore[arg-type]
        assert parse_name(BlobInfo(text, 42)) == segment


def test_a_description_tells_messages_and_their_arrival() -> None:
    rows = event_rows([(3, 0), (3, 1), (5, 0), (9, 0)])
    segment = describe(Source(TOPIC, 0, "g"), rows, EVENTS, 2, 9)
    assert (segment.rows, segment.messages, segment.arrived) == (4, 3, NOON + 9)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "a/b/c/d",
        f"{TOPIC}/0/g/1-2.3.4.5.parquet",
        f"{TOPIC}/0/g/1-2.3.4.arrow",
        f"{TOPIC}/0/g/1-2.3.4.5.6.arrow",
        f"{TOPIC}/0/g/1-2.3.4.5.6.x.arrow",
        f"{TOPIC}/0/g/1-2.3.4.5.6.7.8.9.arrow",
        f"{TOPIC}/x/g/1-2.3.4.5.arrow",
        f"{TOPIC}/0/g/1.2.3.4.arrow",
        f"{TOPIC}/0/g/more/1-2.3.4.5.arrow",
    ],
)
def test_other_blobs_are_no_segments(name: str) -> None:
    assert parse_name(BlobInfo(name, 1)) is None


def test_a_listing_holds_the_streams_own_segments_in_stream_order() -> None:
    blobs = MemoryBlobs()
    segments = SegmentStore(blobs)
    for topic, partition, messages in (
        ("events.transaction", 10, (0, 1)),
        ("events.transaction", 2, (100, 101)),
        ("events.transaction", 2, (9, 10)),
        ("events.error", 0, (5,)),
    ):
        land(segments, messages, topic=topic, partition=partition)
    rows = event_rows([(1, 0)])
    foreign = describe(Source("events.unknown", 0, "g"), rows, EVENTS, 1, 1)
    asyncio.run(segments.write(DEAD_LETTERS, foreign, rows))
    blobs.put_blocking(LANDING_CONTAINER, "events.unknown/0/g/1-1.1.0.0.arrow", b"")
    blobs.put_blocking(LANDING_CONTAINER, "events.notes", b"")
    found = [(s.source.topic, s.source.partition, s.first, s.rows) for s in segments.list(EVENTS)]
    assert found == [
        ("events.error", 0, 5, 1),
        ("events.transaction", 10, 0, 2),
        ("events.transaction", 2, 9, 2),
        ("events.transaction", 2, 100, 2),
    ]
    assert [s.source.topic for s in segments.list(DEAD_LETTERS)] == ["events.unknown"]


def test_what_is_written_is_read_until_it_is_deleted() -> None:
    segments = SegmentStore(MemoryBlobs())
    land(segments, range(5, 9))
    [segment] = segments.list(EVENTS)
    assert segments.read(EVENTS, segment).equals(event_rows([(seq, 0) for seq in range(5, 9)]))
    segments.delete(EVENTS, [segment])
    segments.delete(EVENTS, [segment])
    assert segments.list(EVENTS) == []
    with pytest.raises(BlobGone):
        segments.read(EVENTS, segment)


def test_segments_keep_every_value() -> None:
    rows = event_rows([(0, 0), (0, 1), (7, 0)], [-1, -62_135_596_800_000_000, 253_402_300_799_999_999])
    assert decode(encode(rows)).equals(rows)


# Deliveries of one partition: [first, last] each, with the messages up to the last all sent before.
_deliveries = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=8)


@given(_deliveries, st.integers(-1, 40), st.sets(st.integers(0, 40)))
def test_overlapping_deliveries_give_each_row_once(
    deliveries: list[tuple[int, int]], committed: int, empty: set[int]
) -> None:
    """`empty` messages gave no row; the others two, but for those of one place."""
    spans = sorted((first, first + more) for first, more in deliveries)
    content = {}
    for first, last in spans:
        places = [(seq, idx) for seq in range(first, last + 1) if seq not in empty for idx in range(seq % 3)]
        content[first, last] = event_rows(places)
    segments = [
        Segment(Source(TOPIC, 0, "g"), first, last, content[first, last].num_rows, 0, 0)
        for first, last in spans
    ]
    found = [
        (row["_seq"], row["_idx"])
        for segment, covered in uncommitted(segments, committed)
        for row in rows_above(content[segment.first, segment.last], covered).to_pylist()
    ]
    expected = {
        (row["_seq"], row["_idx"])
        for rows in content.values()
        for row in rows.to_pylist()
        if row["_seq"] > committed
    }
    assert sorted(found) == sorted(expected)


@given(st.lists(st.integers(0, 50)).map(sorted), st.integers(-1, 60))
def test_rows_above(numbers: list[int], covered: int) -> None:
    rows = rows_above(event_rows([(seq, idx) for idx, seq in enumerate(numbers)]), covered)
    assert rows["_seq"].to_pylist() == [seq for seq in numbers if seq > covered]
