"""Durable totals of a stream: what its table's log adds up to, and what is landed but not committed yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from shared.lake.ports import Lake
from shared.lake.segments import Segment, SegmentStore, uncommitted
from shared.lake.summary import TableSummary
from shared.streams import StreamDefinition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StreamTotals:
    """A stream as of one moment.

    `messages` counts by topic those that gave rows, each once, from the moment that it is landed;
    `last_message` is when the broker took the newest of them. Of dead letters, `alone` counts the messages
    that gave no row of their own stream.
    """

    table: TableSummary
    messages: Mapping[str, int]
    alone: Mapping[str, int]
    last_message: datetime | None


def totals_of(stream: StreamDefinition, segments: SegmentStore, lake: Lake) -> StreamTotals:
    """The totals of `stream`; one listing and the newest entries of the log. Blocks.

    Raises StorageUnavailable. A redelivery that overlaps segments before it is counted by the span of
    sequence numbers that is new, until the flush counts its rows.
    """
    landed = segments.list(stream)
    table = lake.table(stream).summary({segment.source.app_id for segment in landed})
    messages, alone = Counter(table.messages), Counter(table.alone)
    last = table.last_message
    for segment, covered in fresh(landed, table.progress):
        new = _messages_above(segment, covered)
        messages[segment.source.topic] += new
        alone[segment.source.topic] += min(segment.alone or 0, new)
        if segment.arrived is not None:
            last = max(last or segment.arrived, segment.arrived)
    moment = None if last is None else _EPOCH + timedelta(microseconds=last)
    return StreamTotals(table, messages, alone, moment)


def fresh(segments: Sequence[Segment], progress: Mapping[str, int]) -> Iterator[tuple[Segment, int]]:
    """Of segments in the order of their listing those with rows above `progress`, and above which sequence
    number these count."""
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        yield from uncommitted(list(group), progress.get(app_id, -1))


def _messages_above(segment: Segment, covered: int) -> int:
    span = segment.last - max(segment.first - 1, covered)
    return min(span, segment.rows if segment.messages is None else segment.messages)
