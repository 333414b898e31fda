"""LAND: a batch of one partition becomes durable segments before the trigger's checkpoint moves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.models import DeadLetter, MessageBatch
from shared.ingest.ports import Generations, Hubs, Notices
from shared.lake.segments import SegmentStore, Source, describe, encode
from shared.platform.logs import get_log
from shared.streams import StreamDefinition, stream_of_topic
from shared.streams.dead_letters import DEAD_LETTERS
from shared.telemetry.catalogue import (
    DECODE_DURATION,
    LAND_DURATION,
    LANDED_DEAD_LETTERS,
    LANDED_MESSAGES,
    LANDED_ROWS,
)
from shared.telemetry.tracing import span

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("land")

# Batches up to this many bytes are decoded on the event loop (well under a millisecond); larger ones leave it
# to HTTP requests and decode in a thread.
_INLINE_BYTES = 64 * 1024


class Decoder(Protocol):
    """Decodes the messages of one topic."""

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        """The rows in stream order and the dead letters; never raises for what a message holds."""


@dataclass(frozen=True, slots=True)
class LandingLimits:
    """How much becomes one segment, and from which share of dead letters on the operator is told."""

    segment_bytes: int
    segment_rows: int
    bad_share: float
    bad_minimum: int


@dataclass(slots=True)
class _Cursor:
    """The generation that a partition's next message belongs to, while it continues the last one."""

    generation: str
    expected: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Segments ready to be written (name and bytes); how many rows they hold, and how many events were not
    to become rows."""

    segments: list[tuple[str, bytes]]
    rows: int
    rejected: int


class Landing:
    """Makes batches durable. One instance serves all partitions of a process; batches of one partition must
    come one after the other, as the trigger gives them."""

    def __init__(
        self,
        segments: SegmentStore,
        hubs: Hubs,
        generations: Generations,
        notices: Notices,
        decoder_for: Callable[[str], Decoder],
        limits: LandingLimits,
    ) -> None:
        self._segments = segments
        self._hubs = hubs
        self._generations = generations
        self._notices = notices
        self._decoder_for = decoder_for
        self._limits = limits
        self._asking = Lock()
        # One thread: decoding holds the interpreter, and several would only fight for it.
        self._decoding = ThreadPoolExecutor(1, "decode")
        self._cursors: dict[tuple[str, int], _Cursor] = {}

    async def land(self, batch: MessageBatch) -> None:
        """Returns when every message of `batch` is durable, as rows or as dead letters.

        Raises Unavailable otherwise; the same batch, or one with other boundaries, may then come again.
        """
        if not len(batch):
            return
        with span("land", "consumer", {"topic": batch.topic}, links=batch.origins.traceparents):
            started = perf_counter()
            await self._land(batch)
            LAND_DURATION.observe(perf_counter() - started, batch.topic)

    async def _land(self, batch: MessageBatch) -> None:
        stream, decoder = stream_of_topic(batch.topic), self._decoder_for(batch.topic)
        generation = await self._generation_for(batch)
        rows = rejected = 0
        for part in _parts(batch, self._limits):
            landed = await self._land_part(stream, decoder, part, generation)
            rows, rejected = rows + landed[0], rejected + landed[1]
        self._cursors[batch.topic, batch.partition] = _Cursor(generation, int(batch.sequence_numbers[-1]) + 1)
        _tell(batch, Source(batch.topic, batch.partition, generation), rows, rejected)
        await self._raise_alarm(batch.topic, rows, rejected)

    def landed(self, topic: str, partition: int) -> int:
        """The last sequence number that this process landed of a partition, -1 where it landed none."""
        cursor = self._cursors.get((topic, partition))
        return -1 if cursor is None else cursor.expected - 1

    async def _land_part(
        self, stream: StreamDefinition, decoder: Decoder, part: MessageBatch, generation: str
    ) -> tuple[int, int]:
        source = Source(part.topic, part.partition, generation)
        if sum(map(len, part.bodies)) <= _INLINE_BYTES:
            prepared = _prepare(stream, decoder, part, source)
        else:
            loop = asyncio.get_running_loop()
            prepared = await loop.run_in_executor(self._decoding, _prepare, stream, decoder, part, source)
        await asyncio.gather(*(self._segments.write_encoded(name, data) for name, data in prepared.segments))
        return prepared.rows, prepared.rejected

    async def _generation_for(self, batch: MessageBatch) -> str:
        """Which generation the batch belongs to.

        As long as a batch continues the one that was landed before it, the hub is the same. Where it does not
        (a first batch, a redelivery, a gap, a hub that counts from zero again), the broker is asked.
        """
        cursor = self._cursors.pop((batch.topic, batch.partition), None)
        if cursor is not None and cursor.expected == int(batch.sequence_numbers[0]):
            return cursor.generation
        return await asyncio.to_thread(self._generation, batch.topic)

    def _generation(self, topic: str) -> str:
        with self._asking:  # its partitions ask at once: one of them tells the operator
            return self._noted_generation(topic)

    def _noted_generation(self, topic: str) -> str:
        generation = generation_of(self._hubs.identity(topic))
        before = self._generations.seen(topic, generation)
        if before is not None:
            message = f"the hub {topic} was made anew: generation {before} is followed by {generation}"
            _log.warning("hub made anew", topic=topic, generation=generation, before=before)
            self._notices.post("hub_made_anew", topic, message)
        return generation

    async def _raise_alarm(self, topic: str, rows: int, rejected: int) -> None:
        share = rejected / max(rows + rejected, 1)
        if rejected < self._limits.bad_minimum or share < self._limits.bad_share:
            return
        message = f"{rejected} of {rows + rejected} events in a batch of {topic} became dead letters"
        _log.warning("bad batch", topic=topic, rows=rows, dead_letters=rejected)
        await asyncio.to_thread(self._notices.post, "bad_batch", topic, message)


def _tell(batch: MessageBatch, source: Source, rows: int, rejected: int) -> None:
    """Counts what was landed, and names the requests that it came from."""
    LANDED_MESSAGES.add(len(batch), batch.topic)
    LANDED_ROWS.add(rows, batch.topic)
    LANDED_DEAD_LETTERS.add(rejected, batch.topic)
    came_from = batch.origins
    if not came_from.request_ids:
        return
    _log.info(
        "landed",
        source=source.app_id,
        first=int(batch.sequence_numbers[0]),
        last=int(batch.sequence_numbers[-1]),
        rows=rows,
        dead_letters=rejected,
        request_ids=came_from.request_ids,
        more_requests=came_from.more,
    )


def generation_of(identity: str) -> str:
    """A short name for a hub's identity, fit for paths and `txn` ids."""
    return hashlib.blake2b(identity.encode(), digest_size=4).hexdigest()


