"""Where a trigger's partitions begin, and the checkpoints that say so next time."""

import logging
from dataclasses import dataclass, field

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    Consumer,
    KafkaException,
    TopicPartition,
)

log = logging.getLogger(__name__)

_TIMEOUT = 10.0


@dataclass(slots=True)
class Checkpoints:
    """Commits a group's offsets in one topic, each stamped with the topic's id.

    The stamp tells a later host that an offset belongs to this topic and no later one of its name.
    """

    topic: str
    _committed: dict[int, int] = field(default_factory=dict)

    def commit(self, consumer: Consumer, offsets: dict[int, int], topic_id: str | None, wait: bool) -> None:
        """Commit what is new of these; raises KafkaException."""
        due = {
            number: offset for number, offset in offsets.items() if offset > self._committed.get(number, -1)
        }
        if not due:
            return
        positions = [
            TopicPartition(self.topic, number, offset, topic_id or "") for number, offset in due.items()
        ]
        if wait:
            consumer.commit(offsets=positions, asynchronous=False)
        else:
            consumer.commit(offsets=positions, asynchronous=True)
        self._committed |= due

    def forget(self, number: int) -> None:
        """The partition is another host's, or of another topic, from now on."""
        self._committed.pop(number, None)

    def load(self, consumer: Consumer, numbers: list[int], topic_id: str | None) -> list[TopicPartition]:
        """Where these partitions go on; OFFSET_INVALID where there is no checkpoint. Blocks."""
        asked = [TopicPartition(self.topic, number) for number in numbers]
        try:
            found = consumer.committed(asked, timeout=_TIMEOUT)
        except KafkaException as error:
            # Without an offset librdkafka asks for the committed one itself, and again until it is told.
            log.warning("%s: checkpoints cannot be read: %s", self.topic, error)
            return asked
        return [TopicPartition(self.topic, one.partition, self._start(one, topic_id)) for one in found]

    def _start(self, found: TopicPartition, topic_id: str | None) -> int:
        if found.offset < 0:
            return OFFSET_INVALID
        if found.metadata and topic_id and found.metadata != topic_id:
            log.warning("%s was made anew; partition %d is read from its start", self.topic, found.partition)
            return OFFSET_BEGINNING
        return found.offset


def start_at_time(consumer: Consumer, starts: list[TopicPartition], milliseconds: int) -> None:
    """Let partitions without a checkpoint begin at a time since 1970; blocks, raises KafkaException."""
    fresh = [one for one in starts if one.offset == OFFSET_INVALID]
    if not fresh:
        return
    times = [TopicPartition(one.topic, one.partition, milliseconds) for one in fresh]
    for one, found in zip(fresh, consumer.offsets_for_times(times, timeout=_TIMEOUT), strict=True):
        one.offset = found.offset if found.offset >= 0 else OFFSET_END
