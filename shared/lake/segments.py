"""Landing segments: the durable buffer between the hub and the Delta tables.

A segment holds rows of one partition in stream order, as Arrow IPC (lz4), and is named by where they stand:
`<topic>/<partition>/<generation>/<first>-<last>.<rows>.<earliest>.<latest>.<messages>.<arrived>.arrow`.
First and last are sequence numbers (no message is split), earliest and latest bound the time column in
microseconds, `messages` is how many messages gave the rows, and `arrived` when the broker took the last of
these: a query opens only the segments that it needs, and the buffer is measured without opening any. Dead
letters have one number more, `.<alone>`: how many of their messages gave no row of their own stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from shared.lake.ports import BlobInfo, Blobs
from shared.streams import StreamDefinition
from shared.streams.models import LANDING_CONTAINER

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DEAD_LETTER_PREFIX = "dead-letters/"


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a partition of a topic in one generation of its hub."""

    topic: str
    partition: int
    generation: str

    @property
    def app_id(self) -> str:
        """The Delta `txn` id under which the progress of this source is kept."""
        return f"{self.topic}/{self.partition}/{self.generation}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's place and extent. `earliest`, `latest` and `arrived` are microseconds since 1970, in UTC;
    `messages` and `arrived` are None in names that do not tell them, `alone` in all but dead letters'."""

    source: Source
    first: int
    last: int
    rows: int
    earliest: int
    latest: int
    size: int = 0
    messages: int | None = None
    arrived: int | None = None
    alone: int | None = None

    def name(self, stream: StreamDefinition) -> str:
        """The blob's name in the landing container."""
        s = self.source
        told = (self.messages, self.arrived, self.alone)
        more = "".join(f".{number}" for number in told if number is not None)
        return (
            f"{prefix_of(stream, s.topic)}{s.partition}/{s.generation}/"
            f"{self.first:020d}-{self.last:020d}.{self.rows}.{self.earliest}.{self.latest}{more}.arrow"
        )


def prefix_of(stream: StreamDefinition, topic: str) -> str:
    """What the names of a topic's segments start with."""
    return f"{topic}/" if topic in stream.topics else f"{DEAD_LETTER_PREFIX}{topic}/"


def parse_name(info: BlobInfo) -> Segment | None:
    """The segment that a blob's name describes, or None for a blob that is no segment."""
    try:
        topic, partition, generation, file = info.name.removeprefix(DEAD_LETTER_PREFIX).split("/")
        extent, rows, earliest, latest, *more, kind = file.split(".")
        first, last = extent.split("-")
        messages, arrived, alone = _told(more)
        segment = Segment(
            Source(topic, int(partition), generation),
            int(first),
            int(last),
            int(rows),
            int(earliest),
            int(latest),
            info.size,
            messages,
            arrived,
            alone,
        )
    except ValueError:
        return None
    return segment if kind == "arrow" else None


def _told(more: Sequence[str]) -> tuple[int | None, int | None, int | None]:
    """Messages, arrival and messages alone, of which names tell none, two or three."""
    if not more:
        return None, None, None
    messages, arrived, *rest = map(int, more)
    if len(rest) > 1:
        raise ValueError("too many numbers")
    return messages, arrived, rest[0] if rest else None


