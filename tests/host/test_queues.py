"""Queue triggers and queue outputs on a real storage account."""

import base64
from collections.abc import Callable

import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.host.running import APPS, RunningHost, wait_until


class Queue:
    """A queue whose messages are base64, as the extension writes and reads them."""

    def __init__(self, connection: str, name: str) -> None:
        self._client = QueueClient.from_connection_string(connection, name)

    def create(self) -> "Queue":
        self._client.create_queue()
        return self

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.send_raw(base64.b64encode(body.encode()).decode())

    def send_raw(self, text: str) -> None:
        self._client.send_message(text)

    def texts(self) -> list[str]:
        """What is visible, as it is on the wire."""
        try:
            return sorted(message.content for message in self._client.peek_messages(32))
        except ResourceNotFoundError:
            return []

    def bodies(self) -> list[str]:
        return sorted(base64.b64decode(text).decode() for text in self.texts())

    def empty(self) -> bool:
        """Nothing left, neither visible nor in work."""
        return self._client.get_queue_properties().approximate_message_count == 0


@pytest.fixture
def queues(storage_connection_string: str, unique: str) -> Callable[[str], Queue]:
    return lambda suffix="": Queue(storage_connection_string, unique + suffix)


@pytest.fixture
def host(start_host: Callable[..., RunningHost], storage_connection_string: str, unique: str) -> RunningHost:
    return start_host(
        APPS / "depot",
        DEPOT_PARTS="queues",
        DEPOT_QUEUE=unique,
        AzureWebJobsStorage=storage_connection_string,
    ).ready()


def test_messages_are_worked_on_deleted_and_copied(host: RunningHost, queues: Callable[..., Queue]) -> None:
    # The queue is made after the host has looked for it in vain.
    queue = queues().create()
    queue.send("äpfel", "pears")
    wait_until(queue.empty)
    told = {one["body"]: one for one in host.reports("work")}
    assert told.keys() == {"äpfel", "pears"}
    assert told["pears"]["count"] == 1
    assert told["pears"]["id"]
    assert queues("-copies").bodies() == sorted(["äpfel", "ÄPFEL", "pears", "PEARS"])
    assert queues("-done").bodies() == ["done with pears", "done with äpfel"]


def test_several_messages_are_worked_on_at_a_time(host: RunningHost, queues: Callable[..., Queue]) -> None:
    host.set_mood("hang")
    queue = queues().create()
    queue.send(*["together"] * 4)
    wait_until(lambda: len(host.reports("work")) == 4)
    host.set_mood("ok")
    wait_until(queue.empty)


def test_what_fails_too_often_is_poison(host: RunningHost, queues: Callable[..., Queue]) -> None:
    queue = queues().create()
    queue.send("bad")
    wait_until(lambda: queues("-poison").bodies() == ["bad"])
    wait_until(queue.empty)
    assert [one["count"] for one in host.reports("work")] == [1, 2]


def test_a_message_that_takes_too_long_has_failed(host: RunningHost, queues: Callable[..., Queue]) -> None:
    queue = queues().create()
    queue.send("slow")
    wait_until(lambda: queues("-poison").bodies() == ["slow"])
    assert "Timeout value of 2 s was exceeded by function: work" in host.log


def test_a_message_that_is_no_base64_is_poison(host: RunningHost, queues: Callable[..., Queue]) -> None:
    queue = queues().create()
    queue.send_raw("no base64!")
    wait_until(lambda: queues("-poison").texts() == ["no base64!"])
    wait_until(queue.empty)
    assert not host.reports("work")


def test_stopping_lets_messages_end(host: RunningHost, queues: Callable[..., Queue]) -> None:
    host.set_mood("hang")
    queue = queues().create()
    queue.send("together")
    wait_until(lambda: host.reports("work"))
    host.process.terminate()
    wait_until(lambda: "stopping" in host.log)
    host.set_mood("ok")
    assert host.process.wait(10) == 0
    assert queue.empty()


def test_an_http_function_can_send_messages(host: RunningHost, queues: Callable[..., Queue]) -> None:
    response = httpx.post(f"{host.url}/orders", content=b"one apple")
    assert (response.status_code, response.text) == (202, "sent")
    assert queues("-orders").bodies() == ["one apple"]
