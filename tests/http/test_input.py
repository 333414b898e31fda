"""What an operation takes: path, query and body, and what it refuses of them."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.http.conftest import Configure, call
from tests.http.things import TRIGGERS


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


@pytest.mark.parametrize(
    ("url_query", "status"),
    [
        ("limit=1&limit=2", 400),
        ("limit=1&LIMIT=2", 400),
        ("limit=1&%6Cimit=1", 400),
        ("limit=1&kind=small&limit=", 400),
        ("kind&kind", 400),
        ("limit=1&kind=small", 200),
        ("names=a&names=b", 200),  # a list may be repeated
        ("unknown=1&unknown=2", 200),
        ("limit=1#limit=2&limit=3", 200),
        ("&&", 200),
    ],
)
async def test_a_parameter_of_one_value_is_given_once(url_query: str, status: int) -> None:
    answer = await call(TRIGGERS["list_things"], path=f"/api/things?{url_query}")
    assert answer.status == status
    assert status == 200 or "is given more than once" in answer.json["details"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": "a", "n\\u0061me": "b"}', 400),
        (b'{"name": "a", "unknown": {"x": 1, "x": 1}}', 400),
        (b'{"name": "a", "unknown": [[{"x:\\"": 1, "x:\\"": ":"}]]}', 400),
        (b'{"name": "a:b\\\\", "extra": {"a": [{"a": {"a": "\\":{"}}], "b": ":"}}', 201),
    ],
)
async def test_a_member_of_an_object_is_given_once(body: bytes, status: int) -> None:
    answer = await call(TRIGGERS["make_thing"], method="POST", body=body)
    assert answer.status == status
    assert status == 201 or "two members of the same name" in answer.json["details"]


async def test_why_a_chunked_body_did_not_arrive() -> None:
    chunked = {"Transfer-Encoding": "chunked"}
    answer = await call(TRIGGERS["make_thing"], method="POST", headers=chunked)
    assert (answer.status, "Content-Length" in answer.json["details"]) == (400, True)
