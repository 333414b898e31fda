"""Topics of the tests' own."""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.host.running import wait_until

# The messages keep the time that the producer gives them.
_CONFIG = {"message.timestamp.type": "CreateTime"}


class Topic:
    """A topic on the broker, made on demand."""

    def __init__(self, kafka: str, name: str) -> None:
        self.name = name
        self._kafka = kafka
        self._consumers: dict[str, Consumer] = {}
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
        # Not the admin client's list_consumer_group_offsets: librdkafka 2.16 crashes in it when the broker
        # answers with an error, as it does for a topic that was made anew.
        if group not in self._consumers:
            self._consumers[group] = Consumer({"bootstrap.servers": self._kafka, "group.id": group})
        try:
            position = (
                self._consumers[group].committed([TopicPartition(self.name, partition)], timeout=5)[0].offset
            )
        except KafkaException:  # the group's coordinator is only starting
            return -1
        return max(position, -1)
