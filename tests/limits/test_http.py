"""What clients see of the limits: headers on every response, 429 in each family's form, who counts as who."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from functions._http import operation
from functions._http.catalogue import CATALOGUE, Catalogue
from functions._http.declaration import Access
from shared import runtime
from tests.http.conftest import Configure, call
from tests.limits.instances import NOON, Instance, Seconds
from tests.limits.things import TRIGGERS, Authenticator, limits_of, list_tasks


async def test_the_limit_counts_down_and_refuses(
    served: Instance, clock: Seconds, configure: Configure
) -> None:
    configure(API_RATE_LIMIT="3")
    for left in (2, 1, 0):
        answer = await call(TRIGGERS["list_things"])
        assert (answer.status, limits_of(answer)) == (200, (3, left, NOON + 60))
    clock.now += 42.5
    answer = await call(TRIGGERS["list_things"])
    assert (answer.status, limits_of(answer)) == (429, (3, 0, NOON + 60))
    assert answer.headers["Retry-After"] == "18"
    assert answer.json["error"] == "Too many requests"
    clock.now = NOON + 60
    assert (await call(TRIGGERS["list_things"])).status == 200


CLOSED = [one for one in CATALOGUE if one.access is not Access.OPEN]


@pytest.mark.parametrize("key", [None, "wrong"])
@pytest.mark.parametrize("one", CLOSED, ids=lambda one: one.name)
async def test_every_refusal_tells_the_limit(
    one: Any, key: str | None, app_triggers: dict[str, Any], served: Instance, authenticator: Authenticator
) -> None:
    answer = await call(
        app_triggers[one.name], method=one.methods[0], path=one.route.documented_path, key=key
    )
    assert answer.status == 401
    assert limits_of(answer)[2] > NOON


@pytest.mark.parametrize(
    ("name", "request_", "status"),
    [
        ("get_openapi", {"path": "/openapi.json"}, 200),
        ("get_openapi", {"path": "/openapi.json", "headers": {"If-None-Match": "*"}}, 304),
        ("fallback", {"path": "/nothing"}, 404),
        ("fallback", {"path": "/health", "method": "PUT"}, 405),
        ("fallback", {"path": "/api/events", "method": "OPTIONS"}, 405),
        ("get_docs_file", {"route": {"file": "../x"}}, 400),
        ("log_in", {"method": "POST", "body": b"{}"}, 400),
        ("log_in", {"method": "POST", "body": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("log_in", {"method": "POST", "body": b"x" * (10 * 2**20 + 1)}, 413),
    ],
)
async def test_open_operations_and_errors_tell_the_limit(
    name: str, request_: dict[str, Any], status: int, app_triggers: dict[str, Any], served: Instance
) -> None:
    answer = await call(app_triggers[name], key=None, **request_)
    assert answer.status == status
    limit, remaining, reset = limits_of(answer)
    assert (remaining, reset > NOON) == (limit - 1, True)


@pytest.mark.parametrize(
    ("path", "limit", "seconds", "shape"),
    [
        ("/storage/x", 2, 60, {"detail"}),
        ("/api/x", 2, 60, {"error", "details"}),
        ("/api/v1/x", 2, 60, {"success", "error", "timestamp", "request_id"}),
        ("/resources/x", 1, 3600, {"error", "request_id"}),
        ("/tasks/x", 1, 3600, {"error", "request_id"}),
    ],
)
async def test_429_has_the_form_of_its_family(
    path: str,
    limit: int,
    seconds: int,
    shape: set[str],
    app_triggers: dict[str, Any],
    served: Instance,
    configure: Configure,
) -> None:
    configure(API_RATE_LIMIT="2", rate_anonymous="1")
    answers = [await call(app_triggers["fallback"], path=path, key=None) for _ in range(limit + 1)]
    assert [answer.status for answer in answers] == [404] * limit + [429]
    assert limits_of(answers[-1]) == (limit, 0, NOON + seconds)
    assert set(answers[-1].json) == shape
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= seconds
    code = {"/api/v1/x": "RATE_LIMIT_EXCEEDED", "/tasks/x": "RATE_LIMITED"}.get(path)
    assert code is None or answers[-1].json["error"]["code"] == code


async def test_the_documented_limits(
    app_triggers: dict[str, Any], served: Instance, documented: None, authenticator: Authenticator
) -> None:
    async def limit(trigger: Any, path: str, **options: Any) -> tuple[int, float]:
        found, _, reset = limits_of(await call(trigger, path=path, key=None, **options))
        return found, reset - NOON

    fallback = app_triggers["fallback"]
    assert await limit(fallback, "/storage/x") == (1000, 60)  # 000
    assert await limit(fallback, "/api/v1/x") == (1000, 60)  # 001
    assert await limit(fallback, "/api/x") == (1000, 60)  # 002
    assert await limit(fallback, "/tasks/x") == (100, 3600)  # 004
    assert await limit(app_triggers["create_events"], "/api/events/batch", method="POST") == (100, 60)
    assert await limit(app_triggers["log_in"], "/auth/login", method="POST") == (10, 60)
    assert limits_of(await call(TRIGGERS["list_tasks"], key="wrong"))[0] == 60


def test_an_unknown_rate_fails_at_import() -> None:
    with pytest.raises(
        ValueError, match="unknown rate 'bulk'; there are default, batch, simulate, export, auth"
    ):
        operation(func.Blueprint(), "GET", "a", summary="", rate="bulk", catalogue=Catalogue())(list_tasks)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_RATE_LIMIT", "0"),
        ("API_RATE_LIMIT", "many"),
        ("FLOE_RATE_BATCH", "-1"),
        ("FLOE_RATE_ACCOUNTS", "{"),
        ("FLOE_RATE_ACCOUNTS", '{"eve": {"auth": 1}}'),
        ("FLOE_RATE_ACCOUNTS", '{"eve": {"plan": 0}}'),
    ],
)
def test_wrong_settings_stop_the_start_by_name(name: str, value: str, configure: Configure) -> None:
    from shared.platform.errors import SettingsError

    configure(**{name.removeprefix("FLOE_").lower() if name.startswith("FLOE_") else name: value})
    with pytest.raises(SettingsError, match=name):
        runtime.settings()
