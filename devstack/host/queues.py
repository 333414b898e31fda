"""Queue triggers: polls Azure Storage queues as Microsoft's extension does."""

import asyncio
import json
import logging
from datetime import datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from devstack.host.bindings import Function
from devstack.host.host_json import QueueOptions
from devstack.host.outputs import Outputs
from devstack.host.protos import TypedData
from devstack.host.storage import Storage, decode_message, send_text
from devstack.host.waiting import stopped_within
from devstack.host.worker import Worker

log = logging.getLogger(__name__)

_LEASE = 30
"""Seconds that a received message stays invisible; renewed while it is worked on.

The real host takes ten minutes; here a killed host's messages come back sooner.
"""
_FIRST_POLL = 0.1
"""Seconds to the next look at a queue that was empty for the first time; doubled each further time."""


class QueueTrigger:
    """Runs one function for the messages of one queue."""

    def __init__(
        self, function: Function, worker: Worker, outputs: Outputs, storage: Storage, options: QueueOptions
    ) -> None:
        """Raises SettingError when the connection is not set."""
        name, connection = function.trigger.text("queueName"), function.trigger.text("connection")
        self._function = function
        self._worker = worker
        self._outputs = outputs
        self._storage = storage
        self._options = options
        self._queue = storage.queue(name, connection)
        self._poison = storage.queue(f"{name}-poison", connection)
        self._stopping = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to poll, on the running loop."""
        self._polling = asyncio.create_task(self._poll())

    async def stop(self, patience: float) -> None:
        """Receive no more; let messages in work end."""
        self._stopping.set()
        tasks = [task for task in (self._polling, *self._working) if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=patience)

    async def _poll(self) -> None:
        delay = _FIRST_POLL
        while not self._stopping.is_set():
            messages = await self._receive()
            for message in messages:
                self._begin(message)
            if messages:
                delay = _FIRST_POLL
                await self._wait_for_room()
            else:
                await stopped_within(self._stopping, delay)
                delay = min(2 * delay, self._options.max_polling_interval.total_seconds())

    async def _receive(self) -> list[QueueMessage]:
        try:
            return await self._storage.run(_receive, self._queue, self._options.batch_size)
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            log.warning("%s: the queue cannot be read: %s", self._function.name, str(error).splitlines()[0])
            return []

    def _begin(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self._process(message))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _wait_for_room(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        while len(self._working) > self._options.new_batch_threshold and not stopping.done():
            await asyncio.wait({stopping, *self._working}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _process(self, message: QueueMessage) -> None:
        held = _HeldMessage(message, self._queue, self._storage)
        renewing = asyncio.create_task(held.keep())
        try:
            succeeded = await self._invoke(message)
        finally:
            await held.release()
            renewing.cancel()
        try:
            await self._settle(message, succeeded)
        except AzureError as error:
            log.warning("%s: message %s: %s", self._function.name, message.id, str(error).splitlines()[0])

    async def _invoke(self, message: QueueMessage) -> bool:
        try:
            body = decode_message(message.content, self._options.base64)
        except ValueError:
            log.error("%s: message %s is not base64", self._function.name, message.id)
            message.dequeue_count = self._options.max_dequeue_count
            return False
        data = _message_data(body, self._function.trigger.text("dataType").lower())
        response = await self._worker.invoke_in_time(self._function, data, _metadata(message, data))
        return response.succeeded and await self._outputs.write(self._function, response)

    async def _settle(self, message: QueueMessage, succeeded: bool) -> None:
        if succeeded:
            await self._storage.run(self._queue.delete_message, message)
        elif (message.dequeue_count or 0) < self._options.max_dequeue_count:
            again = int(self._options.visibility_timeout.total_seconds())
            await self._storage.run(self._queue.update_message, message, visibility_timeout=again)
        else:
            log.error("%s: message %s goes to %s", self._function.name, message.id, self._poison.queue_name)
            await self._storage.run(send_text, self._poison, message.content)
            await self._storage.run(self._queue.delete_message, message)


class _HeldMessage:
    """Keeps a message invisible to others while it is worked on."""

    def __init__(self, message: QueueMessage, queue: QueueClient, storage: Storage) -> None:
        self._message = message
        self._queue = queue
        self._storage = storage
        self._released = asyncio.Event()
        self._renewing = asyncio.Lock()

    async def keep(self) -> None:
        """Renew until released."""
        while not await stopped_within(self._released, _LEASE / 3):
            async with self._renewing:
                await self._renew()

    async def release(self) -> None:
        """Wait for a renewal under way, so that the message's receipt is the newest."""
        self._released.set()
        async with self._renewing:
            pass

    async def _renew(self) -> None:
        try:
            update = self._queue.update_message
            renewed = await self._storage.run(update, self._message, visibility_timeout=_LEASE)
            self._message.pop_receipt = renewed.pop_receipt
        except AzureError as error:
            log.warning("message %s: %s", self._message.id, str(error).splitlines()[0])


def _receive(queue: QueueClient, count: int) -> list[QueueMessage]:
    return list(
        queue.receive_messages(messages_per_page=count, max_messages=count, visibility_timeout=_LEASE)
    )


def _message_data(body: bytes, data_type: str) -> TypedData:
    """Text where the body is text, unless the binding asks for bytes."""
    if data_type == "binary":
        return TypedData(bytes=body)
    try:
        return TypedData(string=body.decode())
    except UnicodeDecodeError:
        return TypedData(bytes=body)


def _metadata(message: QueueMessage, data: TypedData) -> dict[str, TypedData]:
    return {
        "QueueTrigger": data,
        "Id": TypedData(string=message.id),
        "DequeueCount": TypedData(json=str(message.dequeue_count)),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "ExpirationTime": _time(message.expires_on),
        "InsertionTime": _time(message.inserted_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }


def _time(when: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(when.isoformat() if when else None))
