"""What happened in the last sixty seconds, for rates."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import msgspec

SECONDS = 60


class Produced(msgspec.Struct, gc=False):
    """Messages sent to the broker: acknowledged, refused, the acknowledged ones' waiting in seconds, all
    together, and the events that they hold."""

    acknowledged: int = 0
    refused: int = 0
    waited: float = 0.0
    events: int = 0

    def plus(self, other: Produced) -> Produced:
        """Both together."""
        return Produced(
            self.acknowledged + other.acknowledged,
            self.refused + other.refused,
            self.waited + other.waited,
            self.events + other.events,
        )


class Minute(msgspec.Struct, gc=False):
    """What was produced how many seconds `ago`, 0 to 59."""

    ago: dict[int, Produced] = {}

    def left(self, later: float = 0.0) -> Produced:
        """What still lies within the last minute so many seconds `later`."""
        total = Produced()
        for seconds, produced in self.ago.items():
            if seconds + later < SECONDS:
                total = total.plus(produced)
        return total


class LastMinute:
    """A ring of sixty seconds; thread-safe. `ticks` are monotonic seconds."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._slots = [(-SECONDS, Produced())] * SECONDS
        self._lock = Lock()

    def add(self, acknowledged: int, refused: int, waited: float, events: int) -> None:
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
            produced.events += events

    def read(self) -> Minute:
        """The minute that ends now."""
        now, nothing = int(self._ticks()), Produced()
        with self._lock:
            return Minute({now - at: made.plus(nothing) for at, made in self._slots if now - at < SECONDS})
