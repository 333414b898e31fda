"""Event Hub triggers on librdkafka's mock broker, which stands in where there is no Java."""

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer

from tests.host.running import APPS, RunningHost, wait_until


@pytest.fixture
def mock() -> Iterator[tuple[Producer, str]]:
    """A producer that is the broker as well, and the broker's address."""
    producer = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(producer.list_topics().brokers.values()))
    yield producer, f"{broker.host}:{broker.port}"
    producer.purge()


def test_messages_arrive_without_topic_ids(
    mock: tuple[Producer, str], start_host: Callable[..., RunningHost], unique: str
) -> None:
    producer, address = mock
    producer.produce(unique, b"first")
    assert producer.flush(10) == 0
    host = start_host(APPS / "depot", address, DEPOT_PARTS="batches", DEPOT_TOPIC=unique).ready()
    wait_until(lambda: host.reports("batches", phase="end", bodies=["first"]))
    producer.produce(unique, b"second")
    assert producer.flush(10) == 0
    # Sooner than the broker's silence about topic ids would take: the host asks but once.
    wait_until(lambda: host.reports("batches", phase="end", bodies=["second"]), seconds=2)
