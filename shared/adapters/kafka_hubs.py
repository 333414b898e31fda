"""Which topic this is, told by Kafka: a topic made anew has another id, a cluster too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from shared.platform.errors import BrokerUnavailable

_TIMEOUT = 8.0


class KafkaHubs:
    """Implements shared.ingest.ports.Hubs."""

    def __init__(self, connection: dict[str, Any], *, volatile: bool) -> None:
        """A `volatile` broker (librdkafka's mock) knows no topic ids; it loses all topics at once."""
        self._admin = AdminClient({**connection, "log_level": 3})
        self._volatile = volatile

    def identity(self, topic: str) -> str:
        """See the port."""
        try:
            # Asked about one topic by name, a broker may make it.
            cluster = self._admin.list_topics(timeout=_TIMEOUT).cluster_id
            return str(cluster) if self._volatile else f"{cluster}/{self._topic_id(topic)}"
        except KafkaException as error:
            raise BrokerUnavailable(f"the broker does not describe {topic}: {error}") from error

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """See the port."""
        try:
            known = self._admin.list_topics(timeout=_TIMEOUT).topics
            asked = {
                TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
                for topic in topics
                if topic in known
                for partition in known[topic].partitions
            }
            answers = self._admin.list_offsets(asked, request_timeout=_TIMEOUT) if asked else {}
            return {(at.topic, at.partition): found.result().offset - 1 for at, found in answers.items()}
        except KafkaException as error:
            raise BrokerUnavailable(f"the broker does not say how far its topics reach: {error}") from error

    def ping(self) -> None:
        """Raises BrokerUnavailable when the broker does not answer within a few seconds."""
        try:
            self._admin.list_topics(timeout=3.0)
        except KafkaException as error:
            raise BrokerUnavailable(f"the broker does not answer: {error}") from error

    def _topic_id(self, topic: str) -> str:
        described = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT)
        return str(described[topic].result().topic_id)
