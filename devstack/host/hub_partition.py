"""One partition of an Event Hub trigger: its batches run strictly one after the other."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from confluent_kafka import Message

from devstack.host.bindings import Function
from devstack.host.hub_batches import Batch, PartitionContext, encode_batch, encode_event, is_many
from devstack.host.partition_buffer import PartitionBuffer
from devstack.host.retries import invoke_with_retries
from devstack.host.waiting import stopped_within
from devstack.host.worker import Worker

log = logging.getLogger(__name__)


class HubPartition:
    """Lives on the event loop; `offer`, `stop` and `finished` may be used from the consuming thread."""

    def __init__(
        self,
        function: Function,
        worker: Worker,
        context: PartitionContext,
        buffer: PartitionBuffer,
        max_wait: float,
        checkpoint_frequency: int,
        loop: asyncio.AbstractEventLoop,
        took: Callable[[], None],
    ) -> None:
        """`took` is called on the loop each time room was made in the buffer.

        A batch that is smaller than the buffer's smallest waits up to `max_wait` seconds for more.
        """
        self.buffer = buffer
        self._max_wait = max_wait
        self.finished = threading.Event()
        self.processed = -1
        """Offset after the last finished batch; -1 when there is none yet."""
        self.checkpoint = -1
        """What of `processed` is due to be committed."""
        self._function = function
        self._worker = worker
        self._context = context
        self._frequency = checkpoint_frequency
        self._loop = loop
        self._took = took
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._batches = 0
        self._task: asyncio.Task[None] | None = None
        loop.call_soon_threadsafe(self._start)

    def offer(self, messages: list[Message]) -> None:
        """Take messages in order (thread-safe)."""
        self.buffer.put(messages)
        self._loop.call_soon_threadsafe(self._wake.set)

    def stop(self) -> None:
        """Begin no further batch and no further retry (thread-safe); `finished` says when it is done."""
        self._loop.call_soon_threadsafe(self._stop)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run())

    def _stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self.buffer.empty:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                await self._fill()
                messages = self.buffer.take()
                self._took()
                if messages and not self._stopping.is_set():
                    await self._finish(messages)
        finally:
            self.finished.set()

    async def _fill(self) -> None:
        """Wait for a batch of the smallest size, no longer than `_max_wait`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._max_wait):
                while not (self.buffer.enough or self._stopping.is_set()):
                    self._wake.clear()
                    await self._wake.wait()

    async def _finish(self, messages: list[Message]) -> None:
        """Process the batch, whatever it takes, and move on; `_stopping` alone ends it before that."""
        over = False
        while not over:
            try:
                over = await self._process(messages)
            except Exception:
                log.exception("%s: partition %d", self._function.name, self._context.partition)
            if not over and await stopped_within(self._stopping, 1.0):
                return
        last = messages[-1].offset()
        assert last is not None
        self.processed = last + 1
        self._batches += 1
        if self._batches % self._frequency == 0:
            self.checkpoint = self.processed

    async def _process(self, messages: list[Message]) -> bool:
        """Whether the batch is over with, well or (its retries spent) badly."""
        if is_many(self._function):
            return await self._invoke(encode_batch(self._function, self._context, messages))
        for message in messages:
            if not await self._invoke(encode_event(self._function, self._context, message)):
                return False
        return True

    async def _invoke(self, batch: Batch) -> bool:
        response = await invoke_with_retries(
            lambda retry: self._worker.invoke_in_time(self._function, *batch, retry),
            self._function.retry,
            self._stopping,
        )
        return response is not None
