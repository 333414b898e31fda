"""Topics and blob containers of the streams, tables of state, and queues: made where they are missing."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from devstack.home import StackError

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

_PATIENCE = 15.0


def broker_answers(bootstrap: str) -> bool:
    """Whether a Kafka broker answers at `bootstrap`; takes a second at most."""
    from confluent_kafka import KafkaException

    if not _listens(bootstrap):
        return False
    try:
        return bool(_admin(bootstrap).list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def make_topics(bootstrap: str, topics: Iterable[str], partitions: int) -> None:
    """Makes the topics that are missing, with `partitions` partitions each; leaves the others as they are.

    Blocks. Raises StackError when the broker does not make them.
    """
    admin = _admin(bootstrap)
    wanted = set(topics)
    deadline = time.monotonic() + _PATIENCE
    while missing := wanted - _topics(admin):
        if time.monotonic() > deadline:
            raise StackError(f"The broker at {bootstrap} did not make topics: {', '.join(sorted(missing))}.")
        _request_topics(admin, missing, partitions)


def touch_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """Makes topics on a broker that makes them only when it is asked about them, as the mock does. Blocks."""
    from confluent_kafka import KafkaException

    admin = _admin(bootstrap)
    try:
        for topic in topics:
            admin.list_topics(topic, timeout=3)
    except KafkaException as error:
        raise StackError(f"The broker at {bootstrap} did not make its topics: {error}.") from None


def make_containers(connection_string: str, containers: Iterable[str]) -> None:
    """Makes the blob containers that are missing. Blocks. Raises StackError when storage refuses."""
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(connection_string, retry_total=0) as service:
        _make("container", containers, lambda name: service.create_container(name, timeout=5))


def make_tables(connection_string: str, tables: Iterable[str]) -> None:
    """Makes the tables that are missing. Blocks. Raises StackError when storage refuses."""
    from azure.data.tables import TableServiceClient

    with TableServiceClient.from_connection_string(connection_string, retry_total=0) as service:
        _make("table", tables, service.create_table)


def make_queues(connection_string: str, queues: Iterable[str]) -> None:
    """Makes the queues that are missing. Blocks. Raises StackError when storage refuses."""
    from azure.storage.queue import QueueServiceClient

    with QueueServiceClient.from_connection_string(connection_string, retry_total=0) as service:
        _make("queue", queues, lambda name: service.create_queue(name, timeout=5))


def _make(what: str, names: Iterable[str], make: Callable[[str], object]) -> None:
    from azure.core.exceptions import AzureError, ResourceExistsError

    for name in names:
        try:
            make(name)
        except ResourceExistsError:
            continue
        except AzureError as error:
            raise StackError(f"Storage did not make the {what} {name}: {error}") from None


def _listens(bootstrap: str) -> bool:
    # Asked first, for a Kafka client waits longer and longer between its tries.
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=0.5).close()
    except (OSError, ValueError):
        return False
    return True


def _admin(bootstrap: str) -> AdminClient:
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _topics(admin: AdminClient) -> set[str]:
    from confluent_kafka import KafkaException

    with contextlib.suppress(KafkaException):
        return set(admin.list_topics(timeout=1).topics)
    return set()


def _request_topics(admin: AdminClient, topics: Iterable[str], partitions: int) -> None:
    from confluent_kafka.cimpl import NewTopic

    new = [NewTopic(topic, num_partitions=partitions, replication_factor=1) for topic in sorted(topics)]
    # Whether it worked is seen in the next listing; another process may make them too.
    with contextlib.suppress(TimeoutError):
        for future in admin.create_topics(new).values():
            future.exception(timeout=2)
