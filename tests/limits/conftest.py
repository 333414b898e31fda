"""The app's own operations over limits that the test sets, storage in memory and a clock that stands."""

from __future__ import annotations

from functools import cache

import pytest

from devstack.function_app import HIGH_LIMITS
from functions._http.messages import Principal
from shared import runtime
from shared.platform.settings import load_settings
from tests.fakes.tables import MemoryTables
from tests.http.conftest import Configure, app_triggers, configure
from tests.limits.instances import Instance, Seconds
from tests.limits.things import Authenticator

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


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    scopes = frozenset({"events:read", "profile:read"})
    known = Authenticator(
        ada=Principal("key-1", scopes, "free", "ada", "key"),
        ada2=Principal("key-2", scopes, "free", "ada", "key"),
        bob=Principal("key-3", scopes, "professional", "bob", "key"),
        eve=Principal("key-4", scopes, "enterprise", "eve", "key"),
        max=Principal("key-5", frozenset(), "free", "max", "key"),
    )
    monkeypatch.setattr(runtime, "authenticator", lambda: known)
    return known


@pytest.fixture
def documented(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits that hold where no setting says otherwise."""
    for name in HIGH_LIMITS:
        monkeypatch.delenv(name)
    load_settings.cache_clear()
    runtime.settings.cache_clear()
    runtime.limits.cache_clear()
