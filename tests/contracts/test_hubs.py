"""Hubs: the same one says the same, one made anew another."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from devstack.provision import make_topics
from shared.adapters.kafka_hubs import KafkaHubs
from shared.adapters.kafka_publisher import KafkaPublisher
from shared.ingest.ports import HubEnds, Hubs, OutgoingMessage, Position, Publisher
from shared.platform.errors import BrokerUnavailable
from tests.fakes import MemoryBroker


# Hubs, and what makes a topic (anew).
class _Both(Hubs, HubEnds, Protocol):
    """What is held to the contract."""


type Broker = tuple[_Both, Callable[[str], None]]


@pytest.fixture
def topic() -> str:
    return f"contract-{uuid.uuid4().hex}"


@pytest.fixture(params=["fake", "real"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "fake":
        memory = MemoryBroker()
        return memory, memory.make
    connection = {"bootstrap.servers": request.getfixturevalue("kafka_bootstrap")}
    admin = AdminClient(connection)

    def make(topic: str) -> None:
        with suppress(KafkaException):  # there is none yet
            admin.delete_topics([topic])[topic].result(20)
        while topic in admin.list_topics(timeout=20).topics:
            pass
        make_topics(connection["bootstrap.servers"], [topic], 1)

    return KafkaHubs(connection, volatile=False), make


def test_a_hub_made_anew_is_another(broker: Broker, topic: str) -> None:
    hubs, make = broker
    make(topic)
    first = hubs.identity(topic)
    assert hubs.identity(topic) == first
    make(topic)
    assert hubs.identity(topic) != first


def test_hubs_are_told_apart(broker: Broker, topic: str) -> None:
    hubs, make = broker
    make(topic)
    make(f"{topic}-b")
    assert hubs.identity(topic) != hubs.identity(f"{topic}-b")


def test_an_unknown_hub(broker: Broker, topic: str) -> None:
    hubs, _ = broker
    with pytest.raises(BrokerUnavailable):
        hubs.identity(topic)


def test_a_broker_that_does_not_answer(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.adapters.kafka_hubs._TIMEOUT", 0.5)
    hubs = KafkaHubs({"bootstrap.servers": "127.0.0.1:9"}, volatile=False)
    with pytest.raises(BrokerUnavailable):
        hubs.identity(topic)


async def test_ends_are_where_the_next_message_is_not(
    request: pytest.FixtureRequest, broker: Broker, topic: str
) -> None:
    hubs, make = broker
    make(topic)
    assert hubs.ends([topic])[topic, 0] == -1
    publisher = hubs if isinstance(hubs, MemoryBroker) else _publisher(request)
    sent = await publisher.publish([OutgoingMessage(topic, 0, None, b"{}") for _ in range(3)])
    assert [position.offset for position in sent if isinstance(position, Position)] == [0, 1, 2]
    assert hubs.ends([topic])[topic, 0] == 2


def _publisher(request: pytest.FixtureRequest) -> Publisher:
    connection = {"bootstrap.servers": request.getfixturevalue("kafka_bootstrap")}
    return KafkaPublisher(connection, timeout_seconds=20)
