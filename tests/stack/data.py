"""A message and a blob: put into a stack, and read back from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack.running import RunningStack

# No stream's topic or container: the function app leaves them alone.
TOPIC, CONTAINER, BLOB = "stack-test", "stack-test", "a/b"


def put_message(stack: RunningStack, value: bytes) -> None:
    """Produces one message and waits for the broker's acknowledgement."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap"], "log_level": 0})
    producer.produce(TOPIC, value, partition=0)
    assert producer.flush(15) == 0


def read_messages(stack: RunningStack, count: int) -> list[bytes | None]:
    """The first `count` messages."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {"bootstrap.servers": stack.info["kafka_bootstrap"], "group.id": "stack-test", "log_level": 0}
    )
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        found: list[bytes | None] = []
        deadline = time.monotonic() + 60
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append(message.value())
        return found
    finally:
        consumer.close()


def put_blob(stack: RunningStack, value: bytes) -> None:
    """Writes the blob."""
    with _container(stack) as container:
        container.create_container()
        container.upload_blob(BLOB, value)


def read_blob(stack: RunningStack) -> bytes:
    """Reads the blob."""
    with _container(stack) as container:
        return bytes(container.download_blob(BLOB).readall())


@contextmanager
def _container(stack: RunningStack) -> Iterator:
    from azure.storage.blob import ContainerClient

    connection = stack.info["storage_connection_string"]
    with ContainerClient.from_connection_string(connection, CONTAINER) as container:
        yield container