class SegmentStore:
    """Segments in the landing container."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def write(self, stream: StreamDefinition, segment: Segment, rows: pa.RecordBatch) -> None:
        """Makes `rows` durable under the segment's name; writing the same again changes nothing."""
        await self.write_encoded(segment.name(stream), encode(rows))

    async def write_encoded(self, name: str, data: bytes) -> None:
        """`write`, for rows that are encoded already."""
        await self._blobs.put(LANDING_CONTAINER, name, data)

    def read(
        self, stream: StreamDefinition, segment: Segment, columns: Sequence[str] | None = None
    ) -> pa.RecordBatch:
        """The segment's rows, all columns or those named; raises BlobGone when a flush took it. Blocks."""
        return decode(self._blobs.get(LANDING_CONTAINER, segment.name(stream)), columns)

    def list(self, stream: StreamDefinition, topic: str | None = None) -> list[Segment]:
        """The stream's segments, all or those of one topic, each source's in stream order. Blocks."""
        if stream.derived:
            return []
        prefix = _common_prefix(stream) if topic is None else prefix_of(stream, topic)
        blobs = self._blobs.list(LANDING_CONTAINER, prefix)
        segments = [segment for info in blobs if (segment := parse_name(info)) is not None]
        if stream.topics:
            segments = [segment for segment in segments if segment.source.topic in stream.topics]
        return sorted(segments, key=lambda s: (s.source.app_id, s.first, s.last))

    def delete(self, stream: StreamDefinition, segments: Iterable[Segment]) -> None:
        """Deletes segments whose rows are committed. Blocks."""
        self._blobs.delete(LANDING_CONTAINER, [segment.name(stream) for segment in segments])


def describe(
    source: Source,
    rows: pa.RecordBatch,
    stream: StreamDefinition,
    first: int,
    last: int,
    alone: int | None = None,
) -> Segment:
    """The segment that `rows` make, which ascend by `_seq` and came from the messages `first` to `last`; of
    dead letters, `alone` of these gave no row."""
    times, arrivals = _microseconds(rows, stream.time_column), _microseconds(rows, "ingestion_time")
    return Segment(
        source,
        first,
        last,
        rows.num_rows,
        int(times.min()),
        int(times.max()),
        messages=messages_in(rows),
        arrived=int(arrivals.max()),
        alone=alone,
    )


def _microseconds(rows: pa.RecordBatch, column: str) -> np.ndarray[Any, Any]:
    import pyarrow as pa

    counts: np.ndarray[Any, Any] = rows.column(column).view(pa.int64()).to_numpy()
    return counts


def messages_in(rows: pa.RecordBatch) -> int:
    """How many messages gave `rows`, at least one, which ascend by `_seq`."""
    import numpy as np

    return 1 + int(np.count_nonzero(np.diff(rows.column("_seq").to_numpy())))


def encode(rows: pa.RecordBatch) -> bytes:
    """Arrow IPC stream with lz4: written and read back once, at a third of what Parquet costs."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_batch(rows)
    return bytes(sink.getvalue())


def decode(data: bytes, columns: Sequence[str] | None = None) -> pa.RecordBatch:
    """The rows that `encode` wrote; where `columns` are named, only these are unpacked."""
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions()
    if columns is not None:
        with pa.ipc.open_stream(data) as reader:
            options.included_fields = [reader.schema.get_field_index(name) for name in columns]
    with pa.ipc.open_stream(data, options=options) as reader:
        return reader.read_next_batch()


def uncommitted(segments: Sequence[Segment], committed: int) -> list[tuple[Segment, int]]:
    """The segments of one source that hold rows above `committed`, each with the sequence number above which
    its rows count.

    Redelivered batches have other boundaries and overlap; taking each segment only above what the ones before
    it covered gives every row once. `segments` must be in stream order.
    """
    fresh = []
    covered = committed
    for segment in segments:
        if segment.last > covered:
            fresh.append((segment, covered))
            covered = segment.last
    return fresh


def rows_above(rows: pa.RecordBatch, covered: int) -> pa.RecordBatch:
    """Those of `rows`, which ascend by `_seq`, that stand above the sequence number `covered`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sequence = rows.column("_seq")
    if not rows.num_rows or sequence[0].as_py() > covered:
        return rows
    start = pc.sum(pc.less_equal(sequence, pa.scalar(covered, pa.int64()))).as_py()
    return rows.slice(start)


def _common_prefix(stream: StreamDefinition) -> str:
    """One listing serves all topics of a stream: what their prefixes have in common."""
    if not stream.topics:
        return DEAD_LETTER_PREFIX
    lowest, *_, highest = sorted(prefix_of(stream, topic) for topic in (*stream.topics, stream.topics[0]))
    same = (a == b for a, b in zip(lowest, highest, strict=False))
    return lowest[: sum(takewhile(bool, same))]
