"""How many events there were in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.lake.digests import SegmentDigests
from shared.lake.ports import BlobGone, Lake
from shared.lake.segments import SegmentStore
from shared.lake.totals import fresh
from shared.platform.errors import StorageUnavailable
from shared.streams import TABLES
from shared.streams.events import EVENTS

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 10


class EventTotals:
    """Durable totals, from what the tables' logs add up to. Every method blocks, and raises
    StorageUnavailable."""

    def __init__(self, segments: SegmentStore, lake: Lake) -> None:
        self._segments = segments
        self._lake = lake
        self._digests = SegmentDigests(EVENTS, segments, (), _counted)

    def events(self) -> int:
        """Events that were acknowledged and landed, ever; those that are past their retention too."""
        for _ in range(_ATTEMPTS):
            landed = self._segments.list(EVENTS)
            table = self._lake.table(EVENTS).summary({segment.source.app_id for segment in landed})
            committed = sum(table.total(kind, "rows") for kind in ("flush", "replay"))
            try:
                counts = self._digests.of([*fresh(landed, table.progress)])
            except BlobGone:  # committed in between: a newer summary tells
                continue
            return committed + sum(int(count["rows"][0].as_py()) for count in counts)
        raise StorageUnavailable("the buffer kept changing while it was read", retry_after=1)

    def bytes(self) -> int:
        """Bytes of the live files of all tables."""
        return sum(self._lake.table(table).summary().bytes for table in TABLES)


def _counted(rows: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.table({"rows": pa.array([rows.num_rows], pa.int64())})
