"""Keeps a trigger from consuming more than its partitions' tasks take."""

import threading
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from devstack.host.hub_partition import HubPartition

_PATIENCE = 0.2
"""Seconds to wait for a full partition before it is paused, which discards what was fetched of it ahead."""


class BackPressure:
    """Used on the consuming thread, but for `made_room`."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._room = threading.Event()
        self._paused: set[int] = set()

    def made_room(self) -> None:
        """A partition took messages out of its buffer, or waiting is over (thread-safe)."""
        self._room.set()

    def forget(self, number: int) -> None:
        """The partition is gone, and comes back unpaused."""
        self._paused.discard(number)

    def wait(self, consumer: Consumer, partitions: Mapping[int, HubPartition]) -> None:
        """Return when more may be consumed.

        While all goes well, a full partition has room again within milliseconds. One that has none for longer
        (its batch is slow, or is tried again) is paused until it has, so that the others go on.
        """
        self._resume(consumer, [number for number in self._paused if partitions[number].buffer.low])
        deadline = time.monotonic() + _PATIENCE
        while True:
            self._room.clear()
            full = [
                number
                for number, partition in partitions.items()
                if number not in self._paused and partition.buffer.full
            ]
            if not full:
                return
            if not self._room.wait(max(0.0, deadline - time.monotonic())):
                consumer.pause([TopicPartition(self._topic, number) for number in full])
                self._paused.update(full)
                return

    def _resume(self, consumer: Consumer, numbers: list[int]) -> None:
        if numbers:
            consumer.resume([TopicPartition(self._topic, number) for number in numbers])
            self._paused.difference_update(numbers)
