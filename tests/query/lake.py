"""The services over a place: landed and flushed rows, and what a query finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from shared.ingest.decode_readings import ReadingDecoder
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.segments import SegmentStore, Source, describe
from shared.platform.clock import utc_now
from shared.query.history import History
from shared.query.wanted import RowsWanted
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes.seam import Seam, SeamBlobs, SeamLake
from tests.ingest.batches import batch_of
from tests.lake.rows import land
from tests.place import Place


class StreamLake:
    """Flushes and queries one stream."""

    def __init__(self, place: Place, stream: StreamDefinition) -> None:
        self._place = place
        self._stream = stream
        self._blobs = place.blobs()
        self.segments = SegmentStore(self._blobs)
        self.history = History(self.segments, place.lake(), self._blobs)

    def flush(self, files: int = 200) -> None:
        """Commits what is landed; an asset's sensors share one file where there would be more `files`."""
        limits = FlushLimits(rows=10**6, bytes=2**30, files=files)
        leases, lake = self._place.leases(), self._place.lake()
        Flusher(self.segments, self._blobs, lake, leases, limits, utc_now).flush(self._stream)

    def history_that(self, meanwhile: Callable[[], None], at: int, after: bool = False) -> History:
        """A history during whose call number `at` of a port `meanwhile` happens."""
        seam = Seam(meanwhile, at, after)
        blobs = SeamBlobs(self._place.blobs(), seam)
        return History(SegmentStore(blobs), SeamLake(self._place.lake(), seam), blobs)


class EventLake(StreamLake):
    """Events, without their decoding."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, EVENTS)

    def land(self, messages: Sequence[int], topic: str = "events.transaction", partition: int = 0) -> None:
        """One row of each message, one each second from noon on."""
        land(self.segments, messages, topic=topic, partition=partition)

    def find(self, wanted: RowsWanted, history: History | None = None) -> list[tuple[str, int, int]]:
        """Type, partition and sequence number of what is found."""
        rows = (history or self.history).page(wanted)
        names = ("event_type", "_partition", "_seq")
        return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


class ReadingLake(StreamLake):
    """Sensor readings, from their messages on."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, READINGS)
        self._next = 0

    def land(self, bodies: Sequence[bytes]) -> None:
        """The next messages, one segment of them; all must be readings."""
        [topic] = READINGS.topics
        rows, letters = ReadingDecoder().decode(batch_of(bodies, first=self._next, topic=topic))
        assert letters == []
        last = self._next + len(bodies) - 1
        segment = describe(Source(topic, 0, "g1"), rows, READINGS, self._next, last)
        asyncio.run(self.segments.write(READINGS, segment, rows))
        self._next = last + 1
