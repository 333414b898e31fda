"""The publisher: acknowledged with partition and offset, or a BrokerUnavailable in the message's place."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from devstack.provision import make_topics
from shared.adapters.kafka_publisher import KafkaPublisher
from shared.ingest.ports import OutgoingMessage, Position, Publisher
from shared.platform.errors import BrokerUnavailable
from tests.fakes import MemoryBroker


@pytest.fixture
def topic() -> str:
    return f"contract-{uuid.uuid4().hex}"


@pytest.fixture(params=["fake", "real"])
def publisher_to(request: pytest.FixtureRequest) -> Callable[[str], Publisher]:
    """A publisher to a broker on which the topic exists, with four partitions."""
    if request.param == "fake":
        return lambda topic: MemoryBroker([topic])
    bootstrap = request.getfixturevalue("kafka_bootstrap")

    def real(topic: str) -> Publisher:
        make_topics(bootstrap, [topic], 4)
        return KafkaPublisher({"bootstrap.servers": bootstrap}, timeout_seconds=20)

    return real


@pytest.fixture(params=["fake", "real"])
def silent(request: pytest.FixtureRequest) -> Publisher:
    """A publisher to a broker that does not answer."""
    if request.param == "real":
        return KafkaPublisher({"bootstrap.servers": "127.0.0.1:9"}, timeout_seconds=1)
    broker = MemoryBroker(["t"])
    broker.down = True
    return broker


async def test_partition_and_offset_come_back(publisher_to: Callable[[str], Publisher], topic: str) -> None:
    publisher = publisher_to(topic)
    assert await publisher.partitions(topic) == 4
    first = await publisher.publish(
        [OutgoingMessage(topic, number, key, b"x") for number, key in ((2, None), (0, b"k"), (2, b""))]
    )
    assert first == [Position(topic, 2, 0), Position(topic, 0, 0), Position(topic, 2, 1)]
    assert await publisher.publish([OutgoingMessage(topic, 2, None, b"y" * 900_000)]) == [
        Position(topic, 2, 2)
    ]
    assert await publisher.publish([]) == []


async def test_a_partition_that_does_not_exist_spoils_its_message_only(
    publisher_to: Callable[[str], Publisher], topic: str
) -> None:
    publisher = publisher_to(topic)
    await publisher.partitions(topic)
    good, bad = await publisher.publish(
        [OutgoingMessage(topic, 1, None, b"x"), OutgoingMessage(topic, 7, None, b"x")]
    )
    assert good == Position(topic, 1, 0)
    assert isinstance(bad, BrokerUnavailable)


async def test_an_unknown_topic(publisher_to: Callable[[str], Publisher], topic: str) -> None:
    publisher = publisher_to(topic)
    with pytest.raises(BrokerUnavailable):
        await publisher.partitions(f"{topic}-unknown")


async def test_a_broker_that_does_not_answer(silent: Publisher) -> None:
    with pytest.raises(BrokerUnavailable):
        await silent.partitions("t")
    [outcome] = await silent.publish([OutgoingMessage("t", 0, None, b"x")])
    assert isinstance(outcome, BrokerUnavailable)


async def test_a_message_that_is_too_large(kafka_bootstrap: str, topic: str) -> None:
    make_topics(kafka_bootstrap, [topic], 1)
    publisher = KafkaPublisher({"bootstrap.servers": kafka_bootstrap}, timeout_seconds=20)
    [outcome] = await publisher.publish([OutgoingMessage(topic, 0, None, b"x" * 2_000_000)])
    assert isinstance(outcome, BrokerUnavailable)
