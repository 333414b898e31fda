"""Storage in memory with a flusher over it, and what a reader sees in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq

from shared.lake.cleanup import Cleaner, CleanupLimits
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.segments import SegmentStore, rows_above, uncommitted
from shared.lake.upload import Uploader, UploadLimits
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from tests.fakes import ManualClock, MemoryBlobs, MemoryLake, MemoryLeases
from tests.fakes.seam import Seam, SeamBlobs, SeamLake, SeamLeases

# A row, wherever it stands: its topic (its key in the table) and its place.
type Where = tuple[str, int, int, int]

_PLENTY = FlushLimits(rows=1_000_000, bytes=2**30)
UPLOAD = UploadLimits(
    rows=1_000_000, files=1000, merge_bytes=2**24, file_bytes=2**26, grace=timedelta(minutes=10)
)

CLEANUP = CleanupLimits(removed_files=timedelta(hours=1))
_WRITES = ("put", "create", "delete", "commit", "cover", "trim", "take", "give back", "insert", "replace",
           "send")  # fmt: skip


def _nothing() -> None:
    pass


class World:
    """Blobs, tables and leases; each flusher is a process of its own over them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.blobs = MemoryBlobs(self.clock)
        self.segments = SegmentStore(self.blobs)
        self.lake = MemoryLake(clock=self.clock)
        self.leases = MemoryLeases()

    def flusher(self, limits: FlushLimits = _PLENTY, seam: Seam | None = None) -> Flusher:
        """A flusher, behind a seam if one is given."""
        seam = seam or Seam(_nothing)
        blobs = SeamBlobs(self.blobs, seam)
        lake = SeamLake(MemoryLake(self.lake.logs, self.clock), seam)
        return Flusher(SegmentStore(blobs), blobs, lake, SeamLeases(self.leases, seam), limits, self.clock)

    def uploader(self, limits: UploadLimits = UPLOAD, seam: Seam | None = None) -> Uploader:
        """An uploader, behind a seam if one is given."""
        seam = seam or Seam(_nothing)
        lake = SeamLake(MemoryLake(self.lake.logs, self.clock), seam)
        leases = SeamLeases(self.leases, seam)
        return Uploader(SeamBlobs(self.blobs, seam), lake, leases, limits, "Cold", self.clock)

    def cleaner(self, limits: CleanupLimits = CLEANUP, seam: Seam | None = None) -> Cleaner:
        """A cleaner, behind a seam if one is given."""
        seam = seam or Seam(_nothing)
        blobs = SeamBlobs(self.blobs, seam)
        lake = SeamLake(MemoryLake(self.lake.logs, self.clock), seam)
        return Cleaner(SegmentStore(blobs), blobs, lake, SeamLeases(self.leases, seam), limits, self.clock)

    def stored(self, stream: StreamDefinition = EVENTS) -> list[str]:
        """The names of all data files that are there, sorted."""
        return [info.name for info in self.blobs.list(stream.container, "")]

    def paths(self, stream: StreamDefinition = EVENTS) -> list[str]:
        """The paths that the table names, sorted."""
        return sorted(self.lake.table(stream).snapshot().files()["path"].to_pylist())

    def committed(self, stream: StreamDefinition = EVENTS) -> Counter[Where]:
        """The rows of the files that the log names."""
        paths = self.lake.table(stream).snapshot().files()["path"].to_pylist()
        tables = [pq.read_table(BytesIO(self.blobs.get(stream.container, path))) for path in paths]
        return Counter(place for table in tables for place in _places(stream, table))

    def visible(self, stream: StreamDefinition = EVENTS) -> Counter[Where]:
        """What a reader sees: the committed rows and those of the segments above."""
        segments = self.segments.list(stream)
        snapshot = self.lake.table(stream).snapshot({s.source.app_id for s in segments})
        seen = self.committed(stream)
        for app_id, group in groupby(segments, key=lambda segment: segment.source.app_id):
            for segment, covered in uncommitted(list(group), snapshot.progress(app_id)):
                seen.update(_places(stream, rows_above(self.segments.read(stream, segment), covered)))
        return seen


def _places(stream: StreamDefinition, rows: pa.Table | pa.RecordBatch) -> Iterator[Where]:
    names = (stream.key_column, "_partition", "_seq", "_idx")
    return zip(*(rows[name].to_pylist() for name in names), strict=True)


def once(places: Counter[Where]) -> set[Where]:
    """The rows, each of which must be there once."""
    doubled = {place for place, count in places.items() if count > 1}
    assert not doubled, f"doubled: {sorted(doubled)[:5]}"
    return set(places)


def sweep(run: Callable[[int | None, bool], list[str]]) -> None:
    """Runs without a strike, which tells the calls that there are, then with one before each, and one after
    each that writes: a failure after a call that only reads is one before it."""
    calls = run(None, False)
    assert calls
    for at, call in enumerate(calls):
        run(at, False)
        if call.startswith(_WRITES):
            run(at, True)
