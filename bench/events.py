"""Events to measure with: 150 to 170 bytes of JSON each, one a message or packed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from bench.stack import PARTITIONS

_REGIONS = ("us-east", "eu-west", "ap-east", "sa-east")
_ACTIONS = ("click", "hover", "share", "close")


@dataclass(frozen=True)
class Backlog:
    """Messages that wait in a topic: per partition from `starts` to `ends`, `events` in all.

    Their ids are `<prefix>-<n>`, n counting from 0.
    """

    topic: str
    prefix: str
    events: int
    starts: Sequence[int]
    ends: Sequence[int]


def event_texts(event_type: str, prefix: str, count: int) -> Iterator[bytes]:
    """The events' JSON, a millisecond apart and ending now."""
    start = datetime.now(UTC) - timedelta(milliseconds=count)
    for second in range(-(-count // 1000)):
        moment = (start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
        for n in range(1000 * second, min(count, 1000 * (second + 1))):
            yield (
                f'{{"event_id":"{prefix}-{n:07d}","event_type":"{event_type}",'
                f'"timestamp":"{moment}.{n % 1000:03d}Z",'
                f'"data":{{"user_id":"u{n % 997:03d}","action":"{_ACTIONS[n % 4]}","value":{n % 100},'
                f'"region":"{_REGIONS[n % 3]}"}}}}'
            ).encode()


def packed(texts: Iterator[bytes], events: int) -> Iterator[bytes]:
    """The same events, `events` a message."""
    pack: list[bytes] = []
    for text in texts:
        pack.append(text)
        if len(pack) == events:
            yield b"[" + b",".join(pack) + b"]"
            pack = []
    if pack:
        yield b"[" + b",".join(pack) + b"]"


def produce(bootstrap: str, event_type: str, prefix: str, events: int, pack: int = 1) -> Backlog:
    """Puts `events` events in turn into the partitions of their type's topic, `pack` a message.

    Returns when the broker has them all.
    """
    topic = f"events.{event_type}"
    texts = event_texts(event_type, prefix, events)
    starts = watermarks(bootstrap, topic)
    put(bootstrap, topic, texts if pack == 1 else packed(texts, pack))
    return Backlog(topic, prefix, events, starts, watermarks(bootstrap, topic))


class Message(NamedTuple):
    """What is sent."""

    value: bytes
    key: str
    partition: int


def put(bootstrap: str, topic: str, values: Iterator[bytes]) -> None:
    """Sends values with keys, in turn to the partitions; raises RuntimeError when one was not taken."""
    turns = (Message(value, f"u{n % 997:03d}", n % PARTITIONS) for n, value in enumerate(values))
    send(bootstrap, topic, turns)


def send(bootstrap: str, topic: str, messages: Iterable[Message]) -> None:
    """Sends messages and waits until the broker has them; raises RuntimeError when one was not taken."""
    failed: list[Any] = []
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 131_072,
            "message.max.bytes": 1_000_000,
            # In order, and none twice.
            "enable.idempotence": True,
            "acks": "all",
            "on_delivery": lambda error, _: failed.append(error) if error else None,
        }
    )
    for n, (value, key, partition) in enumerate(messages):
        while True:
            try:
                producer.produce(topic, value, key, partition)
                break
            except BufferError:
                producer.poll(0.05)
        if n % 1000 == 0:
            producer.poll(0)
    if left := producer.flush(60) or len(failed):
        raise RuntimeError(f"{left} messages were not taken: {failed[:1]}")


def watermarks(bootstrap: str, topic: str) -> list[int]:
    """The offset after the last message of each partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-watermarks"})
    try:
        spots = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        return [_watermark(consumer, spot) for spot in spots]
    finally:
        consumer.close()


def _watermark(consumer: Consumer, spot: TopicPartition) -> int:
    deadline = time.monotonic() + 15
    while True:
        try:
            return int(consumer.get_watermark_offsets(spot, timeout=5)[1])
        except KafkaException:  # a topic that was just made has no leader for a moment
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
