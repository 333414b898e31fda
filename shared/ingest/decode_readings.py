"""Messages of the sensor readings' topic to Arrow rows and dead letters.

The fast path decodes readings of the forms learned so far straight into structs; all others go through the
thorough one, message by message. A batch gives the same rows whichever way it took, and however it was cut,
so that a redelivery changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.ingest.json_text import MAX_DEPTH
from shared.ingest.models import DeadLetter, MessageBatch, Reason, Rejected
from shared.ingest.packs import ODD, Places
from shared.ingest.reading_forms import Form, Forms
from shared.ingest.reading_json import Parsed, Reading, Value, check_depth, parse_reading
from shared.ingest.reading_times import microseconds, microseconds_of
from shared.lake.schema import row_schema
from shared.streams.readings import READINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

# A form costs as much as a hundred readings: a batch of nothing but strange ones shall not learn from each.
_LESSONS = 4


class ReadingDecoder:
    """Decodes the messages of the topic of sensor readings."""

    def __init__(self) -> None:
        self._forms = Forms()

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        """The rows of `batch` in stream order, in the schema of the readings stream, and what is not one."""
        parsed = _Rows()
        self._parse_fast(batch, parsed)
        try:
            return parsed.batch(batch), parsed.dead_letters
        except Rejected:  # a wrong time, further fields that are not UTF-8 or nest deep: find out which
            parsed = _Rows()
            for message, body in enumerate(batch.bodies):
                parsed.take_thoroughly(message, body, check_times=True)
            return parsed.batch(batch), parsed.dead_letters

    def _parse_fast(self, batch: MessageBatch, parsed: _Rows) -> None:
        decode, decode_pack = parsed.expect(self._forms.latest)
        lessons = _LESSONS
        add = parsed.readings.append
        for message, body in enumerate(batch.bodies):
            try:
                if body[:1] != b"[":
                    add(decode(body))
                    continue
                readings = decode_pack(body)
                if readings:
                    parsed.add_pack(message, readings)
                    continue
            except ODD:
                pass
            names = parsed.take_thoroughly(message, body)
            if names and lessons:
                lessons -= 1
                decode, decode_pack = parsed.expect(self._forms.learn(names))


def _parse_checked(text: bytes) -> Parsed:
    parsed = parse_reading(text)
    if parsed.reading.timestamp is not None:
        microseconds(parsed.reading.timestamp)
    return parsed


class _Rows(Places):
    """What came out of the messages so far: readings row by row, and the further fields of those that were
    taken thoroughly."""

    def __init__(self) -> None:
        super().__init__()
        self.readings: list[Reading] = []
        self._attributes: dict[int, bytes] = {}
        self._forms: dict[type[Reading], Form] = {}

    def expect(self, form: Form) -> tuple[Any, Any]:
        """Readings of `form` may be added from now on; what decodes one, and a pack of them."""
        self._forms[form.reading] = form
        return form.decode, form.decode_pack

    def add_pack(self, message: int, readings: list[Reading]) -> None:
        """Adds a packed message, every item of which is a reading."""
        self.readings += readings
        self.place(message, range(len(readings)))

    def take_thoroughly(self, message: int, body: bytes, *, check_times: bool = False) -> frozenset[str]:
        """Takes what can be taken of one message; the rest becomes dead letters. The names of all fields."""
        names: frozenset[str] = frozenset()
        for parsed in self.take(message, body, _parse_checked if check_times else parse_reading):
            names |= parsed.names
            if parsed.attributes is not None:
                self._attributes[len(self.readings)] = parsed.attributes
            self.readings.append(parsed.reading)
        return names

    def batch(self, batch: MessageBatch) -> pa.RecordBatch:
        """The columns; raises Rejected where a value that was not checked is none."""
        import numpy as np
        import pyarrow as pa

        readings = self.readings
        messages, places = self.positions(batch)
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
            self._attribute_column(),
            pa.array(enqueued, moment),
            pa.array(np.full(len(readings), batch.partition, np.int32)),
            pa.array(np.asarray(batch.sequence_numbers, np.int64)[messages]),
            pa.array(places),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=row_schema(READINGS))

    def _attribute_column(self) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._attributes and not any(form.further for form in self._forms.values()):
            return pa.nulls(len(self.readings), pa.string())
        of: dict[type[Reading], Callable[[Reading], bytes | None]] = {Reading: _no_attributes}
        of |= {kind: form.attributes for kind, form in self._forms.items()}
        texts = [of[type(reading)](reading) for reading in self.readings]
        for row, attributes in self._attributes.items():
            texts[row] = attributes
        column = pa.array(texts, pa.binary())
        if (pc.max(pc.binary_length(column)).as_py() or 0) > 2 * MAX_DEPTH:
            for text in texts:
                check_depth(text or b"")
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise Rejected(Reason.NOT_UTF8, str(error)) from None


def _no_attributes(_: Reading) -> None:
    """Of readings taken thoroughly, the further fields are told apart from them."""


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
