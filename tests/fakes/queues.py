"""Queues in memory."""

from __future__ import annotations

from threading import Lock


class MemoryQueues:
    """Implements shared.platform.queues.Queues; every queue exists. A test takes messages out itself."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, int]] = []
        self._lock = Lock()

    def send(self, queue: str, text: str, *, delay_seconds: int = 0) -> None:
        with self._lock:
            self.messages.append((queue, text, delay_seconds))

    def take(self, queue: str) -> list[str]:
        """All messages of the queue, seen or not yet; they are gone then."""
        with self._lock:
            taken = [text for name, text, _ in self.messages if name == queue]
            self.messages = [message for message in self.messages if message[0] != queue]
            return taken
