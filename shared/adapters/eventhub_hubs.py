"""Which hub this is, told by Event Hubs over AMQP: a hub made anew has another time of creation."""

from __future__ import annotations

from collections.abc import Sequence

from azure.core.exceptions import AzureError
from azure.eventhub import EventHubConsumerClient
from azure.eventhub.exceptions import EventHubError

from shared.adapters.identity import credential
from shared.platform.errors import BrokerUnavailable


class EventHubHubs:
    """Implements shared.ingest.ports.Hubs."""

    def __init__(self, namespace: str, probe_hub: str) -> None:
        """`namespace` is fully qualified; `probe_hub` is the hub that `ping` asks about."""
        self._namespace = namespace
        self._probe_hub = probe_hub

    def identity(self, topic: str) -> str:
        """See the port."""
        try:
            with self._client(topic) as client:
                properties = client.get_eventhub_properties()
        except (EventHubError, AzureError) as error:
            raise BrokerUnavailable(f"Event Hubs does not describe {topic}") from error
        return f"{self._namespace}/{topic}/{properties['created_at'].isoformat()}"

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """See the port."""
        ends: dict[tuple[str, int], int] = {}
        try:
            for topic in topics:
                with self._client(topic) as client:
                    for partition in client.get_partition_ids():
                        known = client.get_partition_properties(partition)
                        last = -1 if known["is_empty"] else known["last_enqueued_sequence_number"]
                        ends[topic, int(partition)] = last
        except (EventHubError, AzureError) as error:
            raise BrokerUnavailable("Event Hubs does not say how far its hubs reach") from error
        return ends

    def _client(self, topic: str) -> EventHubConsumerClient:
        return EventHubConsumerClient(
            fully_qualified_namespace=self._namespace,
            eventhub_name=topic,
            consumer_group="$Default",
            credential=credential(),
        )

    def ping(self) -> None:
        """Raises BrokerUnavailable when the namespace does not answer."""
        self.identity(self._probe_hub)
