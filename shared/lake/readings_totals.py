"""The readings' figures in one look: table, buffers and messages, as `/metrics` tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.lake.buffered import Buffered, BufferGauge
from shared.lake.ports import Lake
from shared.lake.segments import SegmentStore
from shared.lake.summary import TableSummary
from shared.lake.totals import totals_of
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.readings import READINGS


@dataclass(frozen=True, slots=True)
class ReadingsTotals:
    """The readings' table and the buffers above it; the messages that were landed, as rows or dead letters,
    those of them with at least one dead letter, and when the broker took the newest that gave a row."""

    table: TableSummary
    buffered: Buffered
    messages_consumed: int
    messages_failed: int
    last_message: datetime | None


def readings_totals(gauge: BufferGauge, segments: SegmentStore, lake: Lake) -> ReadingsTotals:
    """The figures of now; what they cost does not grow with the files. Blocks; raises StorageUnavailable."""
    landed = totals_of(READINGS, segments, lake)
    letters = totals_of(DEAD_LETTERS, segments, lake)
    buffered, table = gauge.read()
    return ReadingsTotals(
        table=table,
        buffered=buffered,
        messages_consumed=sum(
            landed.messages.get(topic, 0) + letters.alone.get(topic, 0) for topic in READINGS.topics
        ),
        messages_failed=sum(letters.messages.get(topic, 0) for topic in READINGS.topics),
        last_message=landed.last_message,
    )
