"""Messages of an events topic to Arrow rows and dead letters.

The fast path decodes each body on its own and builds columns; whatever it stumbles over goes through the
thorough one, message by message. A batch gives the same rows whichever way it took, and however it was cut,
so that a redelivery changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from shared.ingest.event_json import (
    MAX_DEPTH,
    NO_METADATA,
    Event,
    Fields,
    decode_fields,
    event_type_for,
    exceeds_depth,
    parse_event,
    split_message,
)
from shared.ingest.models import DeadLetter, MessageBatch, Reason, Rejected
from shared.ingest.timestamps import timestamp_column
from shared.lake.schema import row_schema
from shared.streams.events import EVENTS, event_type_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    type Vector = np.ndarray[Any, Any]

_ODD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NOTHING = (b"", b"null")


class EventDecoder:
    """Decodes the messages of one events topic."""

    def __init__(self, topic: str) -> None:
        self._event_type = event_type_of(topic)
        kind = event_type_for(self._event_type)
        self._decode_event = msgspec.json.Decoder(kind).decode
        packed: type[list[Event]] = list[kind]  # type: ignore[valid-type]
        self._decode_pack = msgspec.json.Decoder(packed).decode

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        """The rows of `batch` in stream order, in the schema of the events stream, and what is not one."""
        parsed = _Parsed()
        self._parse_fast(batch, parsed)
        rows = self._rows(batch, parsed)
        if rows is None:  # text that is not UTF-8 in a body, a wrong time, deep nesting: find out which
            parsed = _Parsed()
            for message, body in enumerate(batch.bodies):
                self._parse_thoroughly(message, body, parsed)
            rows = self._rows(batch, parsed)
            assert rows is not None, "what the thorough path took must fit the columns"
        return rows, parsed.dead_letters

    def _parse_fast(self, batch: MessageBatch, parsed: _Parsed) -> None:
        decode_event, decode_pack = self._decode_event, self._decode_pack
        add_event, add_fields = parsed.events.append, parsed.fields.append
        for message, body in enumerate(batch.bodies):
            try:
                if body[:1] == b"[":
                    events = decode_pack(body)
                    if not events:
                        self._parse_thoroughly(message, body, parsed)
                        continue
                    fields = [decode_fields(event.data) for event in events]
                    parsed.add_pack(message, events, fields)
                else:
                    event = decode_event(body)
                    add_fields(decode_fields(event.data))
                    add_event(event)
            except _ODD:
                self._parse_thoroughly(message, body, parsed)

    def _parse_thoroughly(self, message: int, body: bytes, parsed: _Parsed) -> None:
        """Takes what can be taken of one message; the rest becomes dead letters."""
        try:
            items = split_message(body)
        except Rejected as error:
            parsed.reject(DeadLetter(message, 0, 1, error.reason, error.message, body))
            return
        events: dict[int, tuple[Event, Fields]] = {}
        rejected: list[_Run] = []
        for idx, item in enumerate(items):
            try:
                events[idx] = parse_event(item, self._event_type)
            except Rejected as error:
                if rejected and rejected[-1].end == idx and rejected[-1].reason == error.reason:
                    rejected[-1].end += 1
                else:
                    rejected.append(_Run(idx, idx + 1, error.reason, error.message))
        if not events:
            first = rejected[0]
            parsed.reject(DeadLetter(message, 0, len(items), first.reason, first.detail, body))
            return
        parsed.add_some(message, events)
        parsed.dead_letters += [run.letter(message, items) for run in rejected]

    def _rows(self, batch: MessageBatch, parsed: _Parsed) -> pa.RecordBatch | None:
        """The columns of what was parsed, or None when a value does not fit its column."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        events, fields = parsed.events, parsed.fields
        messages, places = parsed.positions(len(batch))
        enqueued = np.asarray(batch.enqueued, np.int64)[messages]
        sequence = np.asarray(batch.sequence_numbers, np.int64)[messages]
        ingested = pa.array(enqueued, pa.timestamp("us", "UTC"))
        ids = [event.event_id for event in events]
        if None in ids:
            self._fill_ids(batch.partition, ids, sequence, places, enqueued)
        try:
            times = _times([event.timestamp for event in events], ingested)
            data = _json_column([event.data for event in events])
            metadata = _metadata(events)
            if _too_deep(data) or _too_deep(metadata):
                return None
            data, metadata = data.cast(pa.string()), metadata.cast(pa.string())
        except (Rejected, pa.ArrowInvalid):
            return None
        values = pa.array([f.amount if f.value is None else f.value for f in fields], pa.float64())
        count = len(events)
        columns = [
            pa.array(ids, pa.string()),
            pa.repeat(self._event_type, count),
            times,
            pa.array([f.user_id for f in fields], pa.string()),
            pa.array([f.region for f in fields], pa.string()),
            values,
            data,
            metadata,
            ingested,
            pc.cast(pa.repeat(batch.partition, count), pa.int32()),
            pa.array(sequence),
            pa.array(places),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=row_schema(EVENTS))

    def _fill_ids(
        self,
        partition: int,
        ids: list[str | None],
        sequence: Vector,
        places: Vector,
        enqueued: Vector,
    ) -> None:
        """Names events without an id by their place in the stream, so that a redelivery gives the same.

        The time they were taken at tells those of a hub made anew, which counts from zero again, apart.
        """
        stem = f"evt-{self._event_type}-{partition}"
        places_of = zip(sequence.tolist(), places.tolist(), enqueued.tolist(), strict=True)
        for row, (seq, idx, taken) in enumerate(places_of):
            if ids[row] is None:
                ids[row] = f"{stem}-{seq}-{idx}-{taken:x}"


