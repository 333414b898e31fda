"""A broker in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from shared.ingest.ports import OutgoingMessage, Position
from shared.platform.errors import BrokerUnavailable


class MemoryBroker:
    """Implements Publisher, Hubs and HubEnds of shared.ingest.ports; `down` makes it answer nothing."""

    def __init__(self, topics: Sequence[str] = (), partitions: int = 4) -> None:
        self.messages: dict[str, list[list[OutgoingMessage]]] = {}
        self.down = False
        self._ids = count()
        self._identities: dict[str, str] = {}
        for topic in topics:
            self.make(topic, partitions)

    def make(self, topic: str, partitions: int = 4) -> None:
        """Makes the topic, anew when it exists."""
        self.messages[topic] = [[] for _ in range(partitions)]
        self._identities[topic] = f"{topic}-{next(self._ids)}"

    async def partitions(self, topic: str) -> int:
        return len(self._topic(topic))

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[Position | Exception]:
        return [self._append(message) for message in messages]

    def identity(self, topic: str) -> str:
        self._topic(topic)
        return self._identities[topic]

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        return {
            (topic, number): len(partition) - 1
            for topic in topics
            for number, partition in enumerate(self._topic(topic))
        }

    def _append(self, message: OutgoingMessage) -> Position | Exception:
        try:
            partition = self._topic(message.topic)[message.partition]
        except (BrokerUnavailable, IndexError) as error:
            return BrokerUnavailable(f"the broker did not acknowledge: {error}")
        partition.append(message)
        return Position(message.topic, message.partition, len(partition) - 1)

    def _topic(self, topic: str) -> list[list[OutgoingMessage]]:
        if self.down or topic not in self.messages:
            raise BrokerUnavailable(f"the broker has no topic {topic}")
        return self.messages[topic]
