"""Storage in memory, a clock that stands, and the app's own operations over both."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from shared.identity import passwords
from shared.runtime import access, storage
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.http.conftest import Answer, Configure, app_triggers, call, configure
from tests.identity.instances import Instance

__all__ = ["app_triggers", "configure"]

Send = Callable[..., Awaitable[Answer]]
_BUILT = (
    access.authenticator,
    access.identity,
    access.revocations,
    access.verify_credential,
    access.api_keys,
    access.access_tokens,
    access.users,
    access.logins,
)


@pytest.fixture
def tables() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def one(tables: MemoryTables, clock: ManualClock) -> Instance:
    """An instance."""
    return Instance(tables, clock)


@pytest.fixture
def other(tables: MemoryTables, clock: ManualClock) -> Instance:
    """Another instance on the same storage."""
    return Instance(tables, clock)


@pytest.fixture
def send(
    tables: MemoryTables,
    clock: ManualClock,
    app_triggers: dict[str, Any],
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Send]:
    """Invokes an operation of the app by its name, over the tables in memory, with registration open."""
    monkeypatch.setattr(storage, "tables", lambda: tables)
    monkeypatch.setattr(access, "utc_now", clock)
    monkeypatch.setattr("functions.http.admin_keys.utc_now", clock)
    monkeypatch.setattr(passwords.HashCost, "__init__", _cheap)
    configure(registration="open")

    async def invoke(
        name: str, body: Any = None, *, key: str | None = None, token: str | None = None, **options: Any
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        options["headers"] = headers | options.get("headers", {})
        data = b"" if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        path = options.pop("path", "/auth")
        return await call(app_triggers[name], **{"method": method} | options, path=path, body=data, key=key)

    _forget()
    yield invoke
    _forget()


def _cheap(cost: Any, memory_kib: int = 8, rounds: int = 1) -> None:
    object.__setattr__(cost, "memory_kib", memory_kib)
    object.__setattr__(cost, "rounds", rounds)


def _forget() -> None:
    for built in _BUILT:
        built.cache_clear()
