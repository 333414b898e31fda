"""A lake whose dead letters were made by a decoder of the past, and replays by that of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.dead_letters.intents import ReplayStore
from shared.dead_letters.letter_files import LetterFiles
from shared.dead_letters.replay import Replay, ReplayLimits
from shared.dead_letters.settle import Settlement
from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.decoders import decoder_of
from shared.ingest.event_json import parse_event
from shared.ingest.models import DeadLetter, MessageBatch, Reason, Rejected
from shared.ingest.packs import Places
from shared.jobs.context import Handler
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Follower
from shared.lake.segments import SegmentStore, Source, describe, encode
from shared.platform.state_tables import JOBS_QUEUE
from shared.streams import StreamDefinition, stream_of_topic
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER
from tests.fakes import MemoryBlobs, MemoryLake, MemoryLeases
from tests.fakes.seam import Seam, SeamBlobs, SeamLake, SeamLeases, SeamQueues, SeamTables
from tests.jobs.world import JobWorld
from tests.rollups.world import END, START, reader, rollup_table

TOPIC = "events.transaction"
TAKEN = 1_759_233_600_000_000
HOUR = 3_600_000_000

_LIMITS = ReplayLimits(files=2)
_PLENTY = FlushLimits(rows=1_000_000, bytes=2**30)

# A row or an item of a dead letter, wherever it stands: topic, partition, sequence number, place.
type Where = tuple[str, int, int, int]


def _nothing() -> None:
    pass


class PastDecoder:
    """Decodes events as today, but for those that say `past`, which it could not."""

    def __init__(self, topic: str) -> None:
        self._today = decoder_of(topic)

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        places = Places()
        good: list[tuple[int, int, bytes]] = []
        for message, body in enumerate(batch.bodies):
            items = iter(count())

            def parse(item: bytes, message: int = message, items: Any = items) -> None:
                place = next(items)
                if b"past" in item:
                    raise Rejected(Reason.INVALID_DATA, "not known yet")
                parse_event(item, batch.topic.removeprefix("events."))
                good.append((message, place, item))

            places.take(message, body, parse)
        rows, dead = self._today.decode(_parts(batch, good))
        assert not dead
        return rows, places.dead_letters


def _parts(batch: MessageBatch, items: Sequence[tuple[int, int, bytes]]) -> MessageBatch:
    messages = [message for message, _, _ in items]
    return MessageBatch(
        batch.topic,
        batch.partition,
        [item for _, _, item in items],
        np.asarray(batch.sequence_numbers, np.int64)[messages],
        np.asarray(batch.enqueued, np.int64)[messages],
        starts=np.array([place for _, place, _ in items], np.int32),
    )


def batch_of(bodies: Sequence[bytes], topic: str = TOPIC, partition: int = 0, first: int = 0) -> MessageBatch:
    """Messages of a partition, one every twelve minutes."""
    numbers = np.arange(first, first + len(bodies), dtype=np.int64)
    return MessageBatch(topic, partition, [*bodies], numbers, TAKEN + numbers * HOUR // 5)


class DeadLetterWorld:
    """A lake, and the jobs that replay its dead letters."""

    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self.lake = MemoryLake()
        self.leases = MemoryLeases()
        self.job_world = JobWorld()
        self._names = count()

    def flusher(self, seam: Seam | None = None) -> Flusher:
        """A flusher, as a process of its own."""
        seam = seam or Seam(_nothing)
        blobs, lake = SeamBlobs(self.blobs, seam), SeamLake(MemoryLake(self.lake.logs), seam)
        leases = SeamLeases(self.leases, seam)
        return Flusher(
            SegmentStore(blobs), blobs, lake, leases, _PLENTY, self.job_world.clock, self.followers(seam)
        )

    def followers(self, seam: Seam) -> Mapping[str, Follower]:
        """What follows the tables of streams, behind `seam`."""
        blobs, lake = SeamBlobs(self.blobs, seam), SeamLake(MemoryLake(self.lake.logs), seam)
        return {EVENTS.name: rollup_table(blobs, lake, SeamLeases(self.leases, seam))}

    def rolled_up(self) -> dict[datetime, int]:
        """How many events the roll-ups count, by minute; as many as there are rows."""
        found: Counter[datetime] = Counter()
        minutes = reader(self.blobs, self.lake).minutes(START, END)
        for row in minutes.select(["minute", "count"]).to_pylist():
            found[row["minute"]] += row["count"]
        assert found.total() == self.rows().total()
        return dict(found)

    def land(self, batch: MessageBatch, past: bool = True) -> None:
        """Lands a batch, its rows beside its dead letters."""
        rows, letters = (PastDecoder(batch.topic) if past else decoder_of(batch.topic)).decode(batch)
        source = Source(batch.topic, batch.partition, "generation")
        first, last = int(batch.sequence_numbers[0]), int(batch.sequence_numbers[-1])
        parts: list[tuple[StreamDefinition, pa.RecordBatch]] = [(stream_of_topic(batch.topic), rows)]
        if letters:
            parts.append((DEAD_LETTERS, dead_letter_rows(batch, letters)))
        for stream, part in parts:
            if part.num_rows:
                name = describe(source, part, stream, first, last).name(stream)
                self.blobs.put_blocking(LANDING_CONTAINER, name, encode(part))

    def replay(
        self,
        seam: Seam | None = None,
        limits: ReplayLimits = _LIMITS,
        decoder_for: Callable[[str], Any] = decoder_of,
    ) -> Replay:
        """The handler of replays, as a process of its own, behind a seam if one is given."""
        seam = seam or Seam(_nothing)
        blobs, lake = SeamBlobs(self.blobs, seam), SeamLake(MemoryLake(self.lake.logs), seam)
        leases, clock = SeamLeases(self.leases, seam), self.job_world.clock
        files = LetterFiles(blobs, lake, leases, self._name)
        store = ReplayStore(blobs)
        settlement = Settlement(store, files, lake, leases, clock, self.followers(seam))
        flusher = self.flusher(seam)
        return Replay(store, files, settlement, flusher, blobs, lake, leases, decoder_for, self._name, limits)

    def _name(self) -> str:
        return f"file-{next(self._names)}"

    def run(self, handler: Handler | None = None, seam: Seam | None = None, **parameters: Any) -> Any:
        """One replay from its start to its end; its job."""
        handler = handler or self.replay().handle
        self.job_world.handlers["replay"] = handler
        tables = SeamTables(self.job_world.tables, seam) if seam else None
        queues = SeamQueues(self.job_world.queues, seam) if seam else None
        job = self.job_world.jobs(tables, queues).start("replay", parameters).job
        for job_id in self.job_world.queues.take(JOBS_QUEUE):
            self.job_world.runner("one", tables, queues).run(job_id)
        return self.job_world.jobs().get(job.id)

    def rows(self, topic: str = TOPIC) -> Counter[Where]:
        """The committed rows."""
        stream = stream_of_topic(topic)
        names = (stream.key_column, "_partition", "_seq", "_idx")
        return Counter(
            (topic if stream.name != "events" else f"events.{row[0]}", *row[1:])
            for table in self._tables(stream)
            for row in zip(*(table[name].to_pylist() for name in names), strict=True)
        )

    def contents(self, topic: str = TOPIC) -> list[tuple[Any, ...]]:
        """The committed rows with all that they hold, in the order of their places."""
        stream = stream_of_topic(topic)
        names = [column.name for column in stream.columns]
        rows = [
            row
            for table in self._tables(stream)
            for row in zip(*(table[name].to_pylist() for name in names), strict=True)
        ]
        return sorted(rows, key=lambda row: (row[names.index("_partition")], *row[-2:]))

    def letters(self) -> Counter[Where]:
        """The items of all committed dead letters."""
        return Counter(
            (topic, partition, seq, idx + item)
            for table in self._tables(DEAD_LETTERS)
            for topic, partition, seq, idx, items in zip(
                *(table[name].to_pylist() for name in ("topic", "_partition", "_seq", "_idx", "items")),
                strict=True,
            )
            for item in range(items)
        )

    def _tables(self, stream: StreamDefinition) -> list[pa.Table]:
        paths = self.lake.table(stream).snapshot().files()["path"].to_pylist()
        return [pq.read_table(BytesIO(self.blobs.get(stream.container, path))) for path in paths]
