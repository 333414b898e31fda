"""A blueprint of operations made for tests: each shows something that the decorator does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import (
    ApiModel,
    CommaList,
    Principal,
    RawBody,
    Reply,
    Request,
    WholeNumber,
    operation,
)
from functions._http.catalogue import Catalogue
from shared.platform import errors, logs
from shared.platform.times import UtcTime
from tests.http.conftest import triggers_of

bp = func.Blueprint()
catalogue = Catalogue()


class ThingPath(ApiModel):
    thing_id: WholeNumber = Field(ge=1)


class ThingsQuery(ApiModel):
    kind: Literal["small", "large"] | None = None
    limit: WholeNumber = Field(100, ge=1, le=1000)
    share: float = Field(0.5, ge=0, le=1)
    since: UtcTime | None = None
    names: CommaList = Field(default_factory=list)


class Part(ApiModel):
    size: float


class NewThing(ApiModel):
    name: str = Field(min_length=1)
    parts: list[Part] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict)


class Echo(ApiModel):
    value: Any


class Stamped(ApiModel):
    at: UtcTime


def declare(method: str, route: str, **options: Any) -> Any:
    return operation(bp, method, route, summary="A test", catalogue=catalogue, **options)


@declare("GET", "api/things", query=ThingsQuery, response=Echo)
async def list_things(request: Request[ThingsQuery]) -> Echo:
    return Echo(value=request.query.model_dump(mode="json"))


@declare("GET", "api/things/{thing_id}", path=ThingPath, response=Echo)
async def get_thing(request: Request[None, None, ThingPath]) -> Echo:
    return Echo(value=request.path.thing_id)


@declare("POST", "api/things", body=NewThing, response=Echo, status=201)
async def make_thing(request: Request[None, NewThing]) -> Echo:
    return Echo(value=request.body.model_dump())


@declare("POST", "api/maybe", body=NewThing, body_required=False, response=Echo)
async def maybe_thing(request: Request[None, NewThing | None]) -> Echo:
    return Echo(value=request.body is None)


@declare("POST", "api/raw", body=RawBody(max_bytes=1000), open_locally=True)
async def take_raw(request: Request[None, bytes]) -> bytes:
    return b'{"length":%d}' % len(request.body)


@declare("POST", "api/pictures", body=RawBody(content_types=("image/*",)), open=True)
async def take_picture(request: Request[None, bytes]) -> Reply[bytes]:
    return Reply(200, request.body, content_type="image/png")


@declare("POST", "api/v1/things", body=NewThing, response=Echo)
async def enveloped(request: Request[None, NewThing]) -> Reply[Echo]:
    return Reply(202, Echo(value=1), {"X-Extra": "yes"}, message="Under way")


@declare("GET", "api/v1/file", open=True)
async def plain_file(request: Request) -> Reply[bytes]:
    return Reply(200, b"a,b\n", content_type="text/csv")


@declare("GET", "api/nothing", open=True)
async def nothing(request: Request) -> Reply[None]:
    return Reply(204, None)


@declare("GET", "api/times", response=Stamped, open=True)
async def times(request: Request) -> list[Any]:
    moment = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
    return [Stamped(at=moment), moment, moment.replace(microsecond=0)]


@declare("GET", "api/thread", blocking=True, open=True)
def in_thread(request: Request) -> dict[str, Any]:
    return {"main": threading.current_thread() is threading.main_thread(), "id": logs.request_id()}


@declare("GET", "api/whoami", scope="things:read")
async def whoami(request: Request) -> dict[str, Any]:
    assert isinstance(request.principal, Principal)
    return {"id": request.principal.id, "log": logs.request_id(), "request": request.request_id}


FAILURES: dict[str, Exception] = {
    "inside": RuntimeError("password=hunter2"),
    "settings": errors.SettingsError("FLOE_SECRET is wrong"),
    "down": errors.BrokerUnavailable("The broker did not answer", retry_after=7),
    "spent": errors.RateLimited("Too many", retry_after=30),
    "conflict": errors.Conflict("It exists", details={"id": "1"}),
}


@declare(
    "GET", "tasks/fail/{how}", path=type("How", (ApiModel,), {"__annotations__": {"how": str}}), open=True
)
async def fail(request: Request[None, None, Any]) -> None:
    raise FAILURES[request.path.how]


TRIGGERS = triggers_of(bp)
