"""What a process does with the tiers: flush readings, upload, clean up; it dies where the seam says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from shared.lake.cleanup import Cleaner, CleanupLimits
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.hours import raw_files
from shared.lake.ports import BlobGone, Leases
from shared.lake.segments import SegmentStore, Source, describe
from shared.lake.upload import Uploader, UploadLimits
from shared.platform.clock import utc_now
from shared.platform.errors import LeaseHeld
from shared.query.history import History
from shared.query.wanted import RowsWanted
from shared.streams.readings import READINGS
from tests.fakes.seam import Seam, SeamBlobs, SeamLake, SeamLeases
from tests.kills.dying import Unleased, kill
from tests.lake.rows import HOUR, NOON, SECOND, reading_rows
from tests.place import Place

# Two commits, and each sensor's file cut in pieces of memory.
_UPLOAD = UploadLimits(rows=12, files=100, merge_bytes=2000, file_bytes=2**20, grace=timedelta(minutes=10))
_CLEANUP = CleanupLimits(removed_files=timedelta(hours=1), retention={})
_DROPPED = CleanupLimits(removed_files=timedelta(hours=1), retention={READINGS.name: timedelta(days=3650)})
_ORPHANS = ("raw/plant/2025/09/30/12/a-left.parquet", "plant/2025/09/30/12/a-7.parquet")
# Sequence numbers of readings that are past their retention once dates are dropped, or never.
_OLD = 1_000_000


class Tiers:
    """One process of the function app."""

    def __init__(self, place: Place, marks: Path) -> None:
        self._place = place
        self._marks = marks

    def tiers_upload_until_killed(self, at: int | None, after: bool, files: int) -> list[str]:
        """Makes the place, flushes twice, and uploads."""
        self._fill(files)
        seam = Seam(kill, at, after)
        self._uploader(seam).upload(READINGS, closed_only=True)
        return seam.calls

    def tiers_clean_until_killed(self, at: int | None, after: bool, files: int) -> list[str]:
        """Makes the place, flushes, uploads, leaves orphans, and cleans up three days later."""
        self._fill(files)
        self._flush(_OLD, [("a", -4000 * 24 * HOUR)])
        self._uploader(Seam(kill)).upload(READINGS, closed_only=True)
        blobs = self._place.blobs()
        for name in _ORPHANS:
            blobs.put_blocking(READINGS.container, name, b"left")
        seam = Seam(kill, at, after)
        self._cleaner(seam, _DROPPED, days=3).clean(READINGS)
        return seam.calls

    def tiers_finish(self, cleanups: int) -> dict[str, Any]:
        """What is seen before and after the work of a dead process is finished, with a late reading."""
        before = self._seen()
        self._place.break_leases()
        self._flush(100, [("a", 3)])
        self._uploader(Seam(kill)).upload(READINGS, closed_only=True)
        for number in range(cleanups):
            self._cleaner(Seam(kill), _DROPPED, days=5 + 2 * number).clean(READINGS)
        return {"before": before, **self.tiers_look()}

    def tiers_look(self) -> dict[str, Any]:
        """What the table names, what of it is there, and what is there beside it."""
        blobs = self._place.blobs()
        named = self._place.lake().table(READINGS).snapshot().files()["path"].to_pylist()
        rows: list[int] = []
        for path in named:
            try:
                rows += pq.read_table(BytesIO(blobs.get(READINGS.container, path)))["_seq"].to_pylist()
            except BlobGone as gone:
                raise AssertionError(f"the log names a file that is missing: {gone}") from gone
        stored = [i.name for i in blobs.list(READINGS.container, "") if not i.name.startswith("_")]
        return {
            "rows": rows,
            "named": named,
            "beside": sorted(set(stored) - set(named)),
            "seen": self._seen(),
        }

    def tiers_flush_in_laps(self, laps: int, leases: bool) -> None:
        """Lands and flushes again and again, also into hours that are merged already."""
        self._place.make()
        try:
            for lap in range(laps):
                readings = [(sensor, lap * 7 % 40 * SECOND) for sensor in ("a", "b")]
                while not self._flush_once(lap * 2, readings, leases):
                    pass
        finally:
            (self._marks / "done").touch()

    def tiers_upload_in_laps(self, leases: bool) -> int:
        """Uploads until all is flushed and nothing raw is left; how often another was first."""
        held = 0
        while True:
            done = (self._marks / "done").exists()
            if done and not self._raw() and not SegmentStore(self._place.blobs()).list(READINGS):
                return held
            try:
                self._uploader(Seam(kill), leases).upload(READINGS, closed_only=True)
            except LeaseHeld:
                held += 1

    def tiers_clean_in_laps(self) -> None:
        """Cleans up, with no time for readers, until all is flushed and uploaded."""
        while not (self._marks / "done").exists() or self._raw():
            try:
                self._cleaner(Seam(kill), _CLEANUP, days=0.5).clean(READINGS)
            except LeaseHeld:
                time.sleep(0.05)  # let the uploads have their turn

    def tiers_read_in_laps(self) -> int:
        """Reads all the time; each reading that was flushed is there once, and none goes away."""
        seen: set[int] = set()
        reads = 0
        while not (self._marks / "done").exists() or self._raw():
            found = self._seen()
            assert len(found) == len(set(found)), "doubled"
            assert seen <= set(found), "gone"
            seen |= set(found)
            reads += 1
        return reads

    def _fill(self, files: int) -> None:
        self._place.make()
        for number in range(2):
            times = [(sensor, (number * 7 + i * 3) % 20 * SECOND) for i in range(2) for sensor in ("b", "a")]
            self._flush(number * 10, [*times, ("c", HOUR + number)], files)

    def _flush(self, first: int, readings: list[tuple[str, int]], files: int = 200) -> None:
        assert self._flush_once(first, readings, True, files)

    def _flush_once(
        self, first: int, readings: list[tuple[str, int]], leases: bool, files: int = 200
    ) -> bool:
        """Lands readings, a source for each call, and flushes what is landed."""
        blobs = self._place.blobs()
        segments = SegmentStore(blobs)
        rows = reading_rows([s for s, _ in readings], [NOON + t for _, t in readings], first=first)
        source = Source(READINGS.topics[0], first, "g1")
        segment = describe(source, rows, READINGS, first, first + len(readings) - 1)
        asyncio.run(segments.write(READINGS, segment, rows))
        held = self._place.leases() if leases else Unleased()
        limits = FlushLimits(rows=1000, bytes=2**20, files=files)
        try:
            Flusher(segments, blobs, self._place.lake(), held, limits, utc_now).flush(
                READINGS, wait_seconds=30
            )
        except LeaseHeld:
            return False
        return True

    def _uploader(self, seam: Seam, leases: bool = True) -> Uploader:
        blobs, lake, held = self._ports(seam, leases)
        return Uploader(blobs, lake, held, _UPLOAD, "Cold", utc_now)

    def _cleaner(self, seam: Seam, limits: CleanupLimits, days: float) -> Cleaner:
        blobs, lake, held = self._ports(seam, True)

        def ahead() -> datetime:
            return utc_now() + timedelta(days=days)

        return Cleaner(SegmentStore(blobs), blobs, lake, held, limits, ahead)

    def _ports(self, seam: Seam, leases: bool) -> tuple[SeamBlobs, SeamLake, SeamLeases]:
        held: Leases = self._place.leases() if leases else Unleased()
        blobs = SeamBlobs(self._place.blobs(), seam)
        return blobs, SeamLake(self._place.lake(), seam), SeamLeases(held, seam)

    def _raw(self) -> int:
        files = self._place.lake().table(READINGS).snapshot().files()
        return int(raw_files(READINGS, files, None).num_rows)

    def _seen(self) -> list[int]:
        history = History(SegmentStore(self._place.blobs()), self._place.lake(), self._place.blobs())
        seen: list[int] = history.page(RowsWanted(stream=READINGS, limit=1000))["_seq"].to_pylist()
        return seen


def expected() -> Iterator[int]:
    """The sequence numbers that `_fill` flushes."""
    for number in range(2):
        yield from range(number * 10, number * 10 + 5)
