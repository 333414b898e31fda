"""Event Hub triggers, fed from Kafka topics of the same names.

Each trigger is a consumer group of its own, named `<consumer group of the binding>.<function>`, for instance
`$Default.land_events`. Its offsets are the trigger's checkpoints.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from devstack.host.bindings import Function
from devstack.host.errors import SettingError
from devstack.host.host_json import EventHubOptions
from devstack.host.hub_batches import PartitionContext
from devstack.host.hub_consumer import HubConsumer
from devstack.host.hub_partition import HubPartition
from devstack.host.hub_settings import consumer_settings
from devstack.host.partition_buffer import PartitionBuffer
from devstack.host.topic_ids import TopicIds
from devstack.host.worker import Worker


def group_name(function: Function) -> str:
    """The Kafka consumer group of an Event Hub trigger."""
    return f"{_consumer_group(function)}.{function.name}"


def _consumer_group(function: Function) -> str:
    return function.trigger.text("consumerGroup") or "$Default"


@dataclass(frozen=True, slots=True)
class Broker:
    """The Kafka broker behind the Event Hubs, and who this host is to it."""

    address: str
    identity: str
    topic_ids: TopicIds
    checkpoint_lag: float = 0.0


class EventHubTrigger:
    """Consumes one hub for one function; batches run on the running loop."""

    def __init__(self, function: Function, worker: Worker, options: EventHubOptions, broker: Broker) -> None:
        self._function = function
        self._worker = worker
        self._options = options
        self._broker = broker
        self._topic = function.trigger.text("eventHubName")
        self._consumer: HubConsumer | None = None
        if not self._topic:
            raise SettingError(f"function {function.name}: its Event Hub trigger names no hub")

    def start(self) -> None:
        """Begin to consume; returns at once, also when there is no broker or no topic yet."""
        loop = asyncio.get_running_loop()
        options, broker = self._options, self._broker

        def open_partition(number: int) -> HubPartition:
            context = PartitionContext(broker.address, self._topic, _consumer_group(self._function), number)
            return HubPartition(
                self._function,
                self._worker,
                context,
                PartitionBuffer(options.max_event_batch_size, options.min_event_batch_size),
                options.max_wait.total_seconds(),
                options.batch_checkpoint_frequency,
                loop,
                consumer.made_room,
            )

        consumer = HubConsumer(
            self._function.name,
            self._topic,
            consumer_settings(broker.address, group_name(self._function), broker.identity, options),
            options.max_event_batch_size,
            open_partition,
            broker.topic_ids,
            _start_time(options),
            broker.checkpoint_lag,
        )
        self._consumer = consumer
        consumer.start()

    async def stop(self, patience: float) -> None:
        """Let batches in flight end, commit, leave the group."""
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.stop, patience)


def _start_time(options: EventHubOptions) -> int | None:
    if options.initial_offset != "fromEnqueuedTime" or options.initial_enqueued_time is None:
        return None
    when = datetime.fromisoformat(options.initial_enqueued_time)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
