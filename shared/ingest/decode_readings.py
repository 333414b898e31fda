"""Messages of the sensor readings' topic to Arrow rows and dead letters.

The fast path decodes readings of the usual forms straight into structs; all others go through the thorough
one, message by message. A batch gives the same rows whichever way it took, and however it was cut, so that a
redelivery changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shared.ingest.models import DeadLetter, MessageBatch, Rejected
from shared.ingest.packs import ODD, Places
from shared.ingest.reading_json import Reading, ShortReading, Value, parse_reading
from shared.ingest.reading_times import microseconds, microseconds_of
from shared.lake.schema import row_schema
from shared.streams.readings import READINGS

if TYPE_CHECKING:
    import pyarrow as pa

_FORMS = tuple(
    (msgspec.json.Decoder(form).decode, msgspec.json.Decoder(list[form]).decode)  # type: ignore[valid-type]
    for form in (Reading, ShortReading)
)


class ReadingDecoder:
    """Decodes the messages of the topic of sensor readings."""

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        """The rows of `batch` in stream order, in the schema of the readings stream, and what is not one."""
        parsed = _Parsed()
        self._parse_fast(batch, parsed)
        try:
            return _rows(batch, parsed), parsed.dead_letters
        except Rejected:  # a wrong time: find out which
            parsed = _Parsed()
            for message, body in enumerate(batch.bodies):
                parsed.take_thoroughly(message, body, _checked)
            return _rows(batch, parsed), parsed.dead_letters

    def _parse_fast(self, batch: MessageBatch, parsed: _Parsed) -> None:
        decode, decode_pack = _FORMS[0]
        add = parsed.readings.append
        for message, body in enumerate(batch.bodies):
            try:
                if body[:1] == b"[":
                    parsed.add_pack(message, decode_pack(body))
                else:
                    add(decode(body))
            except ODD:
                parsed.take_thoroughly(message, body, parse_reading)


def _checked(text: bytes) -> tuple[Reading, bytes | None]:
    reading, attributes = parse_reading(text)
    if reading.timestamp is not None:
        microseconds(reading.timestamp)
    return reading, attributes


class _Parsed(Places):
    """What came out of the messages so far: readings row by row, the further fields of some rows, and where
    each row stands."""

    def __init__(self) -> None:
        super().__init__()
        self.readings: list[Reading] = []
        self.attributes: dict[int, bytes] = {}

    def add_pack(self, message: int, readings: list[Reading]) -> None:
        """Adds a packed message, every item of which is a reading."""
        self.readings += readings
        self.place(message, range(len(readings)))

    def take_thoroughly(self, message: int, body: bytes, parse: Any) -> None:
        for reading, attributes in self.take(message, body, parse):
            if attributes is not None:
                self.attributes[len(self.readings)] = attributes
            self.readings.append(reading)


def _rows(batch: MessageBatch, parsed: _Parsed) -> pa.RecordBatch:
    """The columns of what was parsed; raises Rejected where a timestamp is none."""
    import numpy as np
    import pyarrow as pa

    readings = parsed.readings
    count = len(readings)
    messages, places = parsed.positions(batch)
    enqueued = np.asarray(batch.enqueued, np.int64)[messages]
    moment = pa.timestamp("us", "UTC")
    numbers, texts = _values([reading.value for reading in readings])
    columns = [
        _text_column([reading.asset_id for reading in readings]),
        _text_column([reading.sensor_id for reading in readings]),
        pa.array(microseconds_of([reading.timestamp for reading in readings], enqueued), moment),
        numbers,
        texts,
        _text_column([reading.unit for reading in readings]),
        _text_column([reading.quality for reading in readings]),
        _attributes(parsed.attributes, count),
        pa.array(enqueued, moment),
        pa.array(np.full(count, batch.partition, np.int32)),
        pa.array(np.asarray(batch.sequence_numbers, np.int64)[messages]),
        pa.array(places),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=row_schema(READINGS))


def _text_column(texts: list[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(texts, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        written = [text if text is None or isinstance(text, str) else str(text) for text in texts]
        return pa.array(written, pa.string())


def _values(values: list[Value]) -> tuple[pa.Array, pa.Array]:
    """Numbers, true and false as 1 and 0; and what is no number, as text."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.float64()), pa.nulls(len(values), pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        numbers = [None if isinstance(value, str) else value for value in values]
        texts = [value if isinstance(value, str) else None for value in values]
        return pa.array(numbers, pa.float64()), pa.array(texts, pa.string())


def _attributes(known: dict[int, bytes], count: int) -> pa.Array:
    import pyarrow as pa

    if not known:
        return pa.nulls(count, pa.string())
    return pa.array([known.get(row) for row in range(count)], pa.binary()).cast(pa.string())
