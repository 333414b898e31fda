"""Which broker the stack runs: Kafka, or librdkafka's mock where Kafka cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from devstack.children import Service
from devstack.home import Home
from devstack.kafka import DEFAULT_PORT, Kafka
from devstack.mock_broker import NOTE, MockBroker
from devstack.tools import kafka as kafka_tool
from devstack.tools.installation import ToolMissingError

BrokerChoice = Literal["kafka", "mock"]


class Broker(Service, Protocol):
    """A service that Kafka clients can use."""

    volatile: bool

    @property
    def bootstrap(self) -> str:
        """What Kafka clients take; valid once it answers."""

    def choose_ports(self) -> None:
        """Takes free ports, the usual ones first."""


@dataclass(frozen=True)
class ChosenBroker:
    """A broker to start, and what has to be said about it."""

    broker: Broker
    notes: tuple[str, ...] = ()


def choose_broker(
    choice: BrokerChoice, home: Home, partitions: int, preferred_port: int = DEFAULT_PORT
) -> ChosenBroker:
    """Kafka if `choice` asks for it and it is installed, else the mock."""
    if choice == "mock":
        return ChosenBroker(MockBroker(), (NOTE, "It was asked for with FLOE_BROKER=mock."))
    try:
        kafka_tool.check()
    except ToolMissingError as error:
        return ChosenBroker(MockBroker(), (NOTE, f"Kafka cannot run here: {error}."))
    return ChosenBroker(Kafka(home, partitions, preferred_port))
