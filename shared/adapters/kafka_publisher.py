"""Producing through librdkafka: to Event Hubs by its Kafka endpoint, and to Kafka itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

from confluent_kafka import KafkaException, Producer

from shared.ingest.ports import OutgoingMessage, Position
from shared.platform.errors import BrokerUnavailable
from shared.telemetry.catalogue import PRODUCE_DURATION, PRODUCE_ERRORS, PRODUCED, PRODUCED_LAST_MINUTE

# How long a topic's number of partitions is taken as known, in seconds.
_PARTITIONS_TTL = 60.0
# Requests that come within it share one to the broker.
_LINGER_MS = 5


class KafkaPublisher:
    """Implements shared.ingest.ports.Publisher. One librdkafka producer and one thread serve the process."""

    def __init__(self, connection: dict[str, Any], *, timeout_seconds: float) -> None:
        """`connection` is librdkafka's configuration of the broker; `timeout_seconds` bounds each message."""
        self._timeout = timeout_seconds
        self._producer = Producer(
            {
                **connection,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": _LINGER_MS,
                "message.timeout.ms": int(timeout_seconds * 1000),
                "message.max.bytes": 1_000_000,
                "queue.buffering.max.kbytes": 65_536,
                "socket.keepalive.enable": True,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 3,
            }
        )
        self._partitions: dict[str, tuple[int, float]] = {}
        threading.Thread(target=self._serve, name="kafka-acks", daemon=True).start()

    async def partitions(self, topic: str) -> int:
        """See the port."""
        known = self._partitions.get(topic)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        try:
            count = await asyncio.to_thread(self._ask_partitions, topic)
        except BrokerUnavailable:
            if known is None:
                raise
            count = known[0]  # partitions are never taken away: the last answer still serves
        self._partitions[topic] = (count, time.monotonic() + _PARTITIONS_TTL)
        return count

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[Position | Exception]:
        """See the port."""
        loop = asyncio.get_running_loop()
        waiting = [self._send(message, loop) for message in messages]
        self._producer.poll(0)
        return [await outcome for outcome in waiting]

    def _send(
        self, message: OutgoingMessage, loop: asyncio.AbstractEventLoop
    ) -> asyncio.Future[Position | Exception]:
        outcome: asyncio.Future[Position | Exception] = loop.create_future()
        started = perf_counter()

        def settle(result: Position | Exception) -> None:
            if not outcome.done():
                outcome.set_result(result)

        def delivered(error: Any, sent: Any) -> None:
            result = _refusal(error) if error else Position(sent.topic(), sent.partition(), sent.offset())
            _count(message, perf_counter() - started, failed=bool(error))
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result)

        try:
            self._producer.produce(
                message.topic,
                value=message.value,
                key=message.key,
                partition=message.partition,
                headers=list(message.headers),
                on_delivery=delivered,
            )
        except (KafkaException, BufferError) as error:
            _count(message, 0.0, failed=True)
            settle(_refusal(error))
        return outcome

    def _ask_partitions(self, topic: str) -> int:
        try:
            # Asked about one topic by name, a broker may make it.
            found = self._producer.list_topics(timeout=self._timeout).topics.get(topic)
        except KafkaException as error:
            raise _refusal(error) from error
        if found is None or found.error is not None or not found.partitions:
            raise BrokerUnavailable(f"the broker has no topic {topic}")
        return len(found.partitions)

    def _serve(self) -> None:
        while True:
            self._producer.poll(1.0)


def _count(message: OutgoingMessage, seconds: float, *, failed: bool) -> None:
    if failed:
        PRODUCE_ERRORS.add(1, message.topic)
        PRODUCED_LAST_MINUTE.add(0, 1, 0.0, 0)
        return
    PRODUCED.add(1, message.topic)
    PRODUCE_DURATION.observe(seconds, message.topic)
    PRODUCED_LAST_MINUTE.add(1, 0, seconds, message.events)


def _refusal(error: object) -> BrokerUnavailable:
    return BrokerUnavailable(f"the broker did not acknowledge: {error}")
