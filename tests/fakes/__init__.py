"""Hand-written stand-ins for the ports, held to the real things by `tests/contracts`."""

from tests.fakes.blobs import MemoryBlobs
from tests.fakes.board import MemoryGenerations, MemoryNotices
from tests.fakes.broker import MemoryBroker
from tests.fakes.clock import ManualClock
from tests.fakes.lake import MemoryLake
from tests.fakes.leases import MemoryLeases

__all__ = [
    "ManualClock",
    "MemoryBlobs",
    "MemoryBroker",
    "MemoryGenerations",
    "MemoryLake",
    "MemoryLeases",
    "MemoryNotices",
]
