"""Rows out of the lake and the landing segments together, each acknowledged one once.

The order of reading makes it so: first the segments are listed, then the newest snapshot is taken, then the
rows of segments above the snapshot's progress are added. A segment that is gone when it is opened was
committed in between, and a data file replaced by others; then a newer snapshot holds the rows, and reading
starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from shared.lake.ports import BlobGone, Blobs, Lake, Snapshot
from shared.lake.schema import row_schema
from shared.lake.segments import Segment, SegmentStore, rows_above, uncommitted
from shared.platform.errors import StorageUnavailable
from shared.query.committed import CommittedRows
from shared.query.scan import first_rows, matching
from shared.query.wanted import RowsWanted
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 10

# A segment that is not in a snapshot, and the sequence number above which its rows count.
type Fresh = tuple[Segment, int]


class History:
    """Queries over all rows that were landed."""

    def __init__(self, segments: SegmentStore, lake: Lake, blobs: Blobs) -> None:
        self._segments = segments
        self._lake = lake
        self._committed = CommittedRows(blobs)

    def page(self, wanted: RowsWanted, depends_on: Callable[..., None] | None = None) -> pa.Table:
        """The page that `wanted` asks for, in the schema of the stream's rows. Blocks.

        `depends_on` is called before rows are read, with what the page depends on: as long as that is the
        same, so is the page. What it raises ends the query. Raises StorageUnavailable when storage does not
        answer, BadRequest where the page would be larger than `wanted` allows.
        """

        def read(fresh: list[Fresh], snapshot: Snapshot) -> pa.Table:
            if depends_on is not None:
                depends_on(snapshot.version, *_names(fresh, wanted))
            landed = first_rows(self._pieces(wanted, fresh), wanted, row_schema(wanted.stream).empty_table())
            return self._committed.first(wanted, snapshot, landed).slice(wanted.offset)

        return self.read(wanted.stream, read, wanted.topic)

    def read[Answer](
        self,
        stream: StreamDefinition,
        answer: Callable[[list[Fresh], Snapshot], Answer],
        topic: str | None = None,
    ) -> Answer:
        """What `answer` makes of the segments above the newest snapshot, and of that snapshot: together they
        hold each row of the stream (or of one topic of it) once.

        `answer` is called again when what it opens is gone, so it must begin anew each time.
        Raises StorageUnavailable. Blocks.
        """
        for _ in range(_ATTEMPTS):
            segments = self._segments.list(stream, topic)
            snapshot = self._lake.table(stream).snapshot({s.source.app_id for s in segments})
            try:
                return answer([*_fresh(segments, snapshot)], snapshot)
            except BlobGone:
                continue
        raise StorageUnavailable("the buffer kept changing while it was read", retry_after=1)

    def _pieces(self, wanted: RowsWanted, fresh: Sequence[Fresh]) -> Iterator[_SegmentPiece]:
        return (_SegmentPiece(self._segments, wanted, *item) for item in fresh)


@dataclass(frozen=True, slots=True)
class _SegmentPiece:
    """A landing segment above the sequence number `covered`, as a piece of a scan."""

    segments: SegmentStore
    wanted: RowsWanted
    segment: Segment
    covered: int

    @property
    def earliest(self) -> int:
        return self.segment.earliest

    @property
    def latest(self) -> int:
        return self.segment.latest

    @property
    def rows(self) -> int:
        return self.segment.rows

    @property
    def weight(self) -> int:
        return self.segment.size

    def open(self) -> pa.Table:
        """See Piece; raises BlobGone when a flush took it."""
        rows = self.segments.read(self.wanted.stream, self.segment)
        return matching(rows_above(rows, self.covered), self.wanted)


def _fresh(segments: Sequence[Segment], snapshot: Snapshot) -> Iterator[Fresh]:
    for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
        yield from uncommitted(list(group), snapshot.progress(app_id))


def _names(fresh: Sequence[Fresh], wanted: RowsWanted) -> list[str]:
    """What tells apart the rows that may be wanted and are not in the snapshot: segments never change."""
    return [
        f"{segment.name(wanted.stream)} above {covered}"
        for segment, covered in fresh
        if wanted.overlaps(segment.earliest, segment.latest)
    ]
