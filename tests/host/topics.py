"""Topics of the tests' own."""

from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.host.running import wait_until

# The messages keep the time that the producer gives them.
_CONFIG = {"message.timestamp.type": "CreateTime"}


class Topic:
    """A topic on the broker, made on demand."""

    def __init__(self, kafka: str, name: str) -> None:
        self.name = name
        self._kafka = kafka
        self._admin = AdminClient({"bootstrap.servers": kafka})

    def create(self, partitions: int = 1) -> "Topic":
        """Make it; a topic of the name that is being deleted is waited for."""

        def created() -> bool:
            try:
                self._admin.create_topics([NewTopic(self.name, partitions, 1, config=_CONFIG)])[
                    self.name
                ].result(10)
            except KafkaException:
                return False
            return True

        wait_until(created)
        return self

    def delete(self) -> None:
        self._admin.delete_topics([self.name])[self.name].result(10)

    def send(self, bodies: Iterable[str | None], partition: int = 0, **fields: object) -> None:
        """Append messages, acknowledged."""
        producer = Producer({"bootstrap.servers": self._kafka})
        for body in bodies:
            value = None if body is None else body.encode()
            producer.produce(self.name, value, partition=partition, **fields)  # type: ignore[arg-type]
        assert producer.flush(10) == 0

    def committed(self, function: str, partition: int = 0) -> int:
        """The function's checkpoint; -1 when there is none. Its consumer group is named after the topic."""
        group = f"{self.name}.{function}"
        wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(self.name, partition)])
        try:
            found = self._admin.list_consumer_group_offsets([wanted])[group].result(10)
        except KafkaException:  # the group's coordinator is only starting
            return -1
        position = found.topic_partitions[0].offset
        return max(position, -1)