def _prepare(stream: StreamDefinition, decoder: Decoder, part: MessageBatch, source: Source) -> _Prepared:
    """Decodes `part` and encodes what came out as segments."""
    started = perf_counter()
    rows, letters = decoder.decode(part)
    first, last = int(part.sequence_numbers[0]), int(part.sequence_numbers[-1])
    segments = []
    if rows.num_rows:
        segments.append((describe(source, rows, stream, first, last).name(stream), encode(rows)))
    if letters:
        dead = dead_letter_rows(part, letters)
        alone = _messages_without_rows(dead, rows)
        segment = describe(source, dead, DEAD_LETTERS, first, last, alone)
        segments.append((segment.name(DEAD_LETTERS), encode(dead)))
    DECODE_DURATION.observe(perf_counter() - started, part.topic)
    return _Prepared(segments, rows.num_rows, sum(letter.items for letter in letters))


def _messages_without_rows(dead: pa.RecordBatch, rows: pa.RecordBatch) -> int:
    """Of how many messages in `dead` there are no `rows`."""
    import numpy as np

    numbers = (batch.column("_seq").to_numpy() for batch in (dead, rows))
    return len(np.setdiff1d(*numbers))


def _parts(batch: MessageBatch, limits: LandingLimits) -> Iterator[MessageBatch]:
    """`batch` in pieces of bounded bytes and messages, at least one message each."""
    if len(batch) <= limits.segment_rows and sum(map(len, batch.bodies)) <= limits.segment_bytes:
        yield batch
        return
    start = size = 0
    for i, length in enumerate(map(len, batch.bodies)):
        if i > start and (size + length > limits.segment_bytes or i - start >= limits.segment_rows):
            yield batch[start:i]
            start, size = i, 0
        size += length
    yield batch if start == 0 else batch[start : len(batch)]
