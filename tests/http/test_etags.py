"""ETags: what a client has already is not made again, and never passes for what is new."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from functions._http import Described, Reply, Request, operation
from functions._http.catalogue import Catalogue
from functions._http.openapi import document
from shared.identity.models import Principal
from shared.platform import errors
from tests.http.conftest import Answer, call, triggers_of

bp = func.Blueprint()
catalogue = Catalogue()


class Shelf:
    """What the operations tell: its content, its version, and how often the content was made."""

    version: object = 1
    made = 0


def declare(route: str, **options: Any) -> Any:
    response = Described("Things", schema={"type": "object"})
    return operation(
        bp, "GET", route, summary="A read", response=response, etag=True, catalogue=catalogue, **options
    )


@declare("api/things")
async def things(request: Request) -> dict[str, object]:
    request.version(Shelf.version)
    Shelf.made += 1
    return {"version": Shelf.version}


@declare("api/blocking", blocking=True)
def blocking(request: Request) -> Reply[dict[str, object]]:
    request.version(Shelf.version)
    Shelf.made += 1
    return Reply(200, {"version": Shelf.version}, {"Vary": "Accept", "X-Extra": "yes"})


@declare("api/v1/things", open=True)
async def enveloped(request: Request) -> dict[str, object]:
    request.version("content", strong=True, headers={"Cache-Control": "public, max-age=60"})
    return {"version": 1}


@declare("api/failing")
async def failing(request: Request) -> None:
    request.version(1)
    raise errors.Conflict("It changed in between")


@declare("api/without")
async def without(request: Request) -> dict[str, object]:
    return {"version": None}


TRIGGERS = triggers_of(bp)


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "version", 1)
    monkeypatch.setattr(Shelf, "made", 0)


async def get(name: str, known: str | None = None, **options: Any) -> Answer:
    headers = options.pop("headers", {}) | ({"If-None-Match": known} if known is not None else {})
    return await call(TRIGGERS[name], headers=headers, **options)


@pytest.mark.parametrize("name", ["things", "blocking"])
async def test_the_work_is_done_again_only_when_something_changed(name: str) -> None:
    first = await get(name)
    again = await get(name, first.headers["ETag"])
    assert (first.status, again.status, again.body, Shelf.made) == (200, 304, b"", 1)
    assert again.headers["ETag"] == first.headers["ETag"]
    Shelf.version = 2
    changed = await get(name, first.headers["ETag"])
    assert (changed.status, changed.json, Shelf.made) == (200, {"version": 2}, 2)
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{}", 304),
        ("*", 304),
        (" * ", 304),
        ('"other", {}', 304),
        ('"a,b",{},W/"c"', 304),
        ("{opaque}", 304),  # compared weakly: whether it says W/ does not matter
        ('"other"', 200),
        ("", 200),
        ("{bare}", 200),
        ('"*"', 200),
        ("W/", 200),
        ('"{bare}', 200),
        ("\\x00\\n", 200),
        ('"a",' * 2000, 200),
    ],
)
async def test_if_none_match(header: str, status: int) -> None:
    etag = (await get("things")).headers["ETag"]
    opaque = etag.removeprefix("W/")
    given = header.replace("{}", etag).replace("{opaque}", opaque).replace("{bare}", opaque.strip('"'))
    assert (await get("things", given)).status == status


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/api/things?limit=2"},
        {"headers": {"Accept": "text/csv"}},
        {"key": "somebody-elses"},
    ],
    ids=["parameters", "accept", "account"],
)
async def test_another_question_has_another_etag(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared import runtime

    class Authenticator:
        def remembers(self, digest: bytes) -> bool:
            return True

        async def principal(self, credential: str, digest: bytes) -> Principal:
            return Principal("k", frozenset("*"), "free", "another", "key")

    monkeypatch.setattr(runtime, "authenticator", Authenticator)
    etag = (await get("things")).headers["ETag"]
    answer = await get("things", etag, **change)
    assert answer.status == 200
    assert answer.headers["ETag"] != etag


async def test_caches_ask_again_and_share_nothing_that_credentials_decide() -> None:
    for answer in (await get("things"), await get("things", "*")):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization, X-API-Key"
        assert answer.headers["ETag"].startswith('W/"')
    assert (await get("blocking")).headers["Vary"] == "Authorization, X-API-Key, Accept"


async def test_an_open_read_may_say_how_long_it_lasts() -> None:
    first, again = await get("enveloped"), await get("enveloped", "*")
    assert first.headers["ETag"].startswith('"')
    assert (first.headers["Cache-Control"], again.headers["Cache-Control"]) == (
        "no-cache",
        "public, max-age=60",
    )
    assert (again.status, again.body, "Vary" in again.headers) == (304, b"", False)


async def test_errors_have_no_etag() -> None:
    answer = await get("failing")
    assert (answer.status, "ETag" in answer.headers) == (409, False)
    assert (await get("things", "*", key=None)).status == 401
    assert "ETag" not in (await get("without", "*")).headers


async def test_head_is_answered_as_get_is() -> None:
    etag = (await get("things", method="HEAD")).headers["ETag"]
    assert etag == (await get("things")).headers["ETag"]
    assert (await get("things", etag, method="HEAD")).status == 304


def test_the_document_says_so() -> None:
    entry = document(catalogue)["paths"]["/api/things"]["get"]
    assert [one["name"] for one in entry["parameters"]] == ["If-None-Match"]
    assert "ETag" in entry["responses"]["200"]["headers"]
    assert "content" not in entry["responses"]["304"]
