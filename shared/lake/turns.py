"""Turns at a table: every commit is made while its lease is held, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from shared.lake.ports import Lease, Leases
from shared.platform.errors import LeaseHeld
from shared.streams import StreamDefinition

# A flush of a backlog may hold the table for minutes: asked so often, and so long (seconds) at a time.
_ASKED = 30
_WAIT = 10.0


def table_lease(stream: StreamDefinition) -> str:
    """The name of the lease under which a stream's table is committed to."""
    return f"flush-{stream.name}"


def tiers_lease(stream: StreamDefinition) -> str:
    """The name of the lease that keeps uploads and clean-ups of a stream from each other."""
    return f"upload-{stream.name}"


def go_on() -> None:
    """The `check` of work that nobody wants to end."""


def untold(done: int, total: int) -> None:
    """The `on_progress` of work that nobody follows."""


@contextmanager
def turn_at(leases: Leases, stream: StreamDefinition, check: Callable[[], None]) -> Iterator[Lease]:
    """The table's lease, waited for patiently; `check` is called meanwhile. Raises LeaseHeld in the end."""
    with ExitStack() as held:
        yield _taken(held, leases, stream, check)


def _taken(held: ExitStack, leases: Leases, stream: StreamDefinition, check: Callable[[], None]) -> Lease:
    for left in reversed(range(_ASKED)):
        check()
        try:
            return held.enter_context(leases.hold(table_lease(stream), wait_seconds=_WAIT))
        except LeaseHeld:
            if not left:
                raise
    raise AssertionError("unreachable")
