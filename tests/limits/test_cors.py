"""CORS: which pages may call, what they may read, and what a preflight costs."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from functions._http import Reply, Request, operation
from functions._http.catalogue import Catalogue
from functions._http.cors import ALLOWED_HEADERS, EXPOSED_HEADERS
from shared import runtime
from shared.platform.errors import SettingsError
from tests.http.conftest import Answer, Configure, call, triggers_of
from tests.limits.instances import Instance

PAGE, STRANGER = "https://app.example.com", "https://evil.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
bp = func.Blueprint()


@operation(bp, "GET", "api/varied", summary="A test", catalogue=Catalogue(), open=True)
async def varied(request: Request) -> Reply[None]:
    return Reply(204, None, {"Vary": "Accept"})


VARIED = triggers_of(bp)["varied"]


def cors_of(answer: Answer) -> dict[str, str]:
    """The headers that have to do with CORS."""
    return {
        name: value for name, value in answer.headers.items() if name.startswith("Access-") or name == "Vary"
    }


async def lost(triggers: dict[str, Any], **request: Any) -> Answer:
    """What nothing stands at, or a preflight."""
    return await call(triggers["fallback"], **{"path": "/api/lost", "key": None} | request)


async def test_by_default_no_page_may_call(app_triggers: dict[str, Any]) -> None:
    answer = await lost(app_triggers, headers={"Origin": PAGE})
    assert (answer.status, cors_of(answer)) == (404, {})
    answer = await lost(
        app_triggers, path="/api/events", method="OPTIONS", headers={"Origin": PAGE} | PREFLIGHT
    )
    assert (answer.status, cors_of(answer)) == (405, {})


async def test_a_page_that_may_call_reads_errors_and_limits_too(
    app_triggers: dict[str, Any], configure: Configure
) -> None:
    configure(cors_origins=f"https://other.example.com,{PAGE}")
    found = cors_of(await lost(app_triggers, headers={"Origin": PAGE}))
    assert found["Access-Control-Allow-Origin"] == PAGE
    assert found["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in found
    exposed = set(found["Access-Control-Expose-Headers"].split(", "))
    assert {"X-Request-Id", "ETag", "X-RateLimit-Remaining", "Retry-After", "X-Pagination-Total"} <= exposed


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", f"{PAGE}.evil.com", "http://app.example.com", f"{PAGE}:8443", ""]
)
async def test_another_page_may_not(origin: str, app_triggers: dict[str, Any], configure: Configure) -> None:
    configure(cors_origins=PAGE)
    assert cors_of(await lost(app_triggers, headers={"Origin": origin})) == {"Vary": "Origin"}
    headers = {"Origin": origin} | PREFLIGHT
    answer = await lost(app_triggers, path="/api/events", method="OPTIONS", headers=headers)
    assert (answer.status, cors_of(answer)) == (405, {"Vary": "Origin"})


async def test_answers_that_depend_on_the_page_say_so_without_one(
    app_triggers: dict[str, Any], configure: Configure
) -> None:
    configure(cors_origins=PAGE)
    assert cors_of(await lost(app_triggers)) == {"Vary": "Origin"}
    assert (await call(VARIED, headers={"Origin": PAGE})).headers["Vary"] == "Accept, Origin"


async def test_every_page(app_triggers: dict[str, Any], configure: Configure) -> None:
    configure(cors_origins="*")
    found = cors_of(await lost(app_triggers, headers={"Origin": STRANGER}))
    assert found["Access-Control-Allow-Origin"] == "*"
    assert not {"Vary", "Access-Control-Allow-Credentials"} & set(found)


async def test_credentials_by_setting(app_triggers: dict[str, Any], configure: Configure) -> None:
    configure(cors_origins=PAGE, cors_credentials="true")
    found = cors_of(await lost(app_triggers, headers={"Origin": PAGE}))
    assert (found["Access-Control-Allow-Origin"], found["Access-Control-Allow-Credentials"]) == (PAGE, "true")
    found = cors_of(await lost(app_triggers, headers={"Origin": STRANGER}))
    assert found == {"Vary": "Origin"}


@pytest.mark.parametrize(
    "settings",
    [
        {"cors_origins": "*", "cors_credentials": "true"},
        {"cors_credentials": "true"},
        {"cors_origins": "app.example.com"},
        {"cors_origins": f"{PAGE}/"},
        {"cors_origins": f"{PAGE}, {STRANGER}"},
        {"cors_origins": f"*,{PAGE}"},
        {"cors_origins": "https://*.example.com"},
    ],
)
def test_what_the_settings_refuse(settings: dict[str, str], configure: Configure) -> None:
    configure(**settings)
    with pytest.raises(SettingsError, match="FLOE_CORS"):
        runtime.settings()


async def test_a_preflight(app_triggers: dict[str, Any], configure: Configure) -> None:
    configure(cors_origins=PAGE)
    headers = {"Origin": PAGE} | PREFLIGHT
    answer = await lost(app_triggers, path="/api/events", method="OPTIONS", headers=headers)
    found = cors_of(answer)
    assert (answer.status, answer.body) == (204, b"")
    assert found["Access-Control-Allow-Origin"] == PAGE
    assert found["Access-Control-Allow-Methods"].split(", ") == ["GET", "HEAD", "POST"]
    allowed = {name.lower() for name in found["Access-Control-Allow-Headers"].split(", ")}
    assert {"authorization", "x-api-key", "content-type", "if-none-match", "x-request-id"} <= allowed
    assert int(found["Access-Control-Max-Age"]) > 0
    answer = await lost(app_triggers, path="/api/lost", method="OPTIONS", headers=headers)
    assert (answer.status, cors_of(answer)["Access-Control-Allow-Origin"]) == (404, PAGE)


async def test_preflights_use_up_nobodys_limit(
    app_triggers: dict[str, Any], served: Instance, configure: Configure
) -> None:
    configure(cors_origins=PAGE, API_RATE_LIMIT="2")
    headers = {"Origin": PAGE} | PREFLIGHT
    for _ in range(5):
        answer = await lost(app_triggers, path="/api/events", method="OPTIONS", headers=headers)
        assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (204, "2")
    # Those of other pages are no preflights to Floe.
    answers = [
        await lost(app_triggers, path="/api/events", method="OPTIONS", headers=headers | {"Origin": STRANGER})
        for _ in range(3)
    ]
    assert [answer.status for answer in answers] == [405, 405, 429]
    # A refusal can be read by the page, too.
    refused = await lost(app_triggers, headers={"Origin": PAGE})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (429, PAGE)


def test_the_lists_are_in_order() -> None:
    assert list(ALLOWED_HEADERS) == sorted(ALLOWED_HEADERS, key=str.lower)
    assert list(EXPOSED_HEADERS) == sorted(EXPOSED_HEADERS, key=str.lower)
