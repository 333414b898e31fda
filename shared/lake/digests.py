"""What landing segments hold, worked out once: segments never change, so a digest is kept by its name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

from shared.lake.segments import Segment, SegmentStore, rows_above
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

# Segments that are read at the same time.
_PARALLEL = 8
# How many lines of digests are kept, some 100 bytes each.
_KEPT_LINES = 200_000

type _What = tuple[str, int]


class SegmentDigests:
    """Digests of one stream's segments, each a table made of a segment's `columns` (and `_seq`) by `digest`.

    One instance serves all threads; a look at the same segments again reads only those that are new.
    """

    def __init__(
        self,
        stream: StreamDefinition,
        segments: SegmentStore,
        columns: Sequence[str],
        digest: Callable[[pa.RecordBatch], pa.Table],
    ) -> None:
        self._stream = stream
        self._segments = segments
        self._columns = [*columns, "_seq"]
        self._digest_of = digest
        self._lock = Lock()
        self._digests: OrderedDict[_What, pa.Table] = OrderedDict()
        self._lines = 0

    def of(self, wanted: Sequence[tuple[Segment, int]]) -> list[pa.Table]:
        """One for each of `wanted`, of its rows above the sequence number beside it.

        Blocks; raises BlobGone when a flush took one, and StorageUnavailable.
        """
        names = [(segment.name(self._stream), max(covered, segment.first - 1)) for segment, covered in wanted]
        with self._lock:
            unread = [
                (name, segment)
                for name, (segment, _) in zip(names, wanted, strict=True)
                if name not in self._digests
            ]
            with ThreadPoolExecutor(_PARALLEL, "digest-read") as pool:
                for name, digest in pool.map(self._read, unread):
                    self._digests[name] = digest
                    self._lines += digest.num_rows
            found = [self._digests[name] for name in names]
            self._forget(names)
        return found

    def _read(self, item: tuple[_What, Segment]) -> tuple[_What, pa.Table]:
        (name, covered), segment = item
        rows = rows_above(self._segments.read(self._stream, segment, self._columns), covered)
        return (name, covered), self._digest_of(rows)

    def _forget(self, used: Iterable[_What]) -> None:
        """Keeps what was used last, as far as there is room."""
        for name in used:
            self._digests.move_to_end(name)
        while self._lines > _KEPT_LINES:
            _, digest = self._digests.popitem(last=False)
            self._lines -= digest.num_rows