class _Parsed:
    """What came out of the messages so far: events and fields row by row, and where each row stands."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fields: list[Fields] = []
        self.dead_letters: list[DeadLetter] = []
        # Rows that a message gave when it is not one row at place 0: message -> places of its rows.
        self._places: dict[int, range | list[int]] = {}

    def add_pack(self, message: int, events: list[Event], fields: list[Fields]) -> None:
        """Adds a packed message, every item of which is an event."""
        self.events += events
        self.fields += fields
        self._places[message] = range(len(events))

    def add_some(self, message: int, events: dict[int, tuple[Event, Fields]]) -> None:
        """Adds the events of a message by their places in it."""
        self.events += [event for event, _ in events.values()]
        self.fields += [fields for _, fields in events.values()]
        self._places[message] = list(events)

    def reject(self, letter: DeadLetter) -> None:
        """Adds a message that gave no row at all."""
        self.dead_letters.append(letter)
        self._places[letter.message] = ()  # type: ignore[assignment]

    def positions(self, messages: int) -> tuple[Vector, Vector]:
        """For each row the position of its message in the batch, and its place (`_idx`) in that message."""
        import numpy as np

        if not self._places:
            return np.arange(messages), np.zeros(messages, np.int32)
        counts = np.ones(messages, np.int64)
        for message, places in self._places.items():
            counts[message] = len(places)
        parts = [np.asarray(self._places.get(message, (0,)), np.int32) for message in range(messages)]
        return np.repeat(np.arange(messages), counts), np.concatenate(parts)


@dataclass(slots=True)
class _Run:
    """Neighbouring items of one message, from `start` to before `end`, that were rejected for one reason.

    They become one dead letter, so that garbage stays few.
    """

    start: int
    end: int
    reason: Reason
    detail: str

    def letter(self, message: int, items: list[bytes]) -> DeadLetter:
        bodies = items[self.start : self.end]
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        return DeadLetter(message, self.start, len(bodies), self.reason, self.detail, body)


def _times(texts: list[str | None], ingested: pa.Array) -> pa.Array:
    """Event times; where an event has none, when the broker took its message."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if None not in texts:
        return timestamp_column(texts)  # type: ignore[arg-type]
    present = [text for text in texts if text is not None]
    known = timestamp_column(present) if present else pa.array([], pa.timestamp("us", "UTC"))
    return pc.replace_with_mask(ingested, pa.array([text is not None for text in texts]), known)


def _json_column(texts: list[msgspec.Raw]) -> pa.Array:
    """The texts as one binary column, without an object for each."""
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, texts), np.int32, len(texts)), out=offsets[1:])
    return pa.Array.from_buffers(
        pa.binary(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    )


def _metadata(events: list[Event]) -> pa.Array:
    import pyarrow as pa

    raws = [event.metadata for event in events]
    if raws.count(NO_METADATA) == len(raws):
        return pa.nulls(len(raws), pa.binary())
    texts = [bytes(raw) for raw in raws]
    return pa.array([None if text in _NOTHING else text for text in texts], pa.binary())


def _too_deep(column: pa.Array) -> bool:
    """Whether a text in the column nests too deep; only texts long enough for that are looked at."""
    import pyarrow.compute as pc

    lengths = pc.binary_length(column)
    if (pc.max(lengths).as_py() or 0) < 2 * MAX_DEPTH:
        return False
    long = column.filter(pc.greater_equal(lengths, 2 * MAX_DEPTH))
    return any(exceeds_depth(text, MAX_DEPTH - 1) for text in long.to_pylist() if text is not None)
