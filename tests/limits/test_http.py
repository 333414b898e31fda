"""What clients see of the limits: headers on every response, 429 in each family's form, who counts as who."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from functions._http import RawBody, Reply, Request, operation
from functions._http.catalogue import CATALOGUE, Catalogue
from functions._http.declaration import Access
from functions._http.messages import Principal
from shared import runtime
from shared.platform.errors import RateLimited, StorageUnavailable, Unauthenticated
from tests.http.conftest import KEY, Answer, Configure, call, triggers_of
from tests.limits.instances import NOON, Instance, Seconds

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
bp = func.Blueprint()


def declare(method: str, route: str, **options: Any) -> Any:
    return operation(bp, method, route, summary="A test", catalogue=Catalogue(), **options)


@declare("GET", "api/things", scope="events:read")
async def list_things(request: Request) -> Reply[dict[str, str]]:
    return Reply(200, {"who": request.principal.id})


@declare("GET", "tasks", scope="profile:read")
async def list_tasks(request: Request) -> dict[str, str]:
    return {"who": request.principal.id}


@declare("POST", "api/batches", body=RawBody(), rate="batch", open_locally=True)
async def take_batch(request: Request[None, bytes]) -> dict[str, int]:
    return {"length": len(request.body)}


@declare("POST", "auth/enter", body=RawBody(), rate="auth", open=True)
async def enter(request: Request[None, bytes]) -> None:
    raise RateLimited("Wait for the attempts before", retry_after=900)


TRIGGERS = triggers_of(bp)


def limits_of(answer: Answer) -> tuple[int, int, int]:
    limit, remaining, reset = (int(answer.headers[name]) for name in HEADERS)
    return limit, remaining, reset


class Authenticator:
    """Knows keys by their text; looks unknown ones up, and counts how often it did."""

    def __init__(self, **principals: Principal) -> None:
        self.principals = principals
        self.remembered: set[bytes] = set()
        self.looked_up = 0
        self.broken: Exception | None = None

    def remembers(self, digest: bytes) -> bool:
        return digest in self.remembered

    async def principal(self, credential: str, digest: bytes) -> Principal:
        if digest not in self.remembered:
            self.looked_up += 1
        if self.broken:
            raise self.broken
        if credential not in self.principals:
            raise Unauthenticated("The API key is not valid")
        self.remembered.add(digest)
        return self.principals[credential]


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    scopes = frozenset({"events:read", "profile:read"})
    known = Authenticator(
        ada=Principal("key-1", scopes, "free", "ada", "key"),
        ada2=Principal("key-2", scopes, "free", "ada", "key"),
        bob=Principal("key-3", scopes, "professional", "bob", "key"),
        eve=Principal("key-4", scopes, "enterprise", "eve", "key"),
        max=Principal("key-5", frozenset(), "free", "max", "key"),
    )
    monkeypatch.setattr(runtime, "authenticator", lambda: known)
    return known


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


async def test_addresses_count_apart(
    app_triggers: dict[str, Any], served: Instance, configure: Configure
) -> None:
    configure(rate_anonymous="1")

    async def status(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (await call(app_triggers["fallback"], path="/x", key=None, headers=headers)).status

    assert [await status("192.0.2.1:1234"), await status("192.0.2.2")] == [404, 404]
    # What stands before the last address is the client's own word.
    assert [await status("192.0.2.1:99"), await status("10.0.0.1, 192.0.2.2")] == [429, 429]
    assert await status("10.0.0.1, " * 1000 + "192.0.2.2") == 429


@pytest.mark.parametrize(("key", "limit"), [("ada", 1000), ("bob", 10_000), ("eve", 100_000), (KEY, 100_000)])
async def test_plans(
    key: str, limit: int, served: Instance, authenticator: Authenticator, documented: None
) -> None:
    answer = await call(TRIGGERS["list_tasks"], key=key)
    assert (answer.status, limits_of(answer)) == (200, (limit, limit - 1, NOON + 3600))


async def test_an_account_with_numbers_of_its_own(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_accounts='{"eve": {"plan": 7, "events": 5}}')
    assert limits_of(await call(TRIGGERS["list_tasks"], key="eve"))[0] == 7
    assert limits_of(await call(TRIGGERS["list_things"], key="eve"))[0] == 5
    assert limits_of(await call(TRIGGERS["list_tasks"], key="bob"))[0] > 7


async def test_the_keys_of_an_account_count_together_from_wherever_they_come(
    served: Instance, authenticator: Authenticator
) -> None:
    left = [
        limits_of(await call(TRIGGERS["list_tasks"], key=key, headers={"X-Forwarded-For": address}))[1]
        for key, address in (("ada", "192.0.2.1"), ("ada2", "192.0.2.2"), ("bob", "192.0.2.1"))
    ]
    assert left[0] - left[1] == 1
    assert left[2] == left[0]


async def test_the_wrong_scope_counts_too(served: Instance, authenticator: Authenticator) -> None:
    answers = [await call(TRIGGERS["list_tasks"], key="max") for _ in range(2)]
    assert [answer.status for answer in answers] == [403, 403]
    assert limits_of(answers[0])[1] - limits_of(answers[1])[1] == 1


@pytest.fixture
def documented(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits that hold where no setting says otherwise."""
    from devstack.function_app import HIGH_LIMITS
    from shared.platform.settings import load_settings

    for name in HIGH_LIMITS:
        monkeypatch.delenv(name)
    load_settings.cache_clear()
    runtime.settings.cache_clear()
    runtime.limits.cache_clear()


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


