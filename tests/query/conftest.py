"""A lake of a test's own."""

from __future__ import annotations

import uuid

import pytest

from tests.place import Place
from tests.query.lake import EventLake, ReadingLake


@pytest.fixture
def place(storage_connection_string: str) -> Place:
    """An empty place."""
    return Place(storage_connection_string, f"q{uuid.uuid4().hex[:10]}").make()


@pytest.fixture
def event_lake(place: Place) -> EventLake:
    """An empty one."""
    return EventLake(place)


@pytest.fixture
def reading_lake(place: Place) -> ReadingLake:
    """An empty one."""
    return ReadingLake(place)
