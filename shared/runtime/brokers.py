"""What events come from and go to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.adapters.eventhub_hubs import EventHubHubs
    from shared.adapters.kafka_hubs import KafkaHubs
    from shared.ingest.ports import Publisher


@cache
def publisher() -> Publisher:
    """What sends messages to topics."""
    from shared.adapters.kafka_connection import kafka_connection
    from shared.adapters.kafka_publisher import KafkaPublisher

    return KafkaPublisher(kafka_connection(settings()), timeout_seconds=settings().produce_timeout_seconds)


@cache
def hubs() -> KafkaHubs | EventHubHubs:
    """What topics hold: partitions, ends, identities."""
    namespace = settings().eventhub_namespace
    if namespace is not None:
        from shared.adapters.eventhub_hubs import EventHubHubs
        from shared.streams.events import EVENTS

        return EventHubHubs(namespace, EVENTS.topics[0])
    from shared.adapters.kafka_connection import kafka_connection
    from shared.adapters.kafka_hubs import KafkaHubs

    return KafkaHubs(kafka_connection(settings()), volatile=settings().broker_volatile)