async def test_guessing_keys_is_bounded_and_locks_nobody_out_who_is_known(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="10")
    assert (await call(TRIGGERS["list_tasks"], key="ada")).status == 200
    answers = [await call(TRIGGERS["list_tasks"], key=f"guess {number}") for number in range(20)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 10
    assert limits_of(answers[9])[:2] == (10, 0)
    assert "Retry-After" in answers[10].headers
    # Not even looked at: whether a guess was right is not to be learned any more.
    looked_up = authenticator.looked_up
    assert (await call(TRIGGERS["list_tasks"], key="bob")).status == 429
    assert authenticator.looked_up == looked_up
    elsewhere = {"X-Forwarded-For": "192.0.2.9"}
    assert (await call(TRIGGERS["list_tasks"], key="bob", headers=elsewhere)).status == 200
    for key in ("ada", "bob", KEY):
        assert (await call(TRIGGERS["list_tasks"], key=key)).status == 200


async def test_good_keys_that_are_new_count_as_no_guesses(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="2")
    for _ in range(20):
        authenticator.remembered.clear()
        assert (await call(TRIGGERS["list_tasks"], key="ada")).status == 200


async def test_storage_that_is_down_counts_against_nobody(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="2", rate_anonymous="2")
    authenticator.broken = StorageUnavailable("down")
    answers = [await call(TRIGGERS["list_tasks"], key="ada") for _ in range(9)]
    assert {(answer.status, limits_of(answer)[:2]) for answer in answers} == {(503, (2, 2))}


async def test_logins_count_by_address_whoever_it_is(served: Instance, configure: Configure) -> None:
    configure(rate_auth="2")
    answers = [
        await call(TRIGGERS["enter"], method="POST", path="/auth/enter", body=b"{}", key=key)
        for key in (None, KEY, None)
    ]
    # The first two are the handler's own refusals.
    assert [answer.headers["Retry-After"] for answer in answers] == ["900", "900", "60"]
    assert [limits_of(answer)[1] for answer in answers] == [1, 0, 0]


async def test_what_is_open_locally_counts_by_address(served: Instance, configure: Configure) -> None:
    configure(auth="local", rate_batch="2")
    answers = [
        await call(TRIGGERS["take_batch"], method="POST", body=b"1", key=key) for key in (None, KEY, None)
    ]
    assert [answer.status for answer in answers] == [200, 200, 429]


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
