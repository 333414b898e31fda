"""What happened in the last sixty seconds, for rates."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import msgspec

SECONDS = 60


class Produced(msgspec.Struct, gc=False):
    """Messages sent to the broker within a minute: acknowledged, refused, and the acknowledged ones' waiting
    in seconds, all together."""

    acknowledged: int = 0
    refused: int = 0
    waited: float = 0.0

    def plus(self, other: Produced) -> Produced:
        """Both together."""
        return Produced(
            self.acknowledged + other.acknowledged, self.refused + other.refused, self.waited + other.waited
        )


class LastMinute:
    """A ring of sixty seconds; thread-safe. `ticks` are monotonic seconds."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._slots = [(-SECONDS, Produced())] * SECONDS
        self._lock = Lock()

    def add(self, acknowledged: int, refused: int, waited: float) -> None:
        """Takes in what just happened."""
        second = int(self._ticks())
        with self._lock:
            when, produced = self._slots[second % SECONDS]
            if when != second:
                produced = Produced()
                self._slots[second % SECONDS] = (second, produced)
            produced.acknowledged += acknowledged
            produced.refused += refused
            produced.waited += waited

    def read(self) -> Produced:
        """The last minute's."""
        since = int(self._ticks()) - SECONDS
        total = Produced()
        with self._lock:
            for when, produced in self._slots:
                if when > since:
                    total = total.plus(produced)
        return total
