"""Topics, containers, tables and queues: made when missing, left alone otherwise."""

from __future__ import annotations

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from confluent_kafka.admin import AdminClient

from devstack.home import StackError
from devstack.provision import broker_answers, make_containers, make_queues, make_tables, make_topics


def test_topics_are_made_once_with_their_partitions(kafka_bootstrap: str) -> None:
    make_topics(kafka_bootstrap, ["provision.a"], 4)
    make_topics(kafka_bootstrap, ["provision.a", "provision.b"], 6)
    topics = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=5).topics
    assert {name: len(topics[name].partitions) for name in ("provision.a", "provision.b")} == {
        "provision.a": 4,
        "provision.b": 6,
    }


def test_containers_are_made_once(storage_connection_string: str) -> None:
    make_containers(storage_connection_string, ["provision-a"])
    make_containers(storage_connection_string, ["provision-a", "provision-b"])
    with BlobServiceClient.from_connection_string(storage_connection_string) as storage:
        names = {container.name for container in storage.list_containers("provision-")}
    assert names == {"provision-a", "provision-b"}


def test_tables_are_made_once(storage_connection_string: str) -> None:
    make_tables(storage_connection_string, ["provisiona"])
    make_tables(storage_connection_string, ["provisiona", "provisionb"])
    with TableServiceClient.from_connection_string(storage_connection_string) as storage:
        names = {table.name for table in storage.list_tables() if table.name.startswith("provision")}
    assert names == {"provisiona", "provisionb"}


def test_queues_are_made_once(storage_connection_string: str) -> None:
    make_queues(storage_connection_string, ["provision-a"])
    make_queues(storage_connection_string, ["provision-a", "provision-b"])
    with QueueServiceClient.from_connection_string(storage_connection_string) as storage:
        names = {queue.name for queue in storage.list_queues("provision-")}
    assert names == {"provision-a", "provision-b"}


def test_wrong_queue_name_is_an_error(storage_connection_string: str) -> None:
    with pytest.raises(StackError, match="did not make the queue A!"):
        make_queues(storage_connection_string, ["A!"])


def test_wrong_table_name_is_an_error(storage_connection_string: str) -> None:
    with pytest.raises(StackError, match="did not make the table 1!"):
        make_tables(storage_connection_string, ["1!"])


def test_wrong_container_name_is_an_error(storage_connection_string: str) -> None:
    with pytest.raises(StackError, match="did not make the container A!"):
        make_containers(storage_connection_string, ["A!"])


def test_broker_that_is_not_there_does_not_answer() -> None:
    assert not broker_answers("127.0.0.1:1")
