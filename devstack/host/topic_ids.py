"""The ids that Kafka gives topics: another topic of the same name has another id."""

import logging
import threading

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

log = logging.getLogger(__name__)

_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
_TIMEOUT = 2.0


class TopicIds:
    """Asks the broker; usable from any thread."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._lock = threading.Lock()
        self._admin: AdminClient | None = None
        self._known: bool | None = None
        """Whether this broker tells ids at all; None while that is open."""

    def find(self, topic: str) -> str | None:
        """The topic's id, or None when there is no such topic, no answer, or a broker without ids."""
        if self._known is False:
            return None
        try:
            described = self._client().describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT)
            found = str(described[topic].result(_TIMEOUT).topic_id)
        except KafkaException:
            return None
        except TimeoutError:
            self._doubt()
            return None
        self._known = True
        return None if found == _NO_ID else found

    def _doubt(self) -> None:
        """librdkafka's mock broker never answers this question, and nobody should wait for it twice."""
        if self._known is None and self._answers():
            log.info("the broker tells no topic ids: a topic made anew is not noticed")
            self._known = False

    def _answers(self) -> bool:
        try:
            self._client().list_topics(timeout=_TIMEOUT)
        except KafkaException:
            return False
        return True

    def _client(self) -> AdminClient:
        with self._lock:
            if self._admin is None:
                self._admin = AdminClient({"bootstrap.servers": self._kafka}, logger=log)
            return self._admin
