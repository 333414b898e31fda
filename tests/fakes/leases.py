"""Leases in memory, which a test can take away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from shared.platform.errors import LeaseHeld


class MemoryLease:
    """Implements shared.lake.ports.Lease."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lost = False

    def check(self) -> None:
        if self.lost:
            raise LeaseHeld(f"the lease {self._name} was lost")


class MemoryLeases:
    """Implements shared.lake.ports.Leases."""

    def __init__(self) -> None:
        self.held: dict[str, MemoryLease] = {}
        self._changed = Condition()

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float) -> Iterator[MemoryLease]:
        lease = MemoryLease(name)
        with self._changed:
            if not self._changed.wait_for(lambda: name not in self.held, wait_seconds):
                raise LeaseHeld(f"another instance works on {name}")
            self.held[name] = lease
        try:
            yield lease
        finally:
            with self._changed:
                if self.held.get(name) is lease:
                    del self.held[name]
                self._changed.notify_all()

    def lapse(self, name: str) -> None:
        """Takes the lease from its holder, as time does from one that no longer renews."""
        with self._changed:
            self.held.pop(name).lost = True
            self._changed.notify_all()
