"""Messages of one partition between the thread that consumes and the loop that invokes."""

import threading
from collections import deque

from confluent_kafka import Message

MAX_BATCH_BYTES = 3 * 1024 * 1024
"""A batch holds no more bytes of bodies than this, but always at least one message."""


class PartitionBuffer:
    """Takes runs of messages, gives batches; full when two batches wait."""

    def __init__(self, max_batch: int, min_batch: int = 1) -> None:
        self._max_batch = max_batch
        self._min_batch = min_batch
        self._lock = threading.Lock()
        self._runs: deque[tuple[list[Message], int]] = deque()
        self._count = 0
        self._bytes = 0

    def put(self, messages: list[Message]) -> None:
        """Add messages in order; never refuses, `full` says when to stop."""
        size = sum(map(len, messages))
        with self._lock:
            self._runs.append((messages, size))
            self._count += len(messages)
            self._bytes += size

    def take(self) -> list[Message]:
        """The next batch; empty when nothing waits."""
        batch: list[Message] = []
        size = 0
        with self._lock:
            while self._runs and len(batch) < self._max_batch:
                run, run_size = self._runs.popleft()
                fits = self._fitting(
                    run, run_size, self._max_batch - len(batch), MAX_BATCH_BYTES - size, not batch
                )
                taken = run if fits == len(run) else run[:fits]
                taken_size = run_size if fits == len(run) else sum(map(len, taken))
                batch = batch + taken if batch else taken
                size += taken_size
                if fits < len(run):
                    self._runs.appendleft((run[fits:], run_size - taken_size))
                    break
            self._count -= len(batch)
            self._bytes -= size
        return batch

    @staticmethod
    def _fitting(run: list[Message], size: int, room: int, room_bytes: int, at_least_one: bool) -> int:
        """How many messages from the front of `run` fit."""
        if size <= room_bytes:
            return min(len(run), room)
        fitting = 0
        for message in run[:room]:
            room_bytes -= len(message)
            if room_bytes < 0:
                break
            fitting += 1
        return max(fitting, int(at_least_one))

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._count

    @property
    def enough(self) -> bool:
        """Whether a batch need not wait for more messages."""
        return self._count >= self._min_batch or self._bytes >= MAX_BATCH_BYTES // 2

    @property
    def full(self) -> bool:
        """Whether enough waits that consuming more would only use memory."""
        return self._count >= 2 * self._max_batch or self._bytes >= MAX_BATCH_BYTES

    @property
    def low(self) -> bool:
        """Whether it is time to consume again."""
        return self._count <= self._max_batch and self._bytes <= MAX_BATCH_BYTES // 2
