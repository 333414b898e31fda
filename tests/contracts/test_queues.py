"""What holds of every implementation of the port Queues."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from azure.storage.queue import QueueClient

from devstack.provision import make_queues
from shared.adapters.connection import StorageAccount
from shared.adapters.queue_storage import QueueStorage
from shared.platform.errors import StorageUnavailable
from shared.platform.queues import Queues
from tests.fakes.queues import MemoryQueues
from tests.place import account_of

type Take = Callable[[], list[str]]


@pytest.fixture
def queue(request: pytest.FixtureRequest) -> str:
    """A queue of the test's own."""
    return "contract-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-50:]


@pytest.fixture(params=["memory", "azurite"])
def queues_and_take(request: pytest.FixtureRequest, queue: str) -> tuple[Queues, Take]:
    """The queues, and what takes the messages that can be seen."""
    if request.param == "memory":
        memory = MemoryQueues()
        return memory, lambda: [text for _, text, delay in memory.messages if not delay]
    connection_string: str = request.getfixturevalue("storage_connection_string")
    make_queues(connection_string, [queue])

    def take() -> list[str]:
        with QueueClient.from_connection_string(connection_string, queue) as client:
            messages = list(client.receive_messages(max_messages=32))
        # The trigger reads base64.
        return [base64.b64decode(message.content, validate=True).decode() for message in messages]

    return QueueStorage(account_of(connection_string)), take


def test_messages_are_there_to_take(queues_and_take: tuple[Queues, Take], queue: str) -> None:
    queues, take = queues_and_take
    for text in ("one", "naïve ☃ <xml>&"):
        queues.send(queue, text)
    assert sorted(take()) == sorted(["one", "naïve ☃ <xml>&"])


def test_a_delayed_message_cannot_be_seen_yet(queues_and_take: tuple[Queues, Take], queue: str) -> None:
    queues, take = queues_and_take
    queues.send(queue, "later", delay_seconds=3600)
    queues.send(queue, "now")
    assert take() == ["now"]


def test_a_queue_that_is_missing_is_unavailable(storage_connection_string: str) -> None:
    with pytest.raises(StorageUnavailable):
        QueueStorage(account_of(storage_connection_string)).send("no-such-queue", "text")


def test_storage_that_is_down_is_unavailable() -> None:
    nowhere = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
        "QueueEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    )
    with pytest.raises(StorageUnavailable):
        QueueStorage(StorageAccount("devstoreaccount1", "", "a2V5", nowhere)).send("queue", "text")
