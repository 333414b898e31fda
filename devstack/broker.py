"""Which broker the stack uses: Kafka, librdkafka's mock where there is no Java, or one that runs already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from devstack.children import Service
from devstack.home import Home, StackError
from devstack.kafka import DEFAULT_PORT, Kafka
from devstack.mock_broker import NOTE, MockBroker
from devstack.provision import broker_answers, make_topics
from devstack.tools import kafka as kafka_tool
from devstack.tools.installation import ToolMissingError

BrokerChoice = Literal["kafka", "mock"]


class Broker(Protocol):
    """Something that Kafka clients can use."""

    # As stack.json calls it.
    kind: str
    volatile: bool

    @property
    def bootstrap(self) -> str:
        """What Kafka clients take; valid once it answers."""

    def make_topics(self, topics: Iterable[str], partitions: int) -> None:
        """Makes the topics that are missing. Blocks."""


class OwnBroker(Broker, Service, Protocol):
    """A broker that the stack runs."""


@dataclass(frozen=True)
class ExternalBroker:
    """A broker that runs already."""

    bootstrap: str
    kind = "external"
    volatile = False

    def make_topics(self, topics: Iterable[str], partitions: int) -> None:
        """Makes the topics that are missing. Blocks."""
        make_topics(self.bootstrap, topics, partitions)


def find_broker(bootstrap: str) -> ExternalBroker:
    """The broker that the user named; raises StackError when it does not answer. Blocks."""
    if not broker_answers(bootstrap):
        raise StackError(f"No Kafka broker answers at {bootstrap}, which FLOE_KAFKA names.")
    return ExternalBroker(bootstrap)


def choose_broker(
    choice: BrokerChoice, home: Home, partitions: int, port: int = DEFAULT_PORT
) -> tuple[OwnBroker, list[str]]:
    """Kafka if `choice` asks for it and it can run here, else the mock; and what the user must know."""
    if choice == "mock":
        return MockBroker(), [NOTE, "It was asked for with FLOE_BROKER=mock."]
    try:
        kafka_tool.check()
    except ToolMissingError as error:
        return MockBroker(), [NOTE, f"Kafka cannot run here: {error}."]
    return Kafka(home, partitions, port), []
