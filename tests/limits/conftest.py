"""The app's own operations over limits that the test sets, storage in memory and a clock that stands."""

from __future__ import annotations

from functools import cache

import pytest

from shared import runtime
from tests.fakes.tables import MemoryTables
from tests.http.conftest import app_triggers, configure
from tests.limits.instances import Instance, Seconds

__all__ = ["app_triggers", "configure"]


@pytest.fixture
def tables() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def served(tables: MemoryTables, clock: Seconds, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """The instance that the app's operations count on."""
    instance = Instance(tables, clock)
    monkeypatch.setattr(runtime, "limiter", cache(lambda: instance.limiter))
    return instance
