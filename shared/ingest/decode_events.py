"""Messages of an events topic to Arrow rows and dead letters.

The fast path decodes each body on its own and builds columns; whatever it stumbles over goes through the
thorough one, message by message. A batch gives the same rows whichever way it took, and however it was cut,
so that a redelivery changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.ingest.event_json import (
    NO_METADATA,
    Event,
    Fields,
    decode_fields,
    event_type_for,
    parse_event,
)
from shared.ingest.json_text import MAX_DEPTH, exceeds_depth
from shared.ingest.models import DeadLetter, MessageBatch, Rejected
from shared.ingest.packs import ODD, Places
from shared.ingest.timestamps import timestamp_column
from shared.lake.schema import row_schema
from shared.streams.events import EVENTS, event_type_of

if TYPE_CHECKING:
    import pyarrow as pa

    from shared.ingest.packs import Vector

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
            except ODD:
                self._parse_thoroughly(message, body, parsed)

    def _parse_thoroughly(self, message: int, body: bytes, parsed: _Parsed) -> None:
        """Takes what can be taken of one message; the rest becomes dead letters."""
        for event, fields in parsed.take(message, body, lambda item: parse_event(item, self._event_type)):
            parsed.events.append(event)
            parsed.fields.append(fields)

    def _rows(self, batch: MessageBatch, parsed: _Parsed) -> pa.RecordBatch | None:
        """The columns of what was parsed, or None when a value does not fit its column."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        events, fields = parsed.events, parsed.fields
        messages, places = parsed.positions(batch)
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


class _Parsed(Places):
    """What came out of the messages so far: events and fields row by row, and where each row stands."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.fields: list[Fields] = []

    def add_pack(self, message: int, events: list[Event], fields: list[Fields]) -> None:
        """Adds a packed message, every item of which is an event."""
        self.events += events
        self.fields += fields
        self.place(message, range(len(events)))


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
