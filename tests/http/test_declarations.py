"""What becomes of a declaration: who may call, what the worker sees, what fails at import."""

from __future__ import annotations

import inspect
from typing import Any

import azure.functions as func
import pytest

from functions._http import Request, operation
from functions._http.catalogue import Catalogue
from tests.http.conftest import KEY, Configure, call
from tests.http.things import TRIGGERS, ThingPath, list_things


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"X-API-Key": "ключ"}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {KEY}x"}, 401),
        ({"X-API-Key": "wrong", "Authorization": f"Bearer {KEY}"}, 401),
        ({"X-API-Key": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer  {KEY}"}, 200),
    ],
)
async def test_credentials(headers: dict[str, str], status: int) -> None:
    answer = await call(TRIGGERS["whoami"], headers=headers, key=None)
    assert answer.status == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


async def test_without_an_administrators_key_everything_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOE_ADMIN_KEY_SHA256")
    from shared import runtime
    from shared.platform.settings import load_settings

    load_settings.cache_clear()
    runtime.settings.cache_clear()
    assert (await call(TRIGGERS["whoami"])).status == 401


async def test_local_mode_opens_what_is_open_locally_only(configure: Configure) -> None:
    configure(auth="local")
    assert (await call(TRIGGERS["take_raw"], method="POST", body=b"1", key=None)).status == 200
    assert (await call(TRIGGERS["whoami"], key=None)).status == 401


async def test_credentials_are_asked_for_before_the_input_is_looked_at() -> None:
    assert (await call(TRIGGERS["list_things"], query={"limit": "x"}, key=None)).status == 401


def test_the_trigger_is_what_the_worker_wants() -> None:
    trigger = TRIGGERS["in_thread"]
    assert inspect.iscoroutinefunction(trigger)
    assert inspect.signature(trigger).parameters.keys() == {"req"}
    assert trigger.__annotations__ == {"req": func.HttpRequest, "return": func.HttpResponse}


def test_the_decorator_returns_the_handler() -> None:
    assert list_things is not TRIGGERS["list_things"]
    assert list_things.__name__ == TRIGGERS["list_things"].__name__


async def ok(request: Request) -> None: ...


def blocks(request: Request) -> None: ...


@pytest.mark.parametrize(
    ("handler", "route", "options", "problem"),
    [
        (blocks, "a", {}, TypeError),
        (ok, "a", {"blocking": True}, TypeError),
        (ok, "a/{id}", {}, ValueError),
        (ok, "a", {"path": ThingPath}, ValueError),
        (ok, "a/{thing_id:colour}", {"path": ThingPath}, ValueError),
        (ok, "a b", {}, ValueError),
    ],
)
def test_contradictory_declarations_fail_at_import(
    handler: Any, route: str, options: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        operation(func.Blueprint(), "GET", route, summary="", catalogue=Catalogue(), **options)(handler)


def test_two_operations_of_one_name_fail_at_import() -> None:
    taken = Catalogue()
    operation(func.Blueprint(), "GET", "a", summary="", catalogue=taken)(ok)
    with pytest.raises(ValueError, match="two operations"):
        operation(func.Blueprint(), "GET", "b", summary="", catalogue=taken)(ok)
