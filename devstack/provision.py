"""Topics and blob containers of the streams: made where they are missing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from devstack.home import StackError

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

_PATIENCE = 20.0


def _admin(bootstrap: str) -> AdminClient:
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def broker_answers(bootstrap: str) -> bool:
    """Whether a Kafka broker answers at `bootstrap`; takes a second at most."""
    from confluent_kafka import KafkaException

    try:
        return bool(_admin(bootstrap).list_topics(timeout=1).brokers)
    except KafkaException:
        return False


async def make_topics(bootstrap: str, topics: Iterable[str], partitions: int) -> None:
    """Makes the topics that are missing, with `partitions` partitions each; leaves the others as they are."""
    from confluent_kafka.cimpl import NewTopic

    admin = _admin(bootstrap)
    wanted = set(topics)
    deadline = time.monotonic() + _PATIENCE
    while missing := wanted - set((await asyncio.to_thread(admin.list_topics, timeout=1)).topics):
        if time.monotonic() > deadline:
            raise StackError(
                f"The broker at {bootstrap} does not make the topics {', '.join(sorted(missing))}."
            )
        new = [NewTopic(topic, num_partitions=partitions, replication_factor=1) for topic in sorted(missing)]
        await asyncio.to_thread(_request_topics, admin, new)


def _request_topics(admin: AdminClient, new: list[NewTopic]) -> None:
    # Whether it worked is seen in the next listing; another process may make them too.
    with contextlib.suppress(TimeoutError):
        for future in admin.create_topics(new).values():
            future.exception(timeout=2)


async def touch_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """Makes topics on a broker that only makes them when asked about, as the mock does."""
    admin = _admin(bootstrap)
    for topic in topics:
        await asyncio.to_thread(admin.list_topics, topic, timeout=2)


async def make_containers(connection_string: str, containers: Iterable[str]) -> None:
    """Makes the blob containers that are missing."""
    for container in containers:
        await asyncio.to_thread(_make_container, connection_string, container)


def _make_container(connection_string: str, container: str) -> None:
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(
        connection_string, retry_total=2, connection_timeout=2
    ) as service:
        try:
            service.create_container(container)
        except ResourceExistsError:
            return
