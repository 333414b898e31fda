"""The thread that consumes one Event Hub trigger's topic and owns its Kafka consumer.

All use of the consumer happens on this thread: polling, rebalances, commits. It hands messages to the
partitions' tasks on the event loop and commits what these have finished, at most ten times a second.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from devstack.host.hub_partition import HubPartition
from devstack.host.hub_positions import Checkpoints, start_at_time
from devstack.host.hub_pressure import BackPressure
from devstack.host.topic_ids import TopicIds

log = logging.getLogger(__name__)

_POLL = 0.1
"""Seconds to wait for a first message, and so between commits while idle. A message ends the wait at once."""
_SILENCE = 0.25
"""Seconds without messages after which the topic may be another one of the same name."""
_CHECK_EVERY = 2.0
"""Seconds between looks at the topic's id while messages flow."""
_QUIET_ERRORS = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._PARTITION_EOF})


class HubConsumer:
    """Runs until `stop`; `open_partition` makes the task that takes a partition's messages."""

    def __init__(
        self,
        name: str,
        topic: str,
        settings: dict[str, Any],
        max_batch: int,
        open_partition: Callable[[int], HubPartition],
        topic_ids: TopicIds,
        start_time: int | None = None,
        checkpoint_lag: float = 0.0,
    ) -> None:
        """`start_time` (milliseconds since 1970) is where partitions without checkpoint begin.

        Checkpoints are committed `checkpoint_lag` seconds after their batches; when partitions are given up
        in an orderly way, at once.
        """
        self._name = name
        self._topic = topic
        self._settings = settings
        self._max_batch = max_batch
        self._open_partition = open_partition
        self._topic_ids = topic_ids
        self._start_time = start_time
        self._topic_id: str | None = None
        self._partitions: dict[int, HubPartition] = {}
        self._checkpoints = Checkpoints(topic)
        self._pressure = BackPressure(topic)
        self._stopping = threading.Event()
        self._patience = 5.0
        self._last_message = 0.0
        self._last_check = 0.0
        self._last_commit = 0.0
        self._checkpoint_lag = checkpoint_lag
        self._lagging: deque[tuple[float, dict[int, int]]] = deque()
        self._last_error = ""
        self._thread = threading.Thread(target=self._run, name=f"hub-{name}", daemon=True)
        self._consumer: Consumer

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def made_room(self) -> None:
        """A partition took messages out of its buffer (thread-safe)."""
        self._pressure.made_room()

    def stop(self, patience: float) -> None:
        """Stop consuming, let batches end, commit, leave the group: blocks up to `patience` and a little."""
        self._patience = patience
        self._stopping.set()
        self._pressure.made_room()
        self._thread.join(patience + 1.0)

    def _run(self) -> None:
        self._consumer = Consumer(self._settings, logger=log)
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        while not self._stopping.is_set():
            try:
                self._turn()
            except KafkaException as error:
                self._report(str(error))
            except Exception:
                log.exception("%s: consuming %s failed; trying again", self._name, self._topic)
                self._stopping.wait(1.0)
        self._leave()

    def _turn(self) -> None:
        self._commit_when_due()
        self._pressure.wait(self._consumer, self._partitions)
        first = self._consumer.poll(_POLL)
        if first is None:
            return
        messages = [first, *self._consumer.consume(self._max_batch, 0)]
        if any(map(Message.error, messages)):
            messages = self._without_errors(messages)
        if messages and not self._is_new_topic():
            self._deliver(messages)

    def _deliver(self, messages: list[Message]) -> None:
        self._last_message = time.monotonic()
        for number, run in groupby(messages, Message.partition):
            # Messages of a partition that was revoked a moment ago are somebody else's.
            if number in self._partitions:
                self._partitions[number].offer(list(run))

    def _without_errors(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            error = message.error()
            if error is not None and error.code() not in _QUIET_ERRORS:
                self._report(error.str())
        return [message for message in messages if message.error() is None]

    def _report(self, error: str) -> None:
        """Log an error once, not at each of its repetitions."""
        if error != self._last_error:
            log.warning("%s: consuming %s: %s", self._name, self._topic, error)
            self._last_error = error

    def _commit_when_due(self) -> None:
        now = time.monotonic()
        if now - self._last_commit >= _POLL:
            self._last_commit = now
            self._lagging.append((now, {number: one.checkpoint for number, one in self._partitions.items()}))
            due: dict[int, int] = {}
            while self._lagging and now - self._lagging[0][0] >= self._checkpoint_lag:
                due = self._lagging.popleft()[1]
            self._commit(due, wait=False)

    def _commit(self, offsets: dict[int, int], wait: bool) -> None:
        try:
            self._checkpoints.commit(self._consumer, offsets, self._topic_id, wait)
        except KafkaException as error:
            self._report(f"commit failed: {error}")

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        numbers = [one.partition for one in assigned]
        if not numbers or self._stopping.is_set():
            consumer.incremental_assign(assigned)
            return
        self._topic_id = self._topic_ids.find(self._topic) or self._topic_id
        starts = self._checkpoints.load(consumer, numbers, self._topic_id)
        if self._start_time is not None:
            start_at_time(consumer, starts, self._start_time)
        self._open(numbers)
        consumer.incremental_assign(starts)
        log.info("%s: assigned %s of %s", self._name, numbers, self._topic)

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        self._release([one.partition for one in revoked], commit=True)
        consumer.incremental_unassign(revoked)

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        self._release([one.partition for one in lost], commit=False)
        consumer.incremental_unassign(lost)

    def _open(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._partitions[number] = self._open_partition(number)

    def _release(self, numbers: Iterable[int], commit: bool) -> None:
        """Let the partitions' batches end in time, commit, forget; a batch that goes on is not committed."""
        released = {number: self._partitions[number] for number in numbers if number in self._partitions}
        for partition in released.values():
            partition.stop()
        deadline = time.monotonic() + self._patience
        for number, partition in released.items():
            if not partition.finished.wait(max(0.0, deadline - time.monotonic())):
                log.warning("%s: partition %d given up in the middle of a batch", self._name, number)
        if commit:
            self._commit({number: partition.processed for number, partition in released.items()}, wait=True)
        self._lagging.clear()
        for number in released:
            del self._partitions[number]
            self._checkpoints.forget(number)
            self._pressure.forget(number)

    def _leave(self) -> None:
        try:
            # Closing alone would keep a static member's partitions for it until its session times out.
            self._consumer.unsubscribe()
            deadline = time.monotonic() + self._patience
            while self._consumer.memberid() and time.monotonic() < deadline:
                self._consumer.poll(0.01)
            self._consumer.close()
        except KafkaException as error:
            self._report(f"leaving the group: {error}")

    def _is_new_topic(self) -> bool:
        """Whether the topic was deleted and made anew, so that these messages may start in its middle.

        A consumer that meets a topic of another id gets an error first and pauses for longer than _SILENCE.
        """
        now = time.monotonic()
        if now - self._last_message < _SILENCE and now - self._last_check < _CHECK_EVERY:
            return False
        self._last_check = now
        topic_id = self._topic_ids.find(self._topic)
        if topic_id is None or self._topic_id is None or topic_id == self._topic_id:
            self._topic_id = topic_id or self._topic_id
            return False
        log.warning("%s: %s was made anew; reading it from its start", self._name, self._topic)
        self._topic_id = topic_id
        self._start_over(list(self._partitions))
        return True

    def _start_over(self, numbers: list[int]) -> None:
        self._release(numbers, commit=False)
        self._consumer.incremental_unassign([TopicPartition(self._topic, number) for number in numbers])
        self._open(numbers)
        starts = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in numbers]
        self._consumer.incremental_assign(starts)
