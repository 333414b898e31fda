"""Queues: the port through which work is handed to whichever instance takes it next.

tests/contracts holds every implementation, fakes included, to one suite.
"""

from __future__ import annotations

from typing import Protocol


class Queues(Protocol):
    """Queues by name. Every method blocks, and raises StorageUnavailable when storage does not answer."""

    def send(self, queue: str, text: str, *, delay_seconds: int = 0) -> None:
        """Puts `text` into the queue, to be seen after `delay_seconds`; it is delivered at least once.

        After StorageUnavailable the message may be in the queue or not.
        """
