"""What the decorator does around a handler, seen from a blueprint of its own."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import logging
import threading
from datetime import UTC, datetime
from typing import Any, Literal

import azure.functions as func
import pytest
from pydantic import BaseModel, Field

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
from tests.http.conftest import KEY, Configure, call, triggers_of

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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"kind": None, "limit": 100, "share": 0.5, "since": None, "names": []}),
        ({"limit": "1000", "unknown": "x"}, {"limit": 1000}),
        ({"names": "a,b, c"}, {"names": ["a", "b", "c"]}),
        ({"since": "2025-09-30T12:00:00"}, {"since": "2025-09-30T12:00:00Z"}),
        ({"since": "2025-09-30T12:00:00.5 02:00"}, {"since": "2025-09-30T10:00:00.500000Z"}),
    ],
)
async def test_valid_query(query: dict[str, str], expected: dict[str, Any]) -> None:
    answer = await call(TRIGGERS["list_things"], query=query)
    assert answer.status == 200
    assert expected.items() <= answer.json["value"].items()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("limit", value)
            for value in ("0", "1001", "-1", "ten", "1e2", "1_0", "10.0", " 5", "5,6", "9" * 30, "٣")
        ),
        *(("kind", value) for value in ("medium", "SMALL", "small,large")),
        *(("share", value) for value in ("1.1", "-0.1", "nan", "inf", "x")),
        *(("since", value) for value in ("yesterday", "2025-13-01T00:00:00Z", "1700000000", "2025-09-30")),
        ("since", "9999-12-31T23:59:59-01:00"),
        ("since", "2025-09-30T25:00:00Z"),
    ],
)
async def test_invalid_query_is_400_and_names_the_parameter(name: str, value: str) -> None:
    answer = await call(TRIGGERS["list_things"], query={name: value})
    assert answer.status == 400
    assert answer.json["error"] == "Invalid request"
    assert name in answer.json["details"]


@pytest.mark.parametrize(("given", "status"), [("7", 200), ("0", 400), ("seven", 400), ("-7", 400)])
async def test_path(given: str, status: int) -> None:
    answer = await call(TRIGGERS["get_thing"], route={"thing_id": given})
    assert answer.status == status
    assert status == 200 or "thing_id" in answer.json["details"]


async def test_valid_body_ignores_unknown_fields() -> None:
    body = b'{"name": "a", "parts": [{"size": 1, "colour": "red"}], "more": [1]}'
    answer = await call(TRIGGERS["make_thing"], method="POST", body=body)
    assert answer.status == 201
    assert answer.json == {"value": {"name": "a", "parts": [{"size": 1.0}], "extra": {}}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no body"),
        (b"{}", "Missing required field: name"),
        (b'{"name": ""}', "name: "),
        (b'{"name": "a", "parts": [{"size": "big"}]}', "parts.0.size"),
        (b"[]", "body: "),
        (b"null", "body: "),
        (b"{", "not valid JSON"),
        (b'{"name": "a"} x', "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
        (b'{"name": "\\ud800"}', "not valid JSON"),
        (b'{"name": "a", "extra": {"x": NaN}}', "not valid JSON"),
        (b'{"name": "a", "extra": {"x": 1e999}}', "not valid JSON"),
        (b'{"name": "a", "parts": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"name": "a", "extra": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested too deeply"),
    ],
)
async def test_invalid_body_is_400(body: bytes, told: str) -> None:
    answer = await call(TRIGGERS["make_thing"], method="POST", body=body)
    assert (answer.status, told in answer.json["details"]) == (400, True), answer.body


@pytest.mark.parametrize("body", [b"", b'{"name": "a"}'])
async def test_optional_body(body: bytes) -> None:
    answer = await call(TRIGGERS["maybe_thing"], method="POST", body=body)
    assert answer.json == {"value": not body}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"[]", 200),
        ({"Content-Type": "application/json; charset=UTF-8"}, b"[]", 200),
        ({"Content-Type": "application/vnd.floe+json"}, b"[]", 200),
        ({"Content-Type": "application/json; charset=utf-16"}, b"[]", 415),
        ({"Content-Type": "text/plain"}, b"[]", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415),
        ({"Content-Encoding": "identity"}, b"[]", 200),
        ({"Content-Encoding": "GZIP"}, gzip.compress(b"[]", mtime=0), 200),
        ({"Content-Encoding": "br"}, b"[]", 415),
        ({"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(b"[]", mtime=0), mtime=0), 415),
        ({"Content-Encoding": "gzip"}, b"[]", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"[]", mtime=0)[:-4], 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 1000, mtime=0), 200),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 1001, mtime=0), 413),
        ({}, b"x" * 1000, 200),
        ({}, b"x" * 1001, 413),
        ({}, b"", 400),
    ],
)
async def test_raw_body(headers: dict[str, str], body: bytes, status: int) -> None:
    answer = await call(TRIGGERS["take_raw"], method="POST", headers=headers, body=body)
    assert answer.status == status
    assert set(answer.json) == ({"length"} if status == 200 else {"error", "details"})


async def test_bodies_of_other_types() -> None:
    png = {"Content-Type": "image/png"}
    assert (await call(TRIGGERS["take_picture"], method="POST", headers=png, body=b"\x89")).body == b"\x89"
    json_type = {"Content-Type": "application/json"}
    assert (await call(TRIGGERS["take_picture"], method="POST", headers=json_type, body=b"1")).status == 415


async def test_the_body_limit_follows_the_settings(configure: Configure) -> None:
    configure(max_body_bytes="1024")
    body = b'{"name": "' + b"a" * 1024 + b'"}'
    answer = await call(TRIGGERS["make_thing"], method="POST", body=body)
    assert (answer.status, answer.json["error"]) == (413, "Payload too large")


async def test_the_envelope() -> None:
    answer = await call(TRIGGERS["enveloped"], method="POST", body=b'{"name": "a"}')
    assert answer.status == 202
    assert answer.headers["X-Extra"] == "yes"
    assert answer.json["success"] is True
    assert (answer.json["data"], answer.json["message"]) == ({"value": 1}, "Under way")
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert datetime.fromisoformat(answer.json["timestamp"]).tzinfo is not None


async def test_only_json_is_enveloped() -> None:
    assert (await call(TRIGGERS["plain_file"])).body == b"a,b\n"


async def test_no_content() -> None:
    answer = await call(TRIGGERS["nothing"])
    assert (answer.status, answer.body) == (204, b"")


async def test_times_end_with_z_and_have_microseconds_where_there_are_any() -> None:
    assert (await call(TRIGGERS["times"])).json == [
        {"at": "2026-01-02T03:04:05.000600Z"},
        "2026-01-02T03:04:05.000600Z",
        "2026-01-02T03:04:05Z",
    ]


async def test_a_blocking_handler_runs_in_a_thread_and_keeps_its_context() -> None:
    answer = await call(TRIGGERS["in_thread"], headers={"X-Request-Id": "mine"})
    assert answer.json == {"main": False, "id": "mine"}


@pytest.mark.parametrize("given", ["req-1", "a.b_C-9", "x" * 128])
async def test_a_valid_request_id_is_taken_over(given: str) -> None:
    answer = await call(TRIGGERS["whoami"], headers={"x-request-id": given})
    assert answer.headers["X-Request-Id"] == given
    assert answer.json == {"id": "administrator", "log": given, "request": given}
    assert logs.request_id() is None


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\n", "é", "a;b", "<script>"])
async def test_another_request_id_is_replaced(given: str) -> None:
    answer = await call(TRIGGERS["whoami"], headers={"x-request-id": given})
    assert answer.headers["X-Request-Id"].startswith("req_")


async def test_request_ids_of_simultaneous_requests_do_not_mix() -> None:
    ids = [f"id-{number}" for number in range(50)]
    answers = await asyncio.gather(
        *(call(TRIGGERS["in_thread"], headers={"x-request-id": one}) for one in ids)
    )
    assert [answer.json["id"] for answer in answers] == ids


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("inside", 500, "INTERNAL_ERROR"),
        ("settings", 500, "INTERNAL_ERROR"),
        ("down", 503, "SERVICE_UNAVAILABLE"),
        ("spent", 429, "RATE_LIMITED"),
        ("conflict", 409, "CONFLICT"),
    ],
)
async def test_failures(how: str, status: int, code: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = await call(TRIGGERS["fail"], route={"how": how})
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (status, code)
    assert error["request_id"] == answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert "hunter2" not in answer.body.decode()
    assert "FLOE_SECRET" not in answer.body.decode()
    assert answer.headers.get("Retry-After") == {"down": "7", "spent": "30"}.get(how)
    assert any(answer.json["request_id"] in record.message for record in caplog.records) == (status >= 500)


async def test_an_unforeseen_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "floe"):
        await call(TRIGGERS["fail"], route={"how": "inside"})
    assert '"function":"fail"' in caplog.text
    assert "RuntimeError: password=hunter2" in caplog.text
    assert "Traceback" in caplog.text


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


def test_a_model_without_json_form_is_not_sent_as_something_else() -> None:
    from functions._http.responses import encode

    class Plain(BaseModel):
        x: float

    assert encode({"a": [Plain(x=1.5)]}) == b'{"a":[{"x":1.5}]}'
    assert encode(Plain(x=float("nan"))) == b'{"x":null}'
    with pytest.raises(NotImplementedError):
        encode(object())
