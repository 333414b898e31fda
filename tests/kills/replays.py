"""What a process does with dead letters: land and flush them, start a replay and run it; it dies where the
seam says so."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pyarrow.parquet as pq
from azure.storage.queue import QueueClient

from devstack.provision import make_queues, make_tables
from shared.adapters.queue_storage import QueueStorage
from shared.adapters.table_storage import TableStorage
from shared.dead_letters.intents import ReplayStore
from shared.dead_letters.letter_files import LetterFiles
from shared.dead_letters.replay import Replay, ReplayLimits
from shared.dead_letters.settle import Settlement
from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.decoders import decoder_of
from shared.jobs.context import JobLimits
from shared.jobs.run import JobKind, JobRunner
from shared.jobs.service import Jobs
from shared.jobs.slots import Slots
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Follower
from shared.lake.segments import SegmentStore, Source, describe, encode
from shared.platform.clock import utc_now
from shared.platform.state_tables import JOBS, JOBS_QUEUE
from shared.platform.tables import Row
from shared.streams import StreamDefinition
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER, SYSTEM_CONTAINER
from tests.dead_letters.world import TOPIC, PastDecoder, batch_of
from tests.fakes.seam import Seam, SeamBlobs, SeamLake, SeamLeases, SeamQueues, SeamTables
from tests.kills.dying import kill
from tests.place import Place
from tests.rollups.world import END, START, reader, rollup_table

# By sequence number; they came in two hours, so that two files are two portions, and of the second some stay.
BODIES = {
    0: b'{"data":{"past":true}}',
    5: b'[{"data":{}},{"data":{"past":1}},"past",{"data":{"past":2}},7]',
}
ROWS = {(0, 0), (5, 0), (5, 1), (5, 3)}
LETTERS = {(5, 2), (5, 4)}

type Clock = Callable[[], datetime]


class PlacedTables(TableStorage):
    """The table of jobs under a name of the place's own."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.account)
        self.name = f"{place.prefix}{JOBS}"

    def get(self, table: str, partition: str, key: str) -> Row:
        return super().get(self.name, partition, key)

    def insert(self, table: str, row: Row) -> Row:
        return super().insert(self.name, row)

    def replace(self, table: str, row: Row) -> Row:
        return super().replace(self.name, row)

    def query(self, table: str, partition: str, **wanted: Any) -> list[Row]:
        return super().query(self.name, partition, **wanted)


