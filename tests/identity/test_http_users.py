"""Registering, logging in and profiles as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.http.conftest import KEY, Configure
from tests.identity.ada import ADA, PROFILE, TOKENS, tokens_of
from tests.identity.conftest import Send


@pytest.mark.parametrize("operation", ["register_user", "register_account"])
async def test_register(operation: str, send: Send) -> None:
    answer = await send(operation, ADA)
    assert answer.status == 201
    assert set(answer.json) == PROFILE
    assert {name: answer.json[name] for name in ("username", "email", "full_name", "is_active")} == {
        "username": "ada",
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "is_active": True,
    }
    assert answer.json["created_at"] == "2025-09-30T12:00:00Z"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "a" * 65}, "username"),
        ({"username": "a b c"}, "username"),
        ({"username": "ada\n"}, "username"),
        ({"username": "адаада"}, "username"),
        ({"username": None}, "username"),
        ({"password": "seven77"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": 12345678}, "password"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@"}, "email"),
        ({"email": "@example.com"}, "email"),
        ({"email": "ada@localhost"}, "email"),
        ({"email": "a..b@example.com"}, "email"),
        ({"email": "ada@exa mple.com"}, "email"),
        ({"email": "ada@example.com\n"}, "email"),
        ({"email": "a" * 65 + "@example.com"}, "email"),
        ({"email": "ada@-example.com"}, "email"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"full_name": "a\u0000b"}, "full_name"),
    ],
)
async def test_what_does_not_register(change: dict[str, Any], field: str, send: Send) -> None:
    answer = await send("register_user", ADA | change)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["details"]["field"]) == (400, "VALIDATION_ERROR", field)
    assert "seven77" not in answer.body.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "other@example.com"}, "username"),
        ({"email": "other@example.com", "username": "ADA"}, "username"),
        ({"username": "other"}, "email"),
        ({"username": "other", "email": "Ada@Example.COM"}, "email"),
    ],
)
async def test_names_are_unique(change: dict[str, str], field: str, send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("register_user", ADA | change)
    assert (answer.status, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert answer.json["error"]["details"]["field"] == field
    # What failed left nothing behind.
    assert (
        await send("register_user", ADA | {"username": "other", "email": "other@example.com"})
    ).status == 201


async def test_registration_is_closed_unless_set(send: Send, configure: Configure) -> None:
    configure(registration="closed")
    assert (await send("register_user", ADA)).status == 401
    assert (await send("register_account", ADA, key="wrong")).status == 401
    assert (await send("register_user", ADA, key=KEY)).status == 201


@pytest.mark.parametrize(
    "name",
    [{"username": "ada"}, {"username": "ADA"}, {"email": "ada@example.com"}, {"email": "Ada@Example.com"}],
)
async def test_log_in_by_either_name(name: dict[str, str], send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("log_in", name | {"password": ADA["password"]})
    assert (answer.status, set(answer.json)) == (200, TOKENS)
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_log_in_within_the_envelope(send: Send) -> None:
    await send("register_user", ADA)
    right = {"username": "ada", "password": ADA["password"]}
    answer = await send("log_in_enveloped", right, path="/api/v1/auth/login")
    assert (answer.status, answer.json["success"], set(answer.json["data"])) == (200, True, TOKENS)
    wrong = await send("log_in_enveloped", right | {"password": "x"}, path="/api/v1/auth/login")
    assert (wrong.status, wrong.json["error"]["code"]) == (401, "AUTHENTICATION_ERROR")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ada", "password": "wrong password"}, 401),
        ({"username": "nobody", "password": "correct horse battery"}, 401),
        ({"email": "nobody@example.com", "password": "correct horse battery"}, 401),
        ({"username": "ada@example.com", "password": "correct horse battery"}, 401),
        ({"username": "ada", "email": "ada@example.com", "password": "x"}, 400),
        ({"password": "x"}, 400),
        ({"username": "ada"}, 400),
        ({"username": "", "password": "x"}, 400),
        ({"username": "ada", "password": ""}, 400),
        ({"username": "ada", "password": "x" * 1025}, 400),
        ({"username": ["ada"], "password": "x"}, 400),
        ({"username": "ada/\\#?\u0000", "password": "x"}, 401),
    ],
)
async def test_what_does_not_log_in(body: dict[str, Any], status: int, send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("log_in", body)
    assert answer.status == status
    assert "horse" not in answer.body.decode()


async def test_unknown_users_and_wrong_passwords_are_told_the_same(send: Send, tables: MemoryTables) -> None:
    await send("register_user", ADA)
    bodies, calls = [], []
    for name in ("ada", "nobody"):
        tables.calls.clear()
        answer = await send("log_in", {"username": name, "password": "wrong password"})
        bodies.append(answer.json["error"] | {"timestamp": "", "request_id": ""})
        calls.append([*tables.calls])
    assert bodies[0] == bodies[1]
    assert calls[0] == calls[1]


async def test_too_many_wrong_passwords_wait(send: Send, clock: ManualClock) -> None:
    await send("register_user", ADA)
    right, wrong = ({"username": "ada", "password": word} for word in (ADA["password"], "wrong password"))
    there = {"X-Forwarded-For": "203.0.113.9:4711"}
    for _ in range(5):
        assert (await send("log_in", wrong, headers=there)).status == 401
    refused = await send("log_in", right, headers=there)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "15")
    assert (await send("log_in", right, headers={"X-Forwarded-For": "203.0.113.9, 192.0.2.7"})).status == 200
    clock.advance(seconds=15)
    assert (await send("log_in", right, headers=there)).status == 200
    assert (await send("log_in", wrong, headers=there)).status == 401


async def test_profile(send: Send, clock: ManualClock) -> None:
    token = (await tokens_of(send))["access_token"]
    mine = await send("get_me", token=token)
    assert (mine.status, set(mine.json), mine.json["username"]) == (200, PROFILE, "ada")
    clock.advance(seconds=1)
    changed = await send("change_me", {"full_name": "Ada King"}, token=token, method="PUT")
    assert changed.json == mine.json | {"full_name": "Ada King", "updated_at": "2025-09-30T12:00:01Z"}
    moved = await send("change_me", {"email": "king@example.com"}, token=token, method="PUT")
    assert (await send("get_me", token=token)).json == moved.json
    for email, status in (("king@example.com", 200), ("ada@example.com", 401)):
        answer = await send("log_in", {"email": email, "password": ADA["password"]})
        assert answer.status == status
    again = ADA | {"username": "other"}
    assert (await send("register_user", again)).status == 201


async def test_nobody_takes_anothers_email(send: Send) -> None:
    await tokens_of(send, "bob")
    token = (await tokens_of(send))["access_token"]
    answer = await send("change_me", {"email": "BOB@example.com"}, token=token, method="PUT")
    assert (answer.status, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert (await send("get_me", token=token)).json["email"] == "ada@example.com"


@pytest.mark.parametrize("body", [{"email": "x"}, {"full_name": 1}, [], {"email": ""}])
async def test_wrong_changes(body: Any, send: Send) -> None:
    token = (await tokens_of(send))["access_token"]
    assert (await send("change_me", body, token=token, method="PUT")).status == 400


async def test_each_sees_only_their_own_profile(send: Send) -> None:
    ada, bob = await tokens_of(send), await tokens_of(send, "bob")
    assert (await send("get_me", token=ada["access_token"])).json["username"] == "ada"
    assert (await send("get_me", token=bob["access_token"])).json["username"] == "bob"
    # What else they send along does not matter.
    told = await send(
        "change_me",
        {"id": "x", "username": "ada", "plan": "enterprise", "scopes": ["*"], "full_name": "B"},
        token=bob["access_token"],
        method="PUT",
    )
    assert (told.json["username"], told.json["full_name"]) == ("bob", "B")
    assert (await send("list_keys", token=bob["access_token"])).status == 403


async def test_keys_belong_to_no_user_unless_made_for_one(send: Send) -> None:
    assert (await send("get_me", key=KEY)).status == 404
    user = (await send("register_user", ADA)).json["id"]
    wanted = {"name": "ada's", "scopes": ["profile:read"], "account": user}
    made = await send("create_key", wanted, key=KEY)
    assert (await send("get_me", key=made.json["key"])).json["username"] == "ada"
    assert (await send("change_me", {}, key=made.json["key"], method="PUT")).status == 403
