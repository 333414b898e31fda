"""Rows of events for tests of the lake, made without decoding."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pyarrow as pa

from shared.lake.schema import row_schema
from shared.lake.segments import SegmentStore, Source, describe
from shared.streams.events import EVENTS, event_type_of
from shared.streams.readings import READINGS

TOPIC = "events.transaction"
# 2025-09-30T12:00:00Z
NOON = 1_759_233_600_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND

# Where a row stands: sequence number and place in a packed message.
type Place = tuple[int, int]


def event_rows(
    places: Sequence[Place], times: Sequence[int] | None = None, *, topic: str = TOPIC, partition: int = 0
) -> pa.RecordBatch:
    """A row for each place; without `times` (µs) one each second from noon on."""
    event_type = event_type_of(topic)
    moments = [NOON + seq * SECOND for seq, _ in places] if times is None else list(times)
    count = len(places)
    columns: dict[str, list[object]] = {
        "event_id": [f"{event_type}-{partition}-{seq}-{idx}" for seq, idx in places],
        "event_type": [event_type] * count,
        "timestamp": list(moments),
        "user_id": [f"user-{seq % 7}" for seq, _ in places],
        "region": [None] * count,
        "value": [float(seq) for seq, _ in places],
        "data": ["{}"] * count,
        "metadata": [None] * count,
        "ingestion_time": [NOON + seq for seq, _ in places],
        "_partition": [partition] * count,
        "_seq": [seq for seq, _ in places],
        "_idx": [idx for _, idx in places],
    }
    schema = row_schema(EVENTS)
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def reading_rows(
    sensors: Sequence[str],
    times: Sequence[int],
    *,
    assets: Sequence[str] | None = None,
    first: int = 0,
    partition: int = 0,
) -> pa.RecordBatch:
    """A reading for each sensor and time (µs), as messages of their own from `first` on."""
    count = len(sensors)
    columns: dict[str, list[object]] = {
        "asset_id": ["plant"] * count if assets is None else list(assets),
        "sensor_id": list(sensors),
        "timestamp": list(times),
        "value": [float(number) for number in range(first, first + count)],
        "value_text": [None] * count,
        "unit": ["°C"] * count,
        "quality": ["good"] * count,
        "attributes": [None] * count,
        "ingestion_time": [NOON + seq for seq in range(first, first + count)],
        "_partition": [partition] * count,
        "_seq": list(range(first, first + count)),
        "_idx": [0] * count,
    }
    schema = row_schema(READINGS)
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def land(
    segments: SegmentStore,
    messages: Iterable[int],
    *,
    topic: str = TOPIC,
    partition: int = 0,
    generation: str = "g1",
    rows_in: Sequence[int] | None = None,
) -> None:
    """Writes one segment of `messages`, one row each; with `rows_in` only those gave a row."""
    numbers = list(messages)
    rows = event_rows(
        [(seq, 0) for seq in (numbers if rows_in is None else rows_in)], topic=topic, partition=partition
    )
    segment = describe(Source(topic, partition, generation), rows, EVENTS, numbers[0], numbers[-1])
    asyncio.run(segments.write(EVENTS, segment, rows))
