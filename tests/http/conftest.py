"""Settings for a test, and calls of triggers as the worker makes them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import azure.functions as func
import pytest

from devstack.function_app import HIGH_LIMITS
from shared import runtime
from shared.platform.settings import load_settings

KEY = "a-key-for-tests"
SETTINGS = {
    "FLOE_ADMIN_KEY_SHA256": hashlib.sha256(KEY.encode()).hexdigest(),
    "FLOE_STORAGE_ACCOUNT": "floetests",
    "FLOE_KAFKA_BOOTSTRAP": "127.0.0.1:9",
    **HIGH_LIMITS,
}

# What these tests count is reported nowhere.
with patch.dict(os.environ, SETTINGS), patch.object(runtime, "watch"):
    import function_app  # which checks its settings

Configure = Callable[..., None]


@dataclass(frozen=True)
class Answer:
    """A trigger's response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@pytest.fixture(autouse=True)
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Sets settings anew: `configure(auth="local")`, `configure(API_RATE_LIMIT="5")`; auth is `required`."""

    for name in [name for name in os.environ if name.startswith("FLOE_")]:
        monkeypatch.delenv(name)

    def set_all(**settings: str) -> None:
        own = {key if key.isupper() else f"FLOE_{key.upper()}": text for key, text in settings.items()}
        for name, value in (SETTINGS | own).items():
            monkeypatch.setenv(name, value)
        forget()

    def forget() -> None:
        load_settings.cache_clear()
        runtime.settings.cache_clear()
        runtime.limits.cache_clear()
        runtime.limiter.cache_clear()

    set_all()
    yield set_all
    forget()


def triggers_of(app: func.FunctionRegister | func.Blueprint) -> dict[str, Any]:
    """The functions that the worker would call, by name; read without building, which works only once."""
    functions = [builder._function for builder in app._function_builders]
    return {function.get_user_function().__name__: function.get_user_function() for function in functions}


@pytest.fixture(scope="session")
def app_triggers() -> dict[str, Any]:
    """The app's own functions."""
    return triggers_of(function_app.app)


async def call(
    trigger: Any,
    *,
    method: str = "GET",
    path: str = "/api/things",
    query: dict[str, str] | None = None,
    route: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    key: str | None = KEY,
) -> Answer:
    """Invoke one trigger; `key` None sends no credentials."""
    request = func.HttpRequest(
        method,
        f"http://floe.test{path}",
        headers=({"X-API-Key": key} if key else {}) | (headers or {}),
        params=query or {},
        route_params=route or {},
        body=body,
    )
    response = await trigger(request)
    return Answer(response.status_code, dict(response.headers), response.get_body())
