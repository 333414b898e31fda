"""Which hub this is, told by Event Hubs over AMQP: a hub made anew has another time of creation."""

from __future__ import annotations

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
        client = EventHubConsumerClient(
            fully_qualified_namespace=self._namespace,
            eventhub_name=topic,
            consumer_group="$Default",
            credential=credential(),
        )
        try:
            with client:
                properties = client.get_eventhub_properties()
        except (EventHubError, AzureError) as error:
            raise BrokerUnavailable(f"Event Hubs does not describe {topic}") from error
        return f"{self._namespace}/{topic}/{properties['created_at'].isoformat()}"

    def ping(self) -> None:
        """Raises BrokerUnavailable when the namespace does not answer."""
        self.identity(self._probe_hub)
