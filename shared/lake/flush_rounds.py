"""What one commit of the flush takes: segments, and of each the rows that count in the stream's table and in
the one that follows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from shared.lake.segments import Segment, messages_in, rows_above, uncommitted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FreshSegment:
    """A segment with rows that are not committed yet: those above the sequence number `covered` in the
    stream's table, those above `followed` in the table that follows it."""

    segment: Segment
    covered: int
    followed: int


@dataclass(slots=True)
class FlushRound:
    """What goes into one commit. `reached` is where the following table stands."""

    reached: dict[str, int]
    batches: list[pa.RecordBatch] = field(default_factory=list)
    following: list[pa.RecordBatch] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    progress: dict[str, int] = field(default_factory=dict)
    followed: dict[str, int] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    last_message: int = 0
    rows: int = 0
    size: int = 0

    def add(self, fresh: FreshSegment, rows: pa.RecordBatch) -> None:
        """Takes a segment in; `rows` are those above the lower one of its two numbers."""
        segment, app_id = fresh.segment, fresh.segment.source.app_id
        self.segments.append(segment)
        self.size += rows.nbytes
        new = rows_above(rows, fresh.covered)
        if new.num_rows:
            self.batches.append(new)
            self.progress[app_id] = segment.last
            self._count(segment, new)
        following = rows_above(rows, fresh.followed)
        if following.num_rows:
            self.following.append(following)
            self.followed[app_id] = segment.last

    def _count(self, segment: Segment, rows: pa.RecordBatch) -> None:
        self.rows += rows.num_rows
        messages = messages_in(rows)
        self.messages[segment.source.topic] += messages
        if segment.alone is not None:
            self.alone[segment.source.topic] += min(segment.alone, messages)
        self.last_message = max(self.last_message, _latest_ingestion(rows))

    def ranges(self) -> dict[str, tuple[int, int]]:
        """The first and the last sequence number of the segments taken, by source."""
        found: dict[str, tuple[int, int]] = {}
        for segment in self.segments:
            first, last = found.get(segment.source.app_id, (segment.first, segment.last))
            found[segment.source.app_id] = (min(first, segment.first), max(last, segment.last))
        return found

    def notes(self) -> dict[str, Any]:
        """What the log entry says of this commit: rows, messages that gave any (by topic), when the broker
        took the last of them (µs since 1970); of dead letters, how many messages gave no row (by topic)."""
        return {
            "kind": "flush",
            "rows": self.rows,
            "messages": dict(self.messages),
            "last_message": self.last_message,
            **({"alone": dict(self.alone)} if self.alone else {}),
        }


def sorted_out(
    segments: Sequence[Segment], progress: Mapping[str, int], reached: Mapping[str, int]
) -> tuple[list[FreshSegment], list[Segment]]:
    """The segments with rows that one of two tables does not have yet, and the others.

    `progress` is how far the stream's table is, `reached` how far the one that follows it; without one they
    are the same.
    """
    fresh: list[FreshSegment] = []
    done: list[Segment] = []
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        ordered = list(group)
        covered = dict(uncommitted(ordered, progress[app_id]))
        followed = dict(uncommitted(ordered, reached[app_id]))
        for segment in ordered:
            if segment in covered or segment in followed:
                last = segment.last
                fresh.append(FreshSegment(segment, covered.get(segment, last), followed.get(segment, last)))
            else:
                done.append(segment)
    return fresh, done


def _latest_ingestion(rows: pa.RecordBatch) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    return int(pc.max(rows.column("ingestion_time").cast(pa.int64())).as_py())
