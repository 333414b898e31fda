"""A lake of a test's own."""

from __future__ import annotations

import uuid

import pytest

from tests.place import Place
from tests.query.lake import EventLake


@pytest.fixture
def event_lake(storage_connection_string: str) -> EventLake:
    """An empty one."""
    return EventLake(Place(storage_connection_string, f"q{uuid.uuid4().hex[:10]}").make())
