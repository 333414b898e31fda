"""What an operation answers: its forms, its request ids, its errors."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import pytest
from pydantic import BaseModel

from shared.platform import logs
from tests.http.conftest import call
from tests.http.things import TRIGGERS


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


def test_a_model_without_json_form_is_not_sent_as_something_else() -> None:
    from functions._http.responses import encode

    class Plain(BaseModel):
        x: float

    assert encode({"a": [Plain(x=1.5)]}) == b'{"a":[{"x":1.5}]}'
    assert encode(Plain(x=float("nan"))) == b'{"x":null}'
    with pytest.raises(NotImplementedError):
        encode(object())