class PlacedQueues(QueueStorage):
    """The queue of jobs under a name of the place's own."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.account)
        self.name = f"{place.prefix}-{JOBS_QUEUE}"

    def send(self, queue: str, text: str, *, delay_seconds: int = 0) -> None:
        super().send(self.name, text)


class Replays:
    """One process of the function app."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tables = PlacedTables(place)
        self._queues = PlacedQueues(place)

    def replays_until_killed(self, at: int | None, after: bool) -> list[str]:
        """Makes the place, lands and flushes, then starts a replay and runs it."""
        self._fill()
        seam = Seam(kill, at, after)
        self._jobs(seam, utc_now).start("replay")
        self._deliver(seam, utc_now)
        return seam.calls

    def replays_finish(self) -> dict[str, Any]:
        """What there is after the work of a dead process was finished, once its job was silent for long."""
        self._place.break_leases()
        seam, later = Seam(kill), _later
        job = self._jobs(seam, later).start("replay").job
        while self._jobs(seam, later).get(job.id).status.active:
            self._jobs(seam, later).resume()
            self._deliver(seam, later)
        blobs = self._place.blobs()
        return {
            "status": self._jobs(seam, later).get(job.id).status.value,
            "rows": self._places(EVENTS),
            "letters": self._places(DEAD_LETTERS),
            "rolled_up": sum(reader(blobs, self._place.lake()).minutes(START, END)["count"].to_pylist()),
            "left": [info.name for info in blobs.list(SYSTEM_CONTAINER, "replays/")],
            "total_rows": self._jobs(seam, later).totals("replay")["rows"],
        }

    def _fill(self) -> None:
        self._place.make()
        make_tables(self._place.connection_string, [self._tables.name])
        make_queues(self._place.connection_string, [self._queues.name])
        blobs = self._place.blobs()
        for first, body in BODIES.items():
            batch = batch_of([body], first=first)
            rows, letters = PastDecoder(TOPIC).decode(batch)
            parts = [(EVENTS, rows), (DEAD_LETTERS, dead_letter_rows(batch, letters))]
            for stream, part in parts:
                if part.num_rows:
                    segment = describe(Source(TOPIC, 0, "g"), part, stream, first, first)
                    blobs.put_blocking(LANDING_CONTAINER, segment.name(stream), encode(part))
        self._flusher(Seam(kill)).flush_all()

    def _deliver(self, seam: Seam, clock: Clock) -> None:
        """Runs what the queue holds, as the trigger does."""
        runner = JobRunner(
            self._slots(seam),
            SeamQueues(self._queues, seam),
            {"replay": JobKind("letters", self._replay(seam, clock).handle)},
            clock,
            JobLimits(),
            "process",
        )
        with QueueClient.from_connection_string(self._place.connection_string, self._queues.name) as client:
            while message := client.receive_message(visibility_timeout=600):
                runner.run(base64.b64decode(message.content).decode())
                client.delete_message(message)

    def _jobs(self, seam: Seam, clock: Clock) -> Jobs:
        return Jobs(self._slots(seam), SeamQueues(self._queues, seam), ("replay",), clock, JobLimits())

    def _slots(self, seam: Seam) -> Slots:
        return Slots(SeamTables(self._tables, seam), timedelta(days=30))

    def _flusher(self, seam: Seam) -> Flusher:
        blobs, lake = SeamBlobs(self._place.blobs(), seam), SeamLake(self._place.lake(), seam)
        limits = FlushLimits(rows=1000, bytes=2**20)
        leases = SeamLeases(self._place.leases(), seam)
        followers = self._followers(seam)
        return Flusher(SegmentStore(blobs), blobs, lake, leases, limits, utc_now, followers)

    def _followers(self, seam: Seam) -> Mapping[str, Follower]:
        blobs, lake = SeamBlobs(self._place.blobs(), seam), SeamLake(self._place.lake(), seam)
        return {EVENTS.name: rollup_table(blobs, lake, SeamLeases(self._place.leases(), seam))}

    def _replay(self, seam: Seam, clock: Clock) -> Replay:
        blobs, lake = SeamBlobs(self._place.blobs(), seam), SeamLake(self._place.lake(), seam)
        leases, names = SeamLeases(self._place.leases(), seam), count()

        def name() -> str:
            return f"{clock():%H%M%S%f}-{next(names)}"

        files, store = LetterFiles(blobs, lake, leases, name), ReplayStore(blobs)
        settlement = Settlement(store, files, lake, leases, clock, self._followers(seam))
        limits = ReplayLimits(files=1)
        return Replay(
            store, files, settlement, self._flusher(seam), blobs, lake, leases, decoder_of, name, limits
        )

    def _places(self, stream: StreamDefinition) -> list[tuple[int, int]]:
        """Sequence numbers and places of all committed rows; of letters, of all their items."""
        found = []
        for path in self._place.lake().table(stream).snapshot().files()["path"].to_pylist():
            rows = pq.read_table(BytesIO(self._place.blobs().get(stream.container, path)))
            items = rows["items"].to_pylist() if "items" in rows.column_names else [1] * rows.num_rows
            for seq, idx, more in zip(rows["_seq"].to_pylist(), rows["_idx"].to_pylist(), items, strict=True):
                found += [(seq, idx + item) for item in range(more)]
        return found


def _later() -> datetime:
    return utc_now() + timedelta(minutes=5)
