"""A stand-in for Event Hubs Capture: the Avro files that its documentation describes, of the same messages.

Taken from the documentation: the schema, a file for each partition and window of 5 minutes or 300 MB
(whichever is full first), its name, and both encodings of the management API, `Avro` (codec null) and
`AvroDeflate`. What is not documented is left as small as it can be: both maps are empty, and windows without
a message make no file. So sizes are a lower bound. Capture itself runs inside Event Hubs: what it costs
there is not measured here.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import fastavro
import msgspec
import obstore
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Message as Delivered
from obstore.store import AzureStore

from bench.events import watermarks

Codec = Literal["null", "deflate"]
CODECS: tuple[Codec, ...] = ("null", "deflate")

_WINDOW = timedelta(minutes=5)
_WINDOW_BYTES = 300 * 2**20
_BLOCK_BYTES = 64_000
_PARALLEL = 4
_PROPERTIES = {"type": "map", "values": ["long", "double", "string", "bytes"]}
_SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "EventData",
        "namespace": "Microsoft.ServiceBus.Messaging",
        "fields": [
            {"name": "SequenceNumber", "type": "long"},
            {"name": "Offset", "type": "string"},
            {"name": "EnqueuedTimeUtc", "type": "string"},
            {"name": "SystemProperties", "type": _PROPERTIES},
            {"name": "Properties", "type": _PROPERTIES},
            {"name": "Body", "type": ["null", "bytes"]},
        ],
    }
)

Event = tuple[int, int, bytes]
"""Sequence number, milliseconds since 1970 when it was enqueued, body."""


def capture(
    bootstrap: str, topic: str, store: AzureStore, codec: Codec, enqueued: Callable[[bytes], int]
) -> tuple[int, int]:
    """Writes all of `topic` into `<codec>/…` of `store`; returns the number of files and of their bytes.

    `enqueued` gives of a body the milliseconds since 1970 at which it counts as enqueued, so that a backlog
    is captured as if it had come in its own time.
    """
    files = size = 0
    put = partial(_put, store, f"{codec}/namespace/{topic}")
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for partition, end in enumerate(watermarks(bootstrap, topic)):
            bodies = _consume(bootstrap, topic, partition, end)
            windows = cut((number, enqueued(body), body) for number, body in bodies)
            written = [(window[0][1], encoded(window, codec)) for window in windows]
            list(pool.map(lambda one, at=partition: put(at, *one), written))
            files, size = files + len(written), size + sum(len(content) for _, content in written)
    return files, size


def cut(events: Iterable[Event]) -> Iterator[list[Event]]:
    """One partition's events by windows: 5 minutes on the clock, or 300 MB of bodies."""
    window: list[Event] = []
    held, number = 0, -1
    for event in events:
        _, moment, body = event
        at = moment // (_WINDOW // timedelta(milliseconds=1))
        if window and (at != number or held >= _WINDOW_BYTES):
            yield window
            window, held = [], 0
        number = at
        held += len(body)
        window.append(event)
    if window:
        yield window


def encoded(events: Iterable[Event], codec: Codec) -> bytes:
    """An Avro container file of Capture's schema."""
    target = io.BytesIO()
    records = (_record(*event) for event in events)
    fastavro.writer(target, _SCHEMA, records, codec=codec, sync_interval=_BLOCK_BYTES)
    return target.getvalue()


def find(store: AzureStore, codec: Codec, wanted: Callable[[dict[str, Any]], bool], hint: bytes) -> int:
    """How many readings are `wanted`. All files are read: nothing outside of a body says whose it is.

    Bodies without `hint` are not decoded.
    """
    found = 0
    with ThreadPoolExecutor(_PARALLEL) as pool:
        paths = [blob["path"] for page in obstore.list(store, f"{codec}/") for blob in page]
        for content in pool.map(lambda path: obstore.get(store, path).bytes().to_bytes(), paths):
            for record in fastavro.reader(io.BytesIO(content)):
                body = record["Body"]  # type: ignore[index,call-overload]
                found += hint in body and wanted(msgspec.json.decode(body))
    return found


def _record(number: int, moment: int, body: bytes) -> dict[str, Any]:
    enqueued = datetime.fromtimestamp(moment / 1000, UTC)
    clock = f"{enqueued.hour % 12 or 12}:{enqueued:%M:%S %p}"
    text = f"{enqueued.month}/{enqueued.day}/{enqueued.year} {clock}"
    return {
        "SequenceNumber": number,
        "Offset": str(number),
        "EnqueuedTimeUtc": text,
        "SystemProperties": {},
        "Properties": {},
        "Body": body,
    }


def _put(store: AzureStore, prefix: str, partition: int, moment: int, content: bytes) -> None:
    begun = datetime.fromtimestamp(moment / 1000, UTC)
    path = f"{prefix}/{partition}/{begun:%Y/%m/%d/%H/%M/%S}.avro"
    # Two full windows that begin in one second would share a name: better an error than a file less.
    obstore.put(store, path, content, mode="create")


def _consume(bootstrap: str, topic: str, partition: int, end: int) -> Iterator[tuple[int, bytes]]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-capture"})
    consumer.assign([TopicPartition(topic, partition, 0)])
    deadline = time.monotonic() + 600
    taken = 0
    try:
        while taken < end:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{taken:,} of {end:,} messages of partition {partition} came")
            for message in consumer.consume(5000, 1.0):
                yield _read(message)
                taken += 1
    finally:
        consumer.close()


def _read(message: Delivered) -> tuple[int, bytes]:
    if message.error():
        raise RuntimeError(f"The broker gave an error: {message.error()}")
    number, body = message.offset(), message.value()
    assert number is not None
    assert body is not None
    return number, body
