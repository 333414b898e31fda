"""The ids that Kafka gives topics: another topic of the same name has another id."""

import logging
import threading

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

log = logging.getLogger(__name__)

_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"


class TopicIds:
    """Asks the broker; usable from any thread."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._lock = threading.Lock()
        self._admin: AdminClient | None = None

    def find(self, topic: str) -> str | None:
        """The topic's id, or None when there is no such topic, no answer, or a broker without ids."""
        try:
            described = self._client().describe_topics(TopicCollection([topic]), request_timeout=5)
            found = str(described[topic].result(5).topic_id)
        except (KafkaException, TimeoutError):
            return None
        return None if found == _NO_ID else found

    def _client(self) -> AdminClient:
        with self._lock:
            if self._admin is None:
                self._admin = AdminClient({"bootstrap.servers": self._kafka}, logger=log)
            return self._admin
