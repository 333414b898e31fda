"""The loop that people write by hand: poll, decode, append to a Delta table, commit offsets.

It guarantees nothing: a kill between the append and the commit of the offsets doubles rows.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, Message, TopicPartition
from deltalake import write_deltalake

_ROWS_A_COMMIT = 250_000
_MESSAGES_A_POLL = 10_000


class _Fields(msgspec.Struct, gc=False):
    user_id: str | None = None
    region: str | None = None
    value: float | None = None


class _Event(msgspec.Struct, gc=False):
    event_id: str
    event_type: str
    timestamp: str
    data: msgspec.Raw


_decode = msgspec.json.Decoder(_Event).decode
_decode_pack = msgspec.json.Decoder(list[_Event]).decode
_decode_fields = msgspec.json.Decoder(_Fields).decode


def main() -> None:
    """Consumes one backlog, which the first argument describes as JSON."""
    job = json.loads(sys.argv[1])
    consumer = Consumer(
        {"bootstrap.servers": job["bootstrap"], "group.id": job["group"], "enable.auto.commit": False}
    )
    starts = enumerate(job["starts"])
    consumer.assign([TopicPartition(job["topic"], partition, offset) for partition, offset in starts])
    left = sum(job["ends"]) - sum(job["starts"])
    began, cpu = 0.0, 0.0
    waiting: list[pa.RecordBatch] = []
    while left:
        messages = consumer.consume(_MESSAGES_A_POLL, 0.2)
        if not messages:
            continue
        if not began:
            began, cpu = time.monotonic(), time.process_time()
        left -= len(messages)
        waiting.append(_rows(messages))
        if sum(batch.num_rows for batch in waiting) >= _ROWS_A_COMMIT or not left:
            _append(job, waiting)
            consumer.commit(asynchronous=False)
            waiting = []
    print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}))
    consumer.close()


def _rows(messages: list[Message]) -> pa.RecordBatch:
    events: list[_Event] = []
    partitions: list[int] = []
    offsets: list[int] = []
    for message in messages:
        if message.error() is not None:
            raise RuntimeError(message.error())
        value: Any = message.value()
        found = _decode_pack(value) if value[:1] == b"[" else [_decode(value)]
        events += found
        partitions += [message.partition() or 0] * len(found)
        offsets += [message.offset() or 0] * len(found)
    fields = [_decode_fields(event.data) for event in events]
    times = pa.array([event.timestamp for event in events]).cast(pa.timestamp("us", "UTC"))
    columns = {
        "event_id": pa.array([event.event_id for event in events]),
        "event_type": pa.array([event.event_type for event in events]),
        "timestamp": times,
        "user_id": pa.array([field.user_id for field in fields], pa.string()),
        "region": pa.array([field.region for field in fields], pa.string()),
        "value": pa.array([field.value for field in fields], pa.float64()),
        "data": pa.array([bytes(event.data) for event in events], pa.binary()).cast(pa.string()),
        "_partition": pa.array(partitions, pa.int32()),
        "_seq": pa.array(offsets, pa.int64()),
        "date": times.cast(pa.date32()),
        "hour": pc.hour(times).cast(pa.int32()),
    }
    return pa.RecordBatch.from_pydict(columns)


def _append(job: dict[str, Any], batches: list[pa.RecordBatch]) -> None:
    write_deltalake(
        job["table"],
        pa.Table.from_batches(batches),
        mode="append",
        partition_by=["event_type", "date", "hour"],
        storage_options=job["storage_options"],
    )


if __name__ == "__main__":
    main()
