"""What a process does: land from its checkpoint, flush, look. The services are the real ones; the process
ends itself by SIGKILL where the seam around their ports says so."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from deltalake import DeltaTable

from shared.adapters.kafka_hubs import KafkaHubs
from shared.health.board import NoticeBoard
from shared.ingest.decode_events import EventDecoder
from shared.ingest.land import Landing, LandingLimits
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import BlobGone
from shared.lake.segments import SegmentStore
from shared.platform.clock import utc_now
from shared.platform.errors import LeaseHeld
from shared.query.events import events_wanted
from shared.query.history import History
from shared.streams import StreamDefinition
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.rollups import ROLLUPS
from tests.fakes.seam import Seam, SeamBlobs, SeamHubs, SeamLake, SeamLeases
from tests.kills.deliveries import PARTITIONS, Partition
from tests.kills.dying import Unleased, kill
from tests.kills.replays import Replays
from tests.kills.tiers import Tiers
from tests.place import Place, PlacedHubs
from tests.rollups.world import END, START, reader, rollup_table

# Small, so that a handful of messages makes several segments and several commits.
_LANDING = LandingLimits(segment_bytes=2**20, segment_rows=1000, bad_share=0.2, bad_minimum=1)
_FLUSH = FlushLimits(rows=16, bytes=2**20)
# One commit for each table: what is struck between two of one table is struck in memory (tests/lake).
_AT_ONCE = FlushLimits(rows=1000, bytes=2**20)


def run(
    task: str, storage: str, prefix: str, kafka: str, topics: str, checkpoints: str, **arguments: Any
) -> Any:
    """Does `task` in the place `prefix`; what it returns is JSON."""
    place = Place(storage, prefix)
    if task.startswith("tiers_"):
        return getattr(Tiers(place, Path(checkpoints)), task)(**arguments)
    if task.startswith("replays_"):
        return getattr(Replays(place), task)(**arguments)
    return getattr(Process(place, kafka, topics, Path(checkpoints)), task)(**arguments)


class Process:
    """One process of the function app, with the trigger's checkpoints in a folder."""

    def __init__(self, place: Place, kafka: str, topics: str, checkpoints: Path) -> None:
        self._place = place
        self._kafka = kafka
        self._topics = topics
        self._checkpoints = checkpoints

    def land_until_killed(self, at: int | None, after: bool, count: int) -> list[str]:
        """Makes the place and lands everything, `count` messages a batch."""
        self._place.make()
        seam = Seam(kill, at, after)
        self._land(seam, count)
        return seam.calls

    def flush_until_killed(self, at: int | None, after: bool, count: int) -> list[str]:
        """Makes the place, lands everything, and flushes."""
        self._place.make()
        self._land(Seam(kill), count)
        seam = Seam(kill, at, after)
        self._flusher(seam, limits=_AT_ONCE).flush_all()
        return seam.calls

    def finish(self, count: int) -> dict[str, Any]:
        """What is seen before and after the work of a dead process is finished."""
        before, rolled_up = self._seen(), self._rolled_up()
        acknowledged = {p.key: self._checkpoint(p) for p in PARTITIONS}
        self._place.break_leases()
        self._land(Seam(kill), count)
        self._flusher(Seam(kill)).flush_all()
        return {"acknowledged": acknowledged, "before": before, "counted": rolled_up, **self._stored()}

    def look(self) -> dict[str, Any]:
        """What is stored, and what a reader sees of it."""
        return {**self._stored(), "seen": self._seen()}

    def prepare(self) -> None:
        """Makes the place."""
        self._place.make()

    def land(self, count: int) -> None:
        """Lands everything from the checkpoint on."""
        self._land(Seam(kill), count)

    def flush(self) -> None:
        """Flushes once."""
        self._flusher(Seam(kill)).flush_all()

    def notices(self) -> list[tuple[str, str]]:
        """Kind and subject of what `/health` says of the hubs."""
        standing = NoticeBoard(self._place.blobs(), utc_now).standing()
        return [(note.kind, note.subject) for note in standing if note.kind == "hub_made_anew"]

    def land_in_laps(self, laps: int) -> None:
        """Lands everything again and again, in batches of other sizes, and says when it is done."""
        try:
            for lap in range(laps):
                for file in self._checkpoints.glob("*"):
                    file.unlink()
                self._land(Seam(kill), 1 + lap % 5)
        finally:
            (self._checkpoints / "done").touch()

    def flush_in_laps(self, leases: bool) -> int:
        """Flushes until everything is landed and nothing is left, and returns how often another was first;
        without `leases` nothing but the tables' own check keeps the writers apart."""
        flusher = self._flusher(Seam(kill), leases)
        segments = SegmentStore(self._place.blobs())
        held = 0
        while True:
            landed = (self._checkpoints / "done").exists()
            if landed and not segments.list(EVENTS) and not segments.list(DEAD_LETTERS):
                return held
            for stream in (EVENTS, DEAD_LETTERS):
                try:
                    flusher.flush(stream)
                except LeaseHeld:
                    held += 1

    def _land(self, seam: Seam, count: int) -> None:
        blobs = SeamBlobs(self._place.blobs(), seam)
        hubs = KafkaHubs({"bootstrap.servers": self._kafka}, volatile=False)
        board = NoticeBoard(blobs, utc_now)
        landing = Landing(
            SegmentStore(blobs),
            SeamHubs(PlacedHubs(hubs, self._topics), seam),
            board,
            board,
            cache(EventDecoder),
            _LANDING,
        )
        asyncio.run(self._trigger(landing, count))

    async def _trigger(self, landing: Landing, count: int) -> None:
        for partition in PARTITIONS:
            first = self._checkpoint(partition)
            while first < partition.messages:
                batch = partition.batch(first, count)
                await landing.land(batch)
                first += len(batch)
                self._move_checkpoint(partition, first)

    def _checkpoint(self, partition: Partition) -> int:
        file = self._checkpoints / partition.key.replace("/", "-")
        return json.loads(file.read_text()) if file.exists() else 0

    def _move_checkpoint(self, partition: Partition, first: int) -> None:
        (self._checkpoints / partition.key.replace("/", "-")).write_text(str(first))

    def _flusher(self, seam: Seam, leases: bool = True, limits: FlushLimits = _FLUSH) -> Flusher:
        blobs = SeamBlobs(self._place.blobs(), seam)
        lake = self._place.lake()
        for stream in (EVENTS, DEAD_LETTERS, ROLLUPS):
            _count_creation(lake.table(stream), seam)
        held = SeamLeases(self._place.leases() if leases else Unleased(), seam)
        tables = SeamLake(lake, seam)
        followers = {EVENTS.name: rollup_table(blobs, tables, held)}
        return Flusher(SegmentStore(blobs), blobs, tables, held, limits, utc_now, followers)

    def _rolled_up(self) -> dict[str, int]:
        """How many events the roll-ups count, landed ones included, by type."""
        minutes = reader(self._place.blobs(), self._place.lake()).minutes(START, END)
        found: Counter[str] = Counter()
        for row in minutes.select(["event_type", "count"]).to_pylist():
            found[row["event_type"]] += row["count"]
        return found

    def _stored(self) -> dict[str, Any]:
        """The rows of the files that the logs name, and the segments that are left."""
        segments = SegmentStore(self._place.blobs())
        return {
            "rows": self._committed(EVENTS),
            "dead_letters": self._committed(DEAD_LETTERS),
            "rolled_up": self._rolled_up(),
            "left": [s.name(stream) for stream in (EVENTS, DEAD_LETTERS) for s in segments.list(stream)],
        }

    def _committed(self, stream: StreamDefinition) -> list[Any]:
        table = DeltaTable(
            f"az://{self._place.container(stream.container)}/",
            storage_options={
                "azure_storage_account_name": self._place.account.name,
                "azure_storage_account_key": str(self._place.account.key),
                "azure_storage_endpoint": self._place.account.blob_endpoint,
                "allow_http": "true",
            },
        )
        blobs = self._place.blobs()
        found: list[Any] = []
        for path in table.get_add_actions().column("path").to_pylist():
            try:
                rows = pq.read_table(BytesIO(blobs.get(stream.container, path)))
            except BlobGone as gone:
                raise AssertionError(f"the log names a file that is missing: {gone}") from gone
            names = (stream.key_column, "_partition", "_seq", "_idx")
            found += zip(*(rows[name].to_pylist() for name in names), strict=True)
        return found

    def _seen(self) -> list[Any]:
        history = History(SegmentStore(self._place.blobs()), self._place.lake(), self._place.blobs())
        rows = history.page(events_wanted(limit=1000))
        return [
            (r["event_type"], r["_partition"], r["_seq"], r["_idx"])
            for r in rows.select(["event_type", "_partition", "_seq", "_idx"]).to_pylist()
        ]


def _count_creation(table: Any, seam: Seam) -> None:
    """The first commit makes the table first: a place to die at of its own."""
    create = table._create

    def counted() -> Any:
        with seam.call("create the table"):
            return create()

    table._create = counted
