"""Each port's fake and real thing, under one name."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from shared.lake.ports import Blobs, Lake, Leases
from tests.fakes import MemoryBlobs, MemoryLake, MemoryLeases
from tests.place import Place


@pytest.fixture(scope="session")
def place(storage_connection_string: str) -> Place:
    """Containers for the contracts."""
    return Place(storage_connection_string, f"c{uuid.uuid4().hex[:10]}").make()


@pytest.fixture
def fresh_place(storage_connection_string: str) -> Place:
    """Containers for one test."""
    return Place(storage_connection_string, f"c{uuid.uuid4().hex[:10]}").make()


@pytest.fixture(params=["fake", "real"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    """Blobs; use names of your own."""
    return MemoryBlobs() if request.param == "fake" else request.getfixturevalue("place").blobs()


@pytest.fixture(params=["fake", "real"])
def new_lake(request: pytest.FixtureRequest) -> Callable[[], Lake]:
    """Makes lakes over the same tables, each as another process would."""
    if request.param == "fake":
        logs = MemoryLake().logs
        return lambda: MemoryLake(logs)
    return request.getfixturevalue("fresh_place").lake


@pytest.fixture(params=["fake", "real"])
def new_leases(request: pytest.FixtureRequest) -> Callable[[], Leases]:
    """Makes leases over the same names, each as another process would."""
    if request.param == "fake":
        leases = MemoryLeases()
        return lambda: leases
    return request.getfixturevalue("place").leases
