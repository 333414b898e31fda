"""The services over a place: landed and flushed rows, and what a query finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.lake.flush import Flusher, FlushLimits
from shared.lake.segments import SegmentStore
from shared.platform.clock import utc_now
from shared.query.history import History
from shared.query.wanted import RowsWanted
from shared.streams.events import EVENTS
from tests.fakes.seam import Seam, SeamBlobs, SeamLake
from tests.lake.rows import land
from tests.place import Place


class EventLake:
    """Lands, flushes and queries."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._blobs = place.blobs()
        self.segments = SegmentStore(self._blobs)
        self._flusher = Flusher(
            self.segments,
            self._blobs,
            place.lake(),
            place.leases(),
            FlushLimits(rows=10**6, bytes=2**30),
            utc_now,
        )
        self.history = History(self.segments, place.lake())

    def land(self, messages: Sequence[int], topic: str = "events.transaction", partition: int = 0) -> None:
        """One row of each message, one each second from noon on."""
        land(self.segments, messages, topic=topic, partition=partition)

    def flush(self) -> None:
        """Commits what is landed."""
        self._flusher.flush(EVENTS)

    def find(self, wanted: RowsWanted, history: History | None = None) -> list[tuple[str, int, int]]:
        """Type, partition and sequence number of what is found."""
        rows = (history or self.history).page(wanted)
        names = ("event_type", "_partition", "_seq")
        return list(zip(*(rows[name].to_pylist() for name in names), strict=True))

    def history_that(self, meanwhile: Callable[[], None], at: int, after: bool = False) -> History:
        """A history during whose call number `at` of a port `meanwhile` happens."""
        seam = Seam(meanwhile, at, after)
        blobs = SeamBlobs(self._place.blobs(), seam)
        return History(SegmentStore(blobs), SeamLake(self._place.lake(), seam))
